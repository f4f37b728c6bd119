// Shorthand of the defragmenter's tests: datagrams cut into frames, and a defragmenter that is fed
// with them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/packet/defragmenter.h"
#include "tests/engine/packet/decoding.h"

namespace weir::test {

// A datagram's payload cut into frames.
struct Cut {
  uint32_t offset;
  Bytes bytes;
  bool more;
};

inline Bytes UdpDatagram(size_t payload, uint16_t source = 1000) {
  const Bytes packet =
      PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(source, 2000).Payload(payload).Build();
  return Bytes(packet.begin() + 20, packet.end());
}

inline std::vector<Cut> CutUp(const Bytes& datagram, size_t size) {
  std::vector<Cut> cuts;
  for (size_t at = 0; at < datagram.size(); at += size) {
    const size_t end = std::min(datagram.size(), at + size);
    cuts.push_back({static_cast<uint32_t>(at),
                    Bytes(datagram.begin() + static_cast<ptrdiff_t>(at),
                          datagram.begin() + static_cast<ptrdiff_t>(end)),
                    end < datagram.size()});
  }
  return cuts;
}

inline PacketBuilder Ethernet() {
  static const PacketBuilder link = PacketBuilder().Ethernet();  // its addresses are parsed once
  return link;
}

inline Bytes Frame4(const Cut& cut, uint16_t id = 7, PacketBuilder link = Ethernet(),
                    uint8_t protocol = 17) {
  return link.Ipv4("10.0.0.1", "10.0.0.2")
      .Ipv4Fragment(id, cut.offset, cut.more, protocol)
      .Payload(cut.bytes)
      .Build();
}

inline Bytes Frame6(const Cut& cut, uint32_t id = 7, uint8_t next = 17) {
  return Ethernet()
      .Ipv6("2001:db8::1", "2001:db8::2")
      .Fragment(id, cut.offset, cut.more, next)
      .Payload(cut.bytes)
      .Build();
}

// A defragmenter behind a decoder, fed frame by frame; checks the ledger of fragments at each step.
class Bench {
 public:
  explicit Bench(const DefragmentOptions& options = {}) : defragmenter_(options, decoder_) {}

  const Packet& Feed(const Bytes& bytes, int64_t now_ns = 0, std::optional<uint32_t> captured = {},
                     std::optional<uint32_t> wire = {}) {
    defragmenter_.Release();
    bytes_ = bytes;
    Frame frame = AsFrame(bytes_, link_type::kEthernet, now_ns);
    if (captured) frame.captured_length = *captured;
    if (wire) frame.wire_length = *wire;
    decoder_.Decode(frame, packet_, path_);
    fed_ += packet_.verdict == Verdict::kFragmentHeld;
    const bool was_fragment = packet_.verdict == Verdict::kFragmentHeld;
    defragmenter_.Apply({&frame, 1}, {&packet_, 1}, {&path_, 1}, now_ns);
    if (was_fragment && packet_.verdict != Verdict::kFragmentHeld &&
        packet_.verdict != Verdict::kFragmentDropped) {
      moved_ += 1 + packet_.held_packets;
    }
    ExpectBalance();
    return packet_;
  }

  // Every fragment is held, dropped for a reason, or counted in a packet.
  void ExpectBalance() const {
    uint64_t dropped = 0;
    for (uint64_t count : counters().dropped) dropped += count;
    EXPECT_EQ(fed_, counters().held + dropped + moved_);
  }

  std::string_view payload() const {
    return {reinterpret_cast<const char*>(packet_.payload), packet_.payload_length};
  }
  uint64_t dropped(FragmentDrop reason) const {
    return counters().dropped[static_cast<size_t>(reason)];
  }
  const FragmentCounters& counters() const { return defragmenter_.counters(); }
  Defragmenter& defragmenter() { return defragmenter_; }
  const Packet& packet() const { return packet_; }

 private:
  const Decoder decoder_;
  Defragmenter defragmenter_;
  Bytes bytes_;
  Packet packet_;
  TunnelPath path_;
  uint64_t fed_ = 0;
  uint64_t moved_ = 0;
};

}  // namespace weir::test
