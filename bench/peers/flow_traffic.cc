#include "bench/peers/flow_traffic.h"

#include <algorithm>

namespace weir::bench {
namespace {

TraceOptions OptionsOf(FlowShape shape) {
  const uint32_t divisor = SmallRun() ? 100 : 1;
  if (shape == FlowShape::kMix) return {.flows = 100'000 / divisor};
  return {.flows = 10'000 / divisor, .mix = {{10, 1}}};
}

}  // namespace

FlowTraffic::FlowTraffic(FlowShape shape)
    : flows_(OptionsOf(shape).flows), trace_(OptionsOf(shape)), feed_(trace_.frames()) {}

std::vector<FlowTraffic::Counts> FlowTraffic::Truth(uint64_t packets) const {
  std::vector<Counts> truth(flows_);
  const std::span<const Frame> lap = frames();
  const uint64_t laps = packets / lap.size(), rest = packets % lap.size();
  for (size_t i = 0; i < lap.size(); ++i) {
    const uint64_t times = laps + (i < rest);
    Counts& counts = truth[FlowOf(lap[i].data)];
    counts.packets += times;
    counts.bytes += times * lap[i].wire_length;
  }
  return truth;
}

uint64_t FlowTraffic::Flows(uint64_t packets) const {
  const std::vector<Counts> truth = Truth(packets);
  return static_cast<uint64_t>(
      std::count_if(truth.begin(), truth.end(), [](const Counts& c) { return c.packets > 0; }));
}

uint64_t FlowTraffic::Wrong(const FlowAnswers& answers, uint64_t packets) const {
  std::vector<Counts> left = Truth(packets);
  uint64_t wrong = 0;
  for (const FlowAnswer& answer : answers) {
    const uint32_t number = answer.client & 0xffffff;
    if (number < flows_ && left[number] == Counts{answer.packets, answer.bytes} &&
        answer.packets > 0)
      left[number] = {};
    else
      ++wrong;
  }
  // One whose counters are wrong is among the answers and among what is left: it is one fault.
  const auto missing = static_cast<uint64_t>(
      std::count_if(left.begin(), left.end(), [](const Counts& c) { return c.packets > 0; }));
  return std::max(wrong, missing);
}

}  // namespace weir::bench
