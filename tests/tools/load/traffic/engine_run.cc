#include "tests/tools/load/traffic/engine_run.h"

#include <span>
#include <utility>
#include <vector>

#include "engine/flow/flow_tracker.h"
#include "gtest/gtest.h"
#include "rings/memory_source.h"
#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/payload.h"

namespace weir::load {

// Streams, five-tuple keys, a table that is large enough.
void EngineRun::Open(std::unique_ptr<FrameSource> source, ShardOptions options) {
  options.flow.max_flows = 100'000;
  options.flow.streams = StreamOptions{.history_bytes = 4096};
  options.events = event_mask::kFlows | event_mask::kStreams | event_mask::kPackets;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  shard_ = *Shard::Create(options, std::move(sources));
}

void EngineRun::Poll() {
  for (const Event& event : shard_->Poll()) Take(event);
}

EngineRun::EngineRun(TrafficModel& model, const ShardOptions& options) : profile_(model.profile()) {
  auto memory = *MemorySource::Create({.block_count = 8});
  MemorySource& source = *memory;
  Open(std::move(memory), options);
  for (;;) {
    std::span<const Frame> frames = model.Next(256);
    if (frames.empty()) break;
    while (!frames.empty()) {
      frames = frames.subspan(source.Refill(frames));
      while (source.ready()) Poll();
    }
  }
  source.End();
  while (!shard_->done()) Poll();
}

EngineRun::EngineRun(const TrafficProfile& profile, std::unique_ptr<FrameSource> source)
    : profile_(profile) {
  Open(std::move(source), {});
  while (!shard_->done()) Poll();
}

SeenFlow* EngineRun::Find(const Event& event, uint32_t* number) {
  const auto found = numbers_.find(event.flow.slot);
  if (found == numbers_.end()) return nullptr;
  *number = found->second;
  return &flows_[found->second];
}

void EngineRun::Take(const Event& event) {
  if (event.kind == EventKind::kFlowStarted) {
    const std::optional<uint32_t> number = FlowNumberOf(profile_, event.record->key);
    if (!number) return;
    numbers_[event.record->handle.slot] = *number;
    return;
  }
  if (event.kind == EventKind::kFlowEnded) return TakeRecord(*event.record);
  if (event.kind == EventKind::kPacket) return TakePacket(event);
  uint32_t number = 0;
  SeenFlow* flow = Find(event, &number);
  if (flow == nullptr) return;
  if (event.kind == EventKind::kStreamHole) flow->missing[event.direction] += event.size;
  if (event.kind == EventKind::kStreamConflict) ++flow->conflicts;
  if (event.kind != EventKind::kStreamData) return;
  const PayloadPattern pattern(profile_.seed, number, event.direction);
  flow->delivered[event.direction] += event.size;
  flow->wrong += pattern.Matching(event.offset, {event.data, event.size}) != event.size;
}

void EngineRun::TakePacket(const Event& event) {
  uint32_t number = 0;
  SeenFlow* flow = Find(event, &number);
  const Packet& packet = *event.packet;
  if (flow == nullptr || packet.protocol == ip_protocol::kTcp || number == kProbeFlow) return;
  const PayloadPattern pattern(profile_.seed, number, event.direction);
  const std::span payload(packet.payload, packet.payload_length);
  const std::optional<uint64_t> offset = pattern.DatagramOffset(payload);
  flow->delivered[event.direction] += payload.size();
  flow->wrong += !offset || pattern.Matching(*offset, payload) != payload.size();
}

void EngineRun::TakeRecord(const FlowRecord& record) {
  const std::optional<uint32_t> number = FlowNumberOf(profile_, record.key);
  if (!number) {
    ++strangers_;
    return;
  }
  SeenFlow& flow = flows_[*number];
  ++flow.records;
  flow.record = record;
  for (size_t side = 0; side < 2; ++side) {
    flow.packets[side] += record.packets[side];
    flow.wire_bytes[side] += record.bytes[side];
  }
}

namespace {

void ExpectFlow(const FlowTruth& truth, const SeenFlow& seen) {
  const bool tcp = truth.protocol == ip_protocol::kTcp;
  EXPECT_EQ(seen.records, 1u);
  EXPECT_EQ(seen.wrong, 0u);
  EXPECT_EQ(seen.conflicts, 0u);
  EXPECT_EQ(seen.record.key.protocol, truth.protocol);
  for (size_t side = 0; side < 2; ++side) {
    SCOPED_TRACE(::testing::Message() << "direction " << side);
    EXPECT_EQ(seen.packets[side], truth.packets[side]);
    EXPECT_EQ(seen.wire_bytes[side], truth.wire_bytes[side]);
    EXPECT_EQ(seen.delivered[side] + seen.missing[side], truth.stream_bytes[side]);
    EXPECT_EQ(seen.missing[side], truth.missing_bytes[side]);
  }
  if (tcp) {
    EXPECT_EQ(seen.record.end == FlowEnd::kFin, truth.fate == FlowFate::kFin);
    EXPECT_EQ(seen.record.end == FlowEnd::kRst, truth.fate == FlowFate::kRst);
  }
}

// One packet each, which bears the first datagram of its flow.
void ExpectFloods(const Truth& truth, const EngineRun& run) {
  uint64_t syns = 0, collisions = 0;
  for (const auto& [number, seen] : run.flows()) {
    const FlowKind kind = KindOf(number);
    if (kind == FlowKind::kOrdinary) continue;
    EXPECT_EQ(seen.records, 1u);
    EXPECT_EQ(seen.wrong, 0u);
    EXPECT_EQ(seen.packets[0], kind == FlowKind::kProbe ? truth.probes : 1);
    EXPECT_EQ(seen.packets[1], 0u);
    syns += kind == FlowKind::kSynFlood;
    collisions += kind == FlowKind::kCollisionFlood;
    EXPECT_NE(kind, FlowKind::kFragmentFlood);
  }
  EXPECT_EQ(syns, truth.syn_flood);
  EXPECT_EQ(collisions, truth.collision_flood);
}

}  // namespace

void ExpectTruth(const TrafficModel& model, EngineRun& run) {
  const Truth& truth = model.truth();
  const Ledger& ledger = run.shard().ledger();
  EXPECT_EQ(truth.frames, model.profile().packets);
  EXPECT_EQ(ledger.received, truth.frames);
  EXPECT_EQ(ledger.received_bytes, truth.wire_bytes);
  EXPECT_EQ(ledger.FragmentDroppedTotal(), truth.unfinished_fragments);
  EXPECT_EQ(ledger.tracked, truth.frames - truth.unfinished_fragments);
  for (const uint64_t count : ledger.anomaly) EXPECT_EQ(count, 0u);
  EXPECT_EQ(ledger.streams.RefusedTotal(), 0u);
  EXPECT_EQ(run.strangers(), 0u);
  const uint64_t others = truth.syn_flood + truth.collision_flood + (truth.probes != 0 ? 1 : 0);
  EXPECT_EQ(run.flows().size(), truth.flows.size() + others);
  for (uint32_t number = 0; number < truth.flows.size(); ++number) {
    SCOPED_TRACE(::testing::Message() << "flow " << number);
    const auto seen = run.flows().find(number);
    ASSERT_NE(seen, run.flows().end());
    ExpectFlow(truth.flows[number], seen->second);
    if (::testing::Test::HasFailure()) return;  // the first one says enough
  }
  ExpectFloods(truth, run);
}

Truth RunAndExpectTruth(const TrafficProfile& profile) {
  auto model = TrafficModel::Create(profile);
  EXPECT_TRUE(model.ok()) << model.status();
  if (!model.ok()) return {};
  EngineRun run(**model);
  ExpectTruth(**model, run);
  return (*model)->truth();
}

}  // namespace weir::load
