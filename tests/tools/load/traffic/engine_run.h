// A model's frames through a real shard, and what the shard said of each flow.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "engine/shard.h"
#include "rings/frame_source.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::load {

// Index 0: from the initiator, as the model has it.
struct SeenFlow {
  uint64_t records = 0;
  std::array<uint64_t, 2> packets{};
  std::array<uint64_t, 2> wire_bytes{};
  std::array<uint64_t, 2> delivered{};  // payload bytes: of streams, of datagrams
  std::array<uint64_t, 2> missing{};    // in holes
  uint64_t wrong = 0;                   // pieces of payload with other bytes than they should have
  uint64_t conflicts = 0;
  FlowRecord record;  // the last one
};

class EngineRun {
 public:
  // Runs the model to its end. What it needs of the options it sets itself.
  explicit EngineRun(TrafficModel& model, const ShardOptions& options = {});
  // Runs frames of a model of this profile from elsewhere.
  EngineRun(const TrafficProfile& profile, std::unique_ptr<FrameSource> source);

  const std::map<uint32_t, SeenFlow>& flows() const { return flows_; }
  uint64_t strangers() const { return strangers_; }  // flows that are not the model's
  Shard& shard() { return *shard_; }

 private:
  void Open(std::unique_ptr<FrameSource> source, ShardOptions options);
  void Poll();
  void Take(const Event& event);
  void TakeRecord(const FlowRecord& record);
  void TakePacket(const Event& event);
  SeenFlow* Find(const Event& event, uint32_t* number);

  const TrafficProfile profile_;
  std::unique_ptr<Shard> shard_;
  std::map<uint32_t, SeenFlow> flows_;
  std::map<uint32_t, uint32_t> numbers_;  // by slot
  uint64_t strangers_ = 0;
};

// Expects that the shard has found the truth, flow by flow and in its ledger.
void ExpectTruth(const TrafficModel& model, EngineRun& run);
// Makes the model, runs it, and expects that; returns what was made.
Truth RunAndExpectTruth(const TrafficProfile& profile);

}  // namespace weir::load
