// Feeds a FlowTracker with TCP segments made by hand, and keeps the streams that come out: each
// direction's bytes, with "[n]" where n bytes were lost.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/flow/flow_tracker.h"
#include "tests/support/flow_feeder.h"

namespace weir::test {

class StreamFeeder {
 public:
  static constexpr uint32_t kEvents = event_mask::kStreams | event_mask::kRecords;

  static FlowOptions Options() {
    FlowOptions options;
    options.max_flows = 64;
    options.streams.emplace();
    options.streams->memory_bytes = 8u << 20;
    return options;
  }

  explicit StreamFeeder(const FlowOptions& options = Options(), uint32_t events = kEvents)
      : tracker_(*FlowTracker::Create(options)), events_(events, tracker_->MostStreamEvents()) {}

  // One segment; `acknowledgement` is sent with kAck only.
  void Send(const Sender& sender, uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
            std::string_view payload = {}, uint8_t packet_flags = 0) {
    senders_.push_back(sender);
    Packet packet;
    packet.source = senders_.back().source.data();
    packet.destination = senders_.back().destination.data();
    packet.source_port = sender.source_port;
    packet.destination_port = sender.destination_port;
    packet.protocol = ip_protocol::kTcp;
    packet.family = sender.family;
    packet.timestamp_ns = time_ns_ += 1000;
    packet.flags = packet_flag::kTcpFields | packet_flags;
    packet.tcp_flags = flags;
    packet.tcp_seq = sequence;
    packet.tcp_ack = acknowledgement;
    packet.payload = reinterpret_cast<const uint8_t*>(payload.data());
    packet.payload_length = packet.payload_wire_length = static_cast<uint32_t>(payload.size());
    packet.wire_length = 54 + packet.payload_length;
    const Frame frame;
    Begin();
    tracker_->Track({&frame, 1}, {&packet, 1}, events_);
    Note();
  }

  void Pass(int64_t time_ns) {
    time_ns_ += time_ns;
    tracker_->AdvanceTo(time_ns_);
    for (bool more = true; more;) {
      Begin();
      more = tracker_->Expire(events_);
      Note();
    }
  }

  void Flush() {
    for (bool more = true; more;) {
      Begin();
      more = tracker_->Flush(events_);
      Note();
    }
  }

  FlowTracker& tracker() { return *tracker_; }
  StreamCounters counters() const { return tracker_->stream_counters(); }
  // Of all flows together, in the order of arrival; by direction.
  const std::string& bytes(int direction) const { return bytes_[direction]; }
  const std::vector<FlowRecord>& ended() const { return ended_; }
  // Without records and data, which may point at what is gone.
  const std::vector<Event>& events() const { return kept_; }
  std::vector<Event> Events(EventKind kind) const {
    std::vector<Event> found;
    for (const Event& event : kept_) {
      if (event.kind == kind) found.push_back(event);
    }
    return found;
  }
  // What the consumer does with each event, while it lives.
  std::function<void(const Event&)> on_event;

 private:
  void Begin() {
    events_.Clear();
    tracker_->Release();
  }

  void Note() {
    for (const Event& event : events_.events()) {
      if (on_event) on_event(event);
      if (event.kind == EventKind::kStreamData)
        bytes_[event.direction].append(reinterpret_cast<const char*>(event.data), event.size);
      if (event.kind == EventKind::kStreamHole)
        absl::StrAppend(&bytes_[event.direction], "[", event.size, "]");
      if (event.kind == EventKind::kFlowEnded) ended_.push_back(*event.record);
      kept_.push_back(event);
      kept_.back().record = nullptr;
      kept_.back().data = nullptr;
    }
    const StreamCounters now = counters();
    if (!now.Balanced()) ADD_FAILURE() << "the ledger of streams does not add up";
  }

  std::unique_ptr<FlowTracker> tracker_;
  EventBuffer events_;
  std::deque<Sender> senders_;
  int64_t time_ns_ = 1000 * kSecond;
  std::array<std::string, 2> bytes_;
  std::vector<FlowRecord> ended_;
  std::vector<Event> kept_;
};

}  // namespace weir::test
