// Watches one shard: compares each byte that it delivers with what was sent, and adds up its
// records by the flows' numbers.
//
// Thread: the shard's own; observation() when it is done.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/shard_consumer.h"
#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/profile.h"
#include "tools/load/verdict/observation.h"

namespace weir::load {

class FlowObserver final : public ShardConsumer {
 public:
  // `profile` outlives the observer. compare false: bytes are taken, and not looked at.
  FlowObserver(const TrafficProfile& profile, bool compare)
      : profile_(profile), compare_(compare) {}

  // What ShardOptions::events must hold. Packets are looked at only where there are datagrams.
  static uint32_t Events(const TrafficProfile& profile, bool compare);

  absl::Status OnBatch(Shard& shard, std::span<const Event> events) override;

  Observation TakeObservation() { return std::move(seen_); }

 private:
  // A live flow, by its slot in the shard's table.
  struct Known {
    uint32_t generation = 0;
    uint32_t number = 0;
    bool known = false;     // the flow is of the model, a flood's or the probes' included
    bool ordinary = false;  // FlowKind::kOrdinary
    bool flipped = false;   // the engine took the responder for the initiator
    // What is to be added to the engine's offsets, where a stream was joined behind its first byte.
    std::array<uint64_t, 2> origin{};
  };

  void Learn(const Event& event);
  Known* Of(const Event& event);
  ObservedFlow* FlowOf(const Event& event);  // null: not an ordinary flow
  void AddRecord(const FlowRecord& record);
  void CheckStream(const Event& event);
  void CheckDatagram(const Event& event);
  void TakeProbe(const Packet& packet);

  const TrafficProfile& profile_;
  bool compare_;
  Observation seen_;
  std::vector<Known> by_slot_;
};

}  // namespace weir::load
