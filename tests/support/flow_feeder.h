// Feeds a FlowTracker with packets made by hand, one at a time or in batches, and keeps what it
// reports.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/flow/flow_tracker.h"

namespace weir::test {

inline constexpr int64_t kMillisecond = 1'000'000;
inline constexpr int64_t kSecond = 1'000'000'000;

// One side of a conversation to the other; addresses are kept here, packets point at them.
struct Sender {
  std::array<uint8_t, 16> source{};
  std::array<uint8_t, 16> destination{};
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint8_t protocol = ip_protocol::kUdp;
  AddressFamily family = AddressFamily::kIpv4;

  Sender Reverse() const {
    return {destination, source, destination_port, source_port, protocol, family};
  }
};

inline Sender MakeSender(uint8_t protocol, uint32_t source, uint16_t source_port,
                         uint32_t destination, uint16_t destination_port) {
  Sender sender;
  sender.protocol = protocol;
  sender.source_port = source_port;
  sender.destination_port = destination_port;
  const uint32_t addresses[2] = {htonl(source), htonl(destination)};
  __builtin_memcpy(sender.source.data(), &addresses[0], 4);
  __builtin_memcpy(sender.destination.data(), &addresses[1], 4);
  return sender;
}

// IPv6: the two numbers become the last four bytes of fd00::/8 addresses.
inline Sender MakeSender6(uint8_t protocol, uint32_t source, uint16_t source_port,
                          uint32_t destination, uint16_t destination_port) {
  Sender sender = MakeSender(protocol, source, source_port, destination, destination_port);
  sender.family = AddressFamily::kIpv6;
  for (auto* address : {&sender.source, &sender.destination}) {
    std::array<uint8_t, 16> wide{};
    wide[0] = 0xfd;
    __builtin_memcpy(wide.data() + 12, address->data(), 4);
    *address = wide;
  }
  return sender;
}

struct Segment {
  uint8_t flags = tcp_flag::kAck;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint32_t payload = 0;  // bytes
};

class FlowFeeder {
 public:
  static constexpr uint32_t kAllFlowEvents = event_mask::kFlows;

  explicit FlowFeeder(const FlowOptions& options = {}, uint32_t mask = kAllFlowEvents)
      : tracker_(*FlowTracker::Create(options)), events_(mask) {}

  FlowTracker& tracker() { return *tracker_; }
  const FlowCounters& counters() const { return tracker_->counters(); }

  Packet Make(const Sender& sender, int64_t time_ns, uint32_t wire_length = 60) {
    if (addresses_.size() == 4096) addresses_.pop_front();
    Addresses& addresses = addresses_.emplace_back();
    const size_t size = sender.family == AddressFamily::kIpv4 ? 4 : 16;
    __builtin_memcpy(addresses.data(), sender.source.data(), size);
    __builtin_memcpy(addresses.data() + size, sender.destination.data(), size);
    Packet packet;
    packet.source = addresses.data();
    packet.destination = addresses.data() + size;
    packet.source_port = sender.source_port;
    packet.destination_port = sender.destination_port;
    packet.protocol = sender.protocol;
    packet.family = sender.family;
    packet.timestamp_ns = time_ns;
    packet.wire_length = wire_length;
    return packet;
  }

  void Send(const Sender& sender, int64_t time_ns, uint32_t wire_length = 60) {
    Track(Make(sender, time_ns, wire_length));
  }

  void SendTcp(const Sender& sender, int64_t time_ns, const Segment& segment) {
    Packet packet = Make(sender, time_ns, 54 + segment.payload);
    packet.flags = packet_flag::kTcpFields;
    packet.tcp_flags = segment.flags;
    packet.tcp_seq = segment.sequence;
    packet.tcp_ack = segment.acknowledgement;
    packet.payload_length = packet.payload_wire_length = segment.payload;
    Track(packet);
  }

  // Tracks one packet; its events are kept.
  Verdict Track(const Packet& packet) {
    Packet copy = packet;
    const Frame frame;
    events_.Clear();
    tracker_->Track({&frame, 1}, {&copy, 1}, events_);
    Keep();
    return copy.verdict;
  }

  // Tracks one batch, which is written to; its events are kept.
  void TrackBatch(std::span<Packet> packets) {
    const std::vector<Frame> frames(packets.size());
    events_.Clear();
    tracker_->Track(frames, packets, events_);
    Keep();
  }

  void AdvanceTo(int64_t time_ns) {
    tracker_->AdvanceTo(time_ns);
    bool more = true;
    while (more) {
      events_.Clear();
      more = tracker_->Expire(events_);
      Keep();
    }
  }

  void Flush() {
    bool more = true;
    while (more) {
      events_.Clear();
      more = tracker_->Flush(events_);
      Keep();
    }
  }

  struct Kept {
    EventKind kind;
    FlowRecord record;
  };
  const std::vector<Kept>& kept() const { return kept_; }
  std::vector<FlowRecord> Ended() const { return Records(EventKind::kFlowEnded); }
  std::vector<FlowRecord> Records(EventKind kind) const {
    std::vector<FlowRecord> records;
    for (const Kept& kept : kept_) {
      if (kept.kind == kind) records.push_back(kept.record);
    }
    return records;
  }
  size_t Count(EventKind kind) const { return Records(kind).size(); }
  void Forget() { kept_.clear(); }

 private:
  using Addresses = std::array<uint8_t, 32>;  // one behind the other, as in a header
  void Keep() {
    for (const Event& event : events_.events()) {
      if (event.record != nullptr) kept_.push_back({event.kind, *event.record});
    }
  }

  std::unique_ptr<FlowTracker> tracker_;
  EventBuffer events_;
  std::deque<Addresses> addresses_;  // that packets point at
  std::vector<Kept> kept_;
};

}  // namespace weir::test
