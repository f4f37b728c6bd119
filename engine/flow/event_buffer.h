// The events of one batch, in memory that is taken once.
//
// Lifetime: events and records live until Clear. Thread: one. Room: a batch of kBatchFrames packets
// always fits into an empty buffer; other producers ask HasRoom first.
#pragma once

#include <span>
#include <vector>

#include "engine/flow/event.h"

namespace weir {

class EventBuffer {
 public:
  // The most events that one packet brings: an old flow's end, an evicted one's, the start, an
  // interim record, the handshake, who began, the packet, the segment; the frame; and two streams'
  // ends for each flow that ends.
  static constexpr size_t kEventsPerPacket = 13;
  static constexpr size_t kRecordsPerPacket = 6;
  static constexpr size_t kSpareRecords = 192;  // for flows that end without a packet
  static constexpr size_t kEventsPerEnd = 5;    // the record, two streams' last holes and ends
  static constexpr size_t kMostEnds = kBatchFrames * kRecordsPerPacket + kSpareRecords;

  // `stream_events`: FlowTracker::MostStreamEvents.
  explicit EventBuffer(uint32_t mask, size_t stream_events = 0)
      : mask_(mask),
        events_(kBatchFrames * kEventsPerPacket + kMostEnds * kEventsPerEnd + stream_events + 1),
        records_(kMostEnds) {}

  bool Wants(EventKind kind) const { return (mask_ & event_mask::Of(kind)) != 0; }
  bool HasRoom() const { return record_count_ < records_.size() && end_count_ < kMostEnds; }

  Event& Add(EventKind kind) {
    Event& event = events_[event_count_++];
    event = Event{};
    event.kind = kind;
    return event;
  }
  // A record for an event that carries one; its fields are those of an older flow until the caller
  // writes them.
  FlowRecord& AddRecord() { return records_[record_count_++]; }

  // A flow has ended: with its streams' last bytes, which have room of their own, whatever the
  // mask.
  void CountEnd() { ++end_count_; }

  void Clear() { event_count_ = record_count_ = end_count_ = 0; }
  std::span<const Event> events() const { return {events_.data(), event_count_}; }
  uint32_t mask() const { return mask_; }

 private:
  uint32_t mask_;
  size_t event_count_ = 0;
  size_t record_count_ = 0;
  size_t end_count_ = 0;
  std::vector<Event> events_;
  std::vector<FlowRecord> records_;
};

}  // namespace weir
