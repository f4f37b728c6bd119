// Tracking alone: decoded packets of so many flows in random order, each flow really touched. The
// floor beside it updates one prefetched line per packet.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "bench/floor.h"
#include "bench/trace.h"
#include "engine/flow/flow_tracker.h"

namespace weir::bench {
namespace {

constexpr size_t kChunk =
    32 * kBatchFrames;  // packets made outside the time: they stay in the L2 cache

struct Address {
  uint32_t client;
  uint32_t server;
};

std::vector<uint32_t> RandomOrder(uint32_t flows) {
  std::vector<uint32_t> order(flows);
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  return order;
}

// Packets of the next flows in the order.
class Maker {
 public:
  explicit Maker(uint32_t flows)
      : order_(RandomOrder(flows)), packets_(kChunk), addresses_(kChunk), flows_(kChunk) {}

  void Next() {
    for (size_t i = 0; i < kChunk; ++i) {
      const uint32_t flow = order_[next_];
      next_ = next_ + 1 == order_.size() ? 0 : next_ + 1;
      addresses_[i] = {0x0a00'0000 + flow, 0xc0a8'0001 + flow % 251};
      flows_[i] = flow;
      Packet& packet = packets_[i];
      packet.source = reinterpret_cast<const uint8_t*>(&addresses_[i].client);
      packet.destination = reinterpret_cast<const uint8_t*>(&addresses_[i].server);
      packet.source_port = static_cast<uint16_t>(1024 + flow % 50'000);
      packet.destination_port = 443;
      packet.family = AddressFamily::kIpv4;
      packet.protocol = ip_protocol::kTcp;
      packet.tcp_flags = tcp_flag::kAck;
      packet.flags = packet_flag::kTcpFields;
      packet.payload_wire_length = 64;
      packet.wire_length = 118;
      packet.timestamp_ns = time_ += 10;
    }
  }
  std::span<Packet> packets() { return packets_; }
  std::span<const uint32_t> flows() const { return flows_; }

 private:
  std::vector<uint32_t> order_;
  std::vector<Packet> packets_;
  std::vector<Address> addresses_;
  std::vector<uint32_t> flows_;
  size_t next_ = 0;
  int64_t time_ = 1'700'000'000'000'000'000;
};

template <typename Step>
void Run(benchmark::State& state, Maker& maker, Step step) {
  for (int64_t left = state.range(0); left > 0; left -= kChunk) {
    maker.Next();
    step();
  }
  for (auto _ : state) {
    maker.Next();
    const double start = ThreadSeconds();
    step();
    state.SetIterationTime(ThreadSeconds() - start);
  }
  const auto packets = static_cast<double>(state.iterations()) * kChunk;
  state.counters["ns/packet"] =
      benchmark::Counter(packets * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_TrackFloor(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(0));
  Maker maker(flows);
  Floor floor(flows);
  Run(state, maker, [&] {
    for (size_t i = 0; i < kChunk; i += kBatchFrames)
      floor.Update(maker.flows().subspan(i, kBatchFrames));
  });
}

void BM_Track(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(0));
  Maker maker(flows);
  auto tracker = *FlowTracker::Create({.max_flows = flows});
  EventBuffer events(event_mask::kRecords);
  const std::vector<Frame> frames(kBatchFrames);
  Run(state, maker, [&] {
    for (size_t i = 0; i < kChunk; i += kBatchFrames) {
      events.Clear();
      tracker->Track(frames, maker.packets().subspan(i, kBatchFrames), events);
    }
  });
  if (tracker->alive() != flows) state.SkipWithError("not every flow was tracked");
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("flows")->UseManualTime();
  for (const int64_t flows : {1'000, 100'000, 1'000'000, 10'000'000}) {
    if (flows <= 1'000 || !SmallRun()) benchmark->Arg(flows);
  }
}
BENCHMARK(BM_TrackFloor)->Apply(Sizes);
BENCHMARK(BM_Track)->Apply(Sizes);

}  // namespace
}  // namespace weir::bench
