// What a frame costs when a ring that filled up while nobody looked is emptied: the kernel's ring
// beside a memory ring of the same size with the same frames, a shard beside a loop that only
// counts. The four take turns, each on a ring that was filled and emptied once before.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "perf/live_run/live_shard.h"
#include "perf/live_run/run.h"
#include "rings/memory_source.h"
#include "tests/support/packet_builder.h"

namespace weir::perf {
namespace {

// Frames as LiveFrameSender sends them.
class SentFrames {
 public:
  explicit SentFrames(const RunOptions& run) {
    constexpr uint32_t kHeaderBytes = 14 + 20 + 8;
    for (uint32_t flow = 0; flow < run.flows; ++flow) {
      bytes_.push_back(test::PacketBuilder()
                           .Ethernet()
                           .Ipv4("10.0.0.1", "10.0.0.2")
                           .Udp(static_cast<uint16_t>(1024 + flow), 9)
                           .Payload(size_t{run.frame_bytes - kHeaderBytes})
                           .Build());
      bytes_.back()[40] = bytes_.back()[41] = 0;
      frames_.push_back(
          test::AsFrame(bytes_.back(), link_type::kEthernet, 1'700'000'000'000'000'000));
    }
  }
  std::span<const Frame> frames() const { return frames_; }

 private:
  std::vector<test::Bytes> bytes_;
  std::vector<Frame> frames_;
};

// What a ring gives back at a time: TPACKET_V3's block, AF_XDP's frame.
struct RingUnit {
  uint64_t frames;     // that fit in one, at least
  uint32_t kept_free;  // units that are not filled, so that no frame comes too many
};

RingUnit UnitOf(const RunOptions& run) {
  constexpr uint32_t kMostOverhead = 128;  // ring header, address, alignment
  if (run.backend != "packet") return {.frames = 1, .kept_free = 256};
  return {.frames = (run.block_kib << 10) / (run.frame_bytes + kMostOverhead), .kept_free = 4};
}

// Units that may still be filled.
uint32_t Room(const FrameSource& source, uint32_t kept_free) {
  const RingFill fill = source.Fill();
  return fill.units - std::min(fill.units, fill.used + kept_free);
}

// Half of what has room at a time, and waits for it, since a kernel thread may deliver it.
absl::Status FillKernelRing(const RunOptions& run, const FrameSource& source,
                            test::LiveFrameSender& sender) {
  constexpr useconds_t kPauseUs = 100;
  const RingUnit unit = UnitOf(run);
  uint64_t expected = sender.delivered();
  while (const uint32_t room = Room(source, unit.kept_free)) {
    const uint64_t frames = std::max<uint64_t>(unit.frames * room / 2, 64);
    if (auto status = sender.Send(frames); !status.ok()) return status;
    expected += frames;
    for (int i = 0; i < 20'000 && sender.delivered() < expected; ++i) usleep(kPauseUs);
  }
  return absl::OkStatus();
}

void FillMemoryRing(MemorySource& source, std::span<const Frame> frames) {
  constexpr uint32_t kKeptFree = 4;
  while (Room(source, kKeptFree) > 0) source.Refill(frames);
}

// Empties the ring; thread nanoseconds per frame. What a wait would cost is not in it.
double Empty(FrameSource& source, const std::function<uint64_t()>& step) {
  uint64_t frames = 0;
  const double start = ThreadSeconds();
  while (source.ready()) frames += step();
  return (ThreadSeconds() - start) * 1e9 / static_cast<double>(frames);
}

uint64_t CountFrames(FrameSource& source) {
  static uint64_t bytes = 0;
  Frame frames[kBatchFrames];
  const int count = source.Receive(frames);
  for (int i = 0; i < count; ++i) bytes += frames[i].wire_length;
  asm volatile("" : : "r"(bytes));
  source.Release();
  return static_cast<uint64_t>(count);
}

// Fills twice, measures the second time. `with_shard`: otherwise it is only counted.
absl::StatusOr<double> Measure(const RunOptions& run, std::unique_ptr<FrameSource> owned,
                               const std::function<absl::Status()>& fill, bool with_shard) {
  FrameSource& source = *owned;
  std::unique_ptr<Shard> shard;
  if (with_shard) {
    auto made = MakeShard(FullPipeline(run), std::move(owned));
    if (!made.ok()) return made.status();
    shard = *std::move(made);
  }
  const auto step = [&]() -> uint64_t {
    if (!shard) return CountFrames(source);
    const uint64_t before = shard->ledger().received;
    shard->Poll();
    return shard->ledger().received - before;
  };
  double cost = 0;
  for (int lap = 0; lap < 2; ++lap) {
    if (auto status = fill(); !status.ok()) return status;
    cost = Empty(source, step);
    if (shard) shard->Poll();  // gives the last block back
  }
  if (source.Counters().ring_dropped.value_or(0) != 0)
    return absl::InternalError("the ring overflowed: the figure would mean nothing");
  return cost;
}

absl::StatusOr<double> FromKernel(const RunOptions& run, bool with_shard) {
  const test::VethPair pair;
  auto sender = MakeSender(pair, run);
  if (!sender.ok()) return sender.status();
  auto source = OpenFarEnd(pair, run);
  if (!source.ok()) return source.status();
  const FrameSource& ring = **source;
  return Measure(
      run, *std::move(source), [&] { return FillKernelRing(run, ring, **sender); }, with_shard);
}

absl::StatusOr<double> FromMemory(const RunOptions& run, bool with_shard) {
  const SentFrames sent(run);
  const uint32_t blocks = (run.ring_mib << 10) / run.block_kib;
  auto source =
      MemorySource::Create({.block_bytes = size_t{run.block_kib} << 10, .block_count = blocks});
  if (!source.ok()) return source.status();
  MemorySource& ring = **source;
  return Measure(
      run, *std::move(source),
      [&] {
        FillMemoryRing(ring, sent.frames());
        return absl::OkStatus();
      },
      with_shard);
}

}  // namespace

absl::Status RunDrain(const RunOptions& run) {
  std::printf("drain: %s, %u-byte frames, %u flows, rings of %u MiB; ns/frame\n",
              run.backend.c_str(), run.frame_bytes, run.flows, run.ring_mib);
  test::PinToProcessor(run.shard_processor);
  std::vector<double> kernel, memory, kernel_count, memory_count;
  for (int i = 0; i < run.rounds; ++i) {
    const auto a = FromKernel(run, true), b = FromMemory(run, true);
    const auto c = FromKernel(run, false), d = FromMemory(run, false);
    for (const auto* cost : {&a, &b, &c, &d}) {
      if (!cost->ok()) return cost->status();
    }
    std::printf("  shard: kernel %5.1f memory %5.1f   counting: kernel %5.1f memory %5.1f\n", *a,
                *b, *c, *d);
    kernel.push_back(*a);
    memory.push_back(*b);
    kernel_count.push_back(*c);
    memory_count.push_back(*d);
  }
  std::printf(
      "median: shard kernel %.1f, memory %.1f, ratio %.2f; counting kernel %.1f, memory "
      "%.1f\n",
      Median(kernel), Median(memory), Median(kernel) / Median(memory), Median(kernel_count),
      Median(memory_count));
  return absl::OkStatus();
}

}  // namespace weir::perf
