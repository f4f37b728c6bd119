#include "tools/load/send/ceiling.h"

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "rings/clock.h"
#include "tools/load/send/pacer.h"

namespace weir::load {
namespace {

// Frames may be on their way still; so long without one, they are not.
SinkCounts CountsWhenQuiet(const CountingSink& sink) {
  constexpr absl::Duration kQuiet = absl::Milliseconds(20);
  SinkCounts before = sink.counts();
  for (;;) {
    absl::SleepFor(kQuiet);
    const SinkCounts now = sink.counts();
    if (now.frames == before.frames) return now;
    before = now;
  }
}

}  // namespace

absl::StatusOr<Ceiling> ProveCeiling(FrameSender& sender, const CountingSink& sink,
                                     std::span<const Frame> frames, double seconds) {
  if (frames.empty()) return absl::InvalidArgumentError("no frames to prove the ceiling with");
  const SinkCounts before = sink.counts();
  const int64_t until = ReadClockNs(CLOCK_MONOTONIC) + static_cast<int64_t>(seconds * 1e9);
  do {
    if (auto status = sender.Send(frames); !status.ok()) return status;
  } while (ReadClockNs(CLOCK_MONOTONIC) < until);
  if (auto status = sender.Finish(); !status.ok()) return status;
  const SinkCounts after = CountsWhenQuiet(sink);
  const SendProgress progress = sender.progress();
  Ceiling ceiling;
  ceiling.sent = sender.sent();
  ceiling.refused = sender.refused();
  ceiling.counted = after.frames - before.frames;
  const double duration = double(progress.last_ns - progress.first_ns) / 1e9;
  if (duration <= 0) return ceiling;
  ceiling.sent_per_second = double(ceiling.sent) / duration;
  ceiling.counted_per_second = double(ceiling.counted) / duration;
  const uint64_t bytes = after.bytes - before.bytes + ceiling.counted * kWireOverheadBytes;
  ceiling.bits_per_second = double(bytes) * 8 / duration;
  return ceiling;
}

}  // namespace weir::load
