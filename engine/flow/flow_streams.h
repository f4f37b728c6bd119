// The streams of a tracker's flows: takes each flow's segments to the reassembler, and what it
// tells to the consumer. Private to engine/flow.
//
// Thread: the tracker's. Memory: taken in Create.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "engine/flow/event_buffer.h"
#include "engine/flow/flow_clock.h"
#include "engine/flow/flow_table.h"
#include "engine/packet/packet.h"
#include "engine/tcp/reassembler.h"

namespace weir {

class FlowStreams final : public StreamSink {
 public:
  // `table` and `clock` are the tracker's, and outlive this object.
  static absl::StatusOr<std::unique_ptr<FlowStreams>> Create(const StreamOptions& options,
                                                             FlowTable& table,
                                                             const FlowClock& clock);

  // Where events go from here on; null: nowhere.
  void Attach(EventBuffer* events);

  // A packet of a TCP flow, after the tracker has counted it. `time_ns` is of the flow clock.
  void Take(uint32_t slot, FlowHot& hot, const Packet& packet, int side, int64_t time_ns) {
    constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
    if ((hot.letters[side ^ 1] & history_bit::kWaiting) != 0) [[unlikely]] {
      Acknowledge(hot, packet, side, time_ns);
    }
    const uint32_t length = packet.payload_wire_length;
    const uint32_t odd = (packet.tcp_flags & kControl) | (hot.flags & flow_flag::kBypassed) |
                         (packet.payload_length ^ length);
    uint64_t offset;
    if (odd == 0 && hot.stream != kNoConnection && length != 0 &&
        reassembler_->InOrder(hot.stream, side, packet.tcp_seq, length, &offset)) [[likely]] {
      if (wants_data_) EmitInOrder(slot, hot, packet, side, offset);
    } else if (length != 0 || (packet.tcp_flags & tcp_flag::kFin) != 0) {
      TakeOdd(slot, hot, packet, side, time_ns);
    }
  }

  // Take for a plain segment.
  void TakePlain(uint32_t slot, FlowHot& hot, const Packet& packet, int side, int64_t time_ns) {
    const uint32_t length = packet.payload_length;
    const uint32_t odd =
        (hot.letters[side ^ 1] & history_bit::kWaiting) | (hot.flags & flow_flag::kBypassed);
    uint64_t offset;
    if (odd != 0 || (length != 0 && hot.stream == kNoConnection)) [[unlikely]]
      return Take(slot, hot, packet, side, time_ns);
    if (length == 0) return;
    if (!reassembler_->InOrder(hot.stream, side, packet.tcp_seq, length, &offset)) [[unlikely]]
      return TakeOdd(slot, hot, packet, side, time_ns);
    if (wants_data_) EmitInOrder(slot, hot, packet, side, offset);
  }

  // Payload that the tracker kept from the streams.
  void Refuse(const Packet& packet, Refused reason);

  // The first some packets before Take, the second some packets after the first.
  void Prefetch(const FlowHot& hot, int side) const {
    if (hot.stream != kNoConnection) reassembler_->Prefetch(hot.stream, side);
  }
  void PrefetchEarly(const FlowHot& hot, const Packet& packet, int side) const {
    if (hot.stream == kNoConnection || packet.payload_length == 0) return;
    reassembler_->PrefetchEarly(hot.stream, side, packet.tcp_seq, packet.payload,
                                packet.payload_length);
  }

  // The flow in `slot` ends.
  void Close(uint32_t slot, StreamEnd end, int64_t time_ns);
  void Stop(FlowHot& hot, int side);
  bool LimitDepth(uint32_t slot, FlowHot& hot, int side, uint64_t depth);
  bool Keep(const FlowHot& hot, int side, const StreamData& data, uint32_t size);

  void Expire(int64_t now_ns) { reassembler_->Expire(now_ns); }
  int64_t NextExpiry() const { return reassembler_->NextExpiry(); }
  void Release() {
    reassembler_->Release();
    conflicts_ = 0;
  }

  StreamTotals totals(const FlowHot& hot, int side) const;
  StreamCounters counters() const;
  // The most events that one batch may bring besides those of EventBuffer itself.
  size_t MostEvents() const;
  static constexpr size_t kMostConflicts = 32 * kBatchFrames;

  void OnData(uint32_t owner, int side, const StreamData& data) override;
  void OnHole(uint32_t owner, int side, const StreamHole& hole) override;
  void OnConflict(uint32_t owner, int side, const StreamConflict& conflict) override;
  void OnEnd(uint32_t owner, int side, StreamEnd end, uint64_t offset, int64_t time_ns) override;
  void OnWaiting(uint32_t owner, int side, bool waiting) override;

 private:
  FlowStreams(FlowTable& table, const FlowClock& clock) : table_(table), clock_(clock) {}
  void Acknowledge(const FlowHot& hot, const Packet& packet, int side, int64_t time_ns);
  void TakeOdd(uint32_t slot, FlowHot& hot, const Packet& packet, int side, int64_t time_ns);
  void EmitInOrder(uint32_t slot, const FlowHot& hot, const Packet& packet, int side,
                   uint64_t offset);
  bool Wants(EventKind kind) const { return events_ != nullptr && events_->Wants(kind); }
  Event& Add(EventKind kind, uint32_t slot, const FlowHot& hot, int side, int64_t time_ns);
  Event& Tell(EventKind kind, uint32_t slot, int side, int64_t flow_time_ns);

  FlowTable& table_;
  const FlowClock& clock_;
  std::unique_ptr<Reassembler> reassembler_;
  EventBuffer* events_ = nullptr;
  bool wants_data_ = false;
  size_t conflicts_ = 0;    // reported in this batch
  StreamCounters refused_;  // payload that never came to the reassembler
};

}  // namespace weir
