#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/load/report/run_report.h"
#include "tools/load/report/svg_canvas.h"
#include "tools/weir/human.h"

namespace weir::load {
namespace {

constexpr double kWidth = 860, kHeight = 430, kLeft = 40, kBar = kWidth - 2 * kLeft;

struct Part {
  std::string name;
  uint64_t count;
  std::string_view color;
};

// One bar of all frames, and what its parts are.
void DrawFrames(SvgCanvas& canvas, double y, const std::vector<Part>& parts, uint64_t whole) {
  double x = kLeft, legend = y + 52;
  for (const Part& part : parts) {
    if (part.count == 0) continue;
    const double width =
        std::max(kBar * static_cast<double>(part.count) / static_cast<double>(whole), 2.0);
    canvas.Box({x, y}, std::min(width, kLeft + kBar - x), 32, part.color);
    x += width;
    canvas.Box({kLeft, legend - 11}, 12, 12, part.color);
    canvas.Text({kLeft + 20, legend}, absl::StrCat(part.name, ": ", HumanCount(part.count), " (",
                                                   HumanShare(part.count, whole), ")"));
    legend += 20;
  }
}

// Delay over the share of probes that took no longer: each step to the right is a tenth of the
// probes that the one before had left.
void DrawDelays(SvgCanvas& canvas, double y, const DelayHistogram& delays) {
  constexpr std::array<double, 7> kShares = {0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
  canvas.Text({kLeft, y}, absl::StrCat("Delay from the sender to the consumer, of ",
                                       HumanCount(delays.count()), " probes"));
  const auto most = static_cast<double>(std::max<int64_t>(delays.Quantile(1), 1));
  const double step = kBar / static_cast<double>(kShares.size());
  for (size_t i = 0; i < kShares.size(); ++i) {
    const int64_t delay = delays.Quantile(kShares[i]);
    const double height = 80 * static_cast<double>(delay) / most;
    const double x = kLeft + step * static_cast<double>(i);
    canvas.Box({x, y + 110 - height}, step * 0.6, height, "#1f6fb4");
    canvas.Text({x + step * 0.3, y + 106 - height}, HumanDuration(delay), Anchor::kMiddle, 12);
    canvas.Text({x + step * 0.3, y + 126},
                kShares[i] < 1 ? absl::StrFormat("%g %%", kShares[i] * 100) : "all",
                Anchor::kMiddle, 12);
  }
}

}  // namespace

std::string RunPicture(const TrafficProfile& profile, const RunResult& result,
                       const Verdict& verdict) {
  SvgCanvas canvas(kWidth, kHeight);
  canvas.Text({kLeft, 32}, verdict.good() ? "What was sent is what came out" : "Something is WRONG",
              Anchor::kStart, 20, verdict.good() ? "#2c7a3f" : "#c0261c");
  canvas.Text({kLeft, 54},
              absl::StrFormat("%s, %d shard(s), %s flows, seed %d, %.1f ns of processor time per "
                              "frame",
                              result.way, result.shards, HumanCount(profile.flows), profile.seed,
                              NsPerFrame(result)),
              Anchor::kStart, 13, "#666");
  const SourceCounters& source = result.counters.source;
  const uint64_t unnamed = verdict.lost - std::min(verdict.lost, verdict.named_lost);
  DrawFrames(canvas, 74,
             {{"tracked", result.counters.ledger.tracked, "#2c9a4b"},
              {"received, not tracked",
               result.counters.ledger.received - result.counters.ledger.tracked, "#b8860b"},
              {"not taken by the sender's interface", result.refused, "#999"},
              {"no buffer in the receiver's device", source.nic_missed.value_or(0), "#8447a8"},
              {"filtered in the kernel", source.KernelFilteredTotal().value_or(0), "#666"},
              {"receiver's ring full", source.ring_dropped.value_or(0), "#d9541e"},
              {"lost, and no counter says where", unnamed, "#c0261c"}},
             std::max<uint64_t>(verdict.made, 1));
  canvas.Text(
      {kLeft, 250},
      absl::StrCat("Flows: ", HumanCount(verdict.flows_found), " of ",
                   HumanCount(verdict.flows_expected), " found, ", HumanCount(verdict.flows_wrong),
                   " not as sent.  Bytes: ", HumanCount(verdict.bytes_delivered), " of ",
                   HumanCount(verdict.bytes_expected), " delivered, ",
                   HumanCount(result.seen.wrong_pieces), " deliveries with a wrong one."));
  if (result.seen.delays.count() > 0) DrawDelays(canvas, 285, result.seen.delays);
  return std::move(canvas).Finish();
}

}  // namespace weir::load
