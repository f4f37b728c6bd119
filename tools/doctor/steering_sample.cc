#include "tools/doctor/steering_sample.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/engine.h"
#include "rings/network_interface.h"

namespace weir::doctor {
namespace {

constexpr size_t kMostFlows = 100'000;  // of each queue
constexpr size_t kRingBytes = size_t{2} << 20;

// Both ends of a flow, the lower one first.
using End = std::pair<std::array<uint8_t, 16>, uint16_t>;
using Ends = std::tuple<End, End, uint8_t>;

Ends EndsOf(const FlowKey& key) {
  End a{key.source, key.source_port}, b{key.destination, key.destination_port};
  if (b < a) std::swap(a, b);
  return {a, b, key.protocol};
}

using FlowsOfQueue = absl::flat_hash_map<Ends, bool>;  // true: both directions were seen here

class Collector : public ShardConsumer {
 public:
  explicit Collector(FlowsOfQueue& flows) : flows_(flows) {}

  absl::Status OnBatch(Shard&, std::span<const Event> events) override {
    for (const Event& event : events) Note(event);
    return absl::OkStatus();
  }

 private:
  void Note(const Event& event) {
    const FlowKey& key = event.record->key;
    if (key.protocol != ip_protocol::kTcp && key.protocol != ip_protocol::kUdp) return;
    const Ends ends = EndsOf(key);
    if (flows_.size() < kMostFlows) flows_[ends] |= event.record->answered;
  }

  FlowsOfQueue& flows_;
};

EngineOptions Plan(const DoctorOptions& options, int queues) {
  EngineOptions plan;
  EngineInterface interface;
  interface.legs.push_back(
      {.interface = options.interface, .ring = {.ring_bytes = kRingBytes}, .snap_length = 256});
  interface.fanout.mode = FanoutMode::kQueue;
  plan.interfaces.push_back(std::move(interface));
  plan.shards = queues;
  plan.shard.flow.max_flows = kMostFlows;
  plan.shard.events = event_mask::Of(EventKind::kFlowEnded);
  return plan;
}

void Compare(const std::vector<FlowsOfQueue>& queues, SteeringFacts& facts) {
  absl::flat_hash_map<Ends, std::pair<int, bool>> all;  // queues it came in on; both ways in one
  for (const FlowsOfQueue& flows : queues) {
    for (const auto& [ends, two_way] : flows) {
      auto& [count, both] = all[ends];
      ++count;
      both |= two_way;
    }
  }
  facts.flows = all.size();
  for (const auto& [ends, seen] : all) {
    const bool cut = seen.first > 1;
    facts.cut += cut;
    facts.two_way += cut || seen.second;
  }
}

}  // namespace

SteeringFacts LookAtSteering(const DoctorOptions& options) {
  SteeringFacts facts;
  facts.queues = std::min(ReceiveQueues(options.interface), kMostFanoutSockets);
  if (facts.queues < 2) return facts;
  std::vector<FlowsOfQueue> flows(static_cast<size_t>(facts.queues));
  auto engine = Engine::Create(Plan(options, facts.queues), [&](const ShardPlace& place) {
    return std::make_unique<Collector>(flows[static_cast<size_t>(place.shard)]);
  });
  facts.status = engine.status();
  if (facts.status.ok()) facts.status = (*engine)->Start();
  if (!facts.status.ok()) return facts;
  (*engine)->WaitFor(options.sample_ns);
  (*engine)->Stop();
  facts.status = (*engine)->Join();
  Compare(flows, facts);
  return facts;
}

}  // namespace weir::doctor
