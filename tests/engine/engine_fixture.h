// Engines over memory: sources of made-up frames, consumers that remember.
#pragma once

#include <sched.h>
#include <sys/eventfd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "engine/flow/flow_tracker.h"
#include "rings/memory_source.h"
#include "rings/unique_fd.h"
#include "tests/support/eventually.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

// `flows` UDP flows of `packets` packets each, from 10.`shard`.x.y.
inline std::unique_ptr<FrameSource> UdpFlows(int shard, int flows, int packets) {
  std::vector<Bytes> bytes;
  for (int packet = 0; packet < packets; ++packet) {
    for (int flow = 0; flow < flows; ++flow) {
      const std::string client = "10." + std::to_string(shard) + "." + std::to_string(flow / 250) +
                                 "." + std::to_string(flow % 250 + 1);
      bytes.push_back(
          PacketBuilder().Ethernet().Ipv4(client, "10.99.0.1").Udp(1000, 53).Payload(20).Build());
    }
  }
  std::vector<Frame> frames;
  for (size_t i = 0; i < bytes.size(); ++i) {
    frames.push_back(AsFrame(bytes[i], link_type::kEthernet,
                             1'700'000'000'000'000'000 + static_cast<int64_t>(i) * 1'000));
  }
  MemorySourceOptions options;
  options.name = "memory" + std::to_string(shard);
  return *MemorySource::FromFrames(frames, options);
}

// Has nothing, until it is stopped or told to fail. Any thread: Fail.
class SilentSource final : public FrameSource {
 public:
  int Receive(std::span<Frame>) override { return 0; }
  void Release() override {}
  bool ready() const override { return failed_; }
  int wait_fd() const override { return fd_.get(); }
  bool ended() const override { return failed_; }
  absl::Status status() const override {
    return failed_ ? absl::UnavailableError("interface gone") : absl::OkStatus();
  }
  SourceCounters Counters() override { return {.ring_dropped = ++asked_}; }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }
  void Fail() {
    failed_ = true;
    eventfd_write(fd_.get(), 1);
  }

 private:
  UniqueFd fd_{eventfd(0, EFD_NONBLOCK)};
  std::atomic<bool> failed_{false};
  uint64_t asked_ = 0;
  SourceInterface interface_{.name = "silent"};
};

// What one consumer saw.
struct Seen {
  std::thread::id start_thread, batch_thread, end_thread;
  std::vector<int> cpus;  // that its thread may run on
  int starts = 0, ends = 0;
  int idles = 0;
  uint64_t flows = 0;
  uint64_t packets = 0;
  absl::Status why;
};

inline std::vector<int> CpusOfThread() {
  cpu_set_t set;
  std::vector<int> cpus;
  sched_getaffinity(0, sizeof set, &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

class Recorder : public ShardConsumer {
 public:
  explicit Recorder(Seen& seen) : seen_(seen) {}
  absl::Status OnStart(Shard&) override {
    ++seen_.starts;
    seen_.start_thread = std::this_thread::get_id();
    seen_.cpus = CpusOfThread();
    return absl::OkStatus();
  }
  absl::Status OnBatch(Shard&, std::span<const Event> events) override {
    seen_.batch_thread = std::this_thread::get_id();
    for (const Event& event : events) {
      if (event.kind != EventKind::kFlowEnded) continue;
      ++seen_.flows;
      seen_.packets += event.record->packets[0] + event.record->packets[1];
    }
    return absl::OkStatus();
  }
  absl::Status OnIdle(Shard&) override {
    ++seen_.idles;
    return absl::OkStatus();
  }
  absl::Status OnEnd(Shard&, const absl::Status& why) override {
    ++seen_.ends;
    seen_.end_thread = std::this_thread::get_id();
    seen_.why = why;
    return why;
  }

 private:
  Seen& seen_;
};

// A consumer made of functions; those that are empty do nothing.
struct Scripted : ShardConsumer {
  std::function<absl::Status(Shard&)> start;
  std::function<absl::Status(Shard&)> batch;
  std::function<absl::Status(Shard&)> idle;
  absl::Status OnStart(Shard& shard) override { return start ? start(shard) : absl::OkStatus(); }
  absl::Status OnBatch(Shard& shard, std::span<const Event>) override {
    return batch ? batch(shard) : absl::OkStatus();
  }
  absl::Status OnIdle(Shard& shard) override { return idle ? idle(shard) : absl::OkStatus(); }
};

inline EngineOptions SmallEngine() {
  EngineOptions options;
  options.shard.flow.max_flows = 1'000;
  options.publish_ns = 5'000'000;
  return options;
}

// Waits until shard `i` is in `state`: each shard's thread shows its own, when it comes to it.
inline bool Becomes(Engine& engine, int i, ShardState state) {
  return Eventually([&] { return engine.Report(i).state == state; });
}

inline void AddSource(EngineOptions& options, std::unique_ptr<FrameSource> source) {
  options.sources.emplace_back().push_back(std::move(source));
}

}  // namespace weir::test
