#include "tests/support/rich_traffic.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace weir::test {
namespace {

constexpr uint8_t kFin = 0x01, kSyn = 0x02, kPush = 0x08, kAck = 0x10;

class Conversation {
 public:
  Conversation(int number, Richness richness)
      : number_(number), all_(richness == Richness::kAll), ipv6_(number % 3 == 2) {}

  std::vector<Bytes> Frames() const {
    std::vector<Bytes> frames;
    AddTcp(frames);
    for (const bool back : {false, true, false}) {
      frames.push_back(Ip(Link(), back).Udp(Port(back), Port(!back)).Payload(50).Build());
    }
    for (const bool back : {false, true}) frames.push_back(Echo(back));
    if (!all_) return frames;
    AddFragments(frames);
    frames.push_back(Error(frames[1]));
    return frames;
  }

 private:
  std::string Client() const {
    return ipv6_ ? absl::StrCat("fd00::1:", number_ + 1) : absl::StrCat("10.1.0.", number_ + 1);
  }
  std::string Server() const { return ipv6_ ? "fd00::2:1" : "10.2.0.1"; }
  uint16_t Port(bool server) const { return server ? 443 : static_cast<uint16_t>(2000 + number_); }

  PacketBuilder Link() const {
    PacketBuilder builder;
    builder.Ethernet();
    switch (number_ % (all_ ? 5 : 2)) {
      case 0:
        return builder;
      case 1:
        return builder.Vlan(7);
      case 2:
        return builder.Ipv4("10.9.0.1", "10.9.0.2").GreKey(3);
      case 3:
        return builder.Vlan(7, 0x88a8).Vlan(8).Ipv4("10.9.0.1", "10.9.0.2").Gre();
      default:
        return builder.Ipv4("10.9.0.3", "10.9.0.4").Udp(5555, 4789).Vxlan(77).Ethernet();
    }
  }
  PacketBuilder Ip(PacketBuilder builder, bool back) const {
    const std::string from = back ? Server() : Client(), to = back ? Client() : Server();
    return ipv6_ ? builder.Ipv6(from, to) : builder.Ipv4(from, to);
  }

  struct Step {
    bool back;
    uint8_t flags;
    uint32_t at;  // relative sequence number
    uint32_t acknowledged;
    size_t payload;
  };
  // A handshake; a segment in order, one too early, the one before it, one again; the end.
  void AddTcp(std::vector<Bytes>& frames) const {
    constexpr Step kSteps[] = {{false, kSyn, 0, 0, 0},
                               {true, kSyn | kAck, 0, 1, 0},
                               {false, kAck, 1, 1, 0},
                               {false, kAck | kPush, 1, 1, 300},
                               {true, kAck, 1, 301, 0},
                               {true, kAck | kPush, 501, 301, 200},
                               {true, kAck | kPush, 1, 301, 500},
                               {true, kAck | kPush, 501, 301, 200},
                               {false, kAck, 301, 701, 0},
                               {false, kFin | kAck, 301, 701, 0},
                               {true, kFin | kAck, 701, 302, 0},
                               {false, kAck, 302, 702, 0}};
    for (const Step& step : kSteps) {
      const uint32_t base = step.back ? 90'000 : 5'000, other = step.back ? 5'000 : 90'000;
      const TcpFields fields = {.seq = base + step.at,
                                .ack = (step.flags & kAck) != 0 ? other + step.acknowledged : 0,
                                .flags = step.flags};
      frames.push_back(Ip(Link(), step.back)
                           .Tcp(Port(step.back), Port(!step.back), fields)
                           .Payload(step.payload, static_cast<uint8_t>(step.at))
                           .Build());
    }
  }
  Bytes Echo(bool back) const {
    const auto identifier = static_cast<uint16_t>(number_);
    PacketBuilder builder = Ip(Link(), back);
    if (ipv6_) {
      builder.Icmpv6(back ? 129 : 128, 0, identifier, 1);
    } else {
      builder.Icmp(back ? 0 : 8, 0, identifier, 1);
    }
    return builder.Payload(40).Build();
  }
  // A datagram in three pieces.
  void AddFragments(std::vector<Bytes>& frames) const {
    PacketBuilder whole;
    const Bytes header = Ip(std::move(whole), false).Build();
    PacketBuilder again;
    Bytes datagram = Ip(std::move(again), false).Udp(Port(false), Port(true)).Payload(2800).Build();
    datagram.erase(datagram.begin(), datagram.begin() + static_cast<ptrdiff_t>(header.size()));
    constexpr size_t kPiece = 1000;
    for (size_t at = 0; at < datagram.size(); at += kPiece) {
      const size_t end = std::min(at + kPiece, datagram.size());
      const auto offset = static_cast<uint32_t>(at);
      PacketBuilder builder = Ip(Link(), false);
      if (ipv6_) {
        builder.Fragment(static_cast<uint32_t>(number_), offset, end < datagram.size());
      } else {
        builder.Ipv4Fragment(static_cast<uint16_t>(number_), offset, end < datagram.size());
      }
      frames.push_back(builder
                           .Payload(Bytes(datagram.begin() + static_cast<ptrdiff_t>(at),
                                          datagram.begin() + static_cast<ptrdiff_t>(end)))
                           .Build());
    }
  }
  // A router tells the client that a packet did not get through. Not in the conversation's tunnel.
  Bytes Error(const Bytes& about) const {
    const size_t size = (ipv6_ ? 40 : 20) + 20;  // IP, TCP: it carries no payload
    const Bytes quoted(about.end() - static_cast<ptrdiff_t>(size), about.end());
    PacketBuilder builder;
    builder.Ethernet();
    if (ipv6_) {
      builder.Ipv6(absl::StrCat("fd00::4:", number_ + 1), Client()).Icmpv6(3, 0);
    } else {
      builder.Ipv4(absl::StrCat("10.4.0.", number_ + 1), Client()).Icmp(11, 0);
    }
    return builder.Payload(quoted).Build();
  }

  int number_;
  bool all_;
  bool ipv6_;
};

}  // namespace

std::vector<Bytes> RichTraffic(Richness richness) {
  std::vector<std::vector<Bytes>> conversations;
  for (int i = 0; i < kRichConversations; ++i) {
    conversations.push_back(Conversation(i, richness).Frames());
  }
  std::vector<Bytes> frames;
  bool more = true;
  for (size_t round = 0; more; ++round) {
    more = false;
    for (const std::vector<Bytes>& own : conversations) {
      if (round >= own.size()) continue;
      frames.push_back(own[round]);
      more = true;
    }
  }
  return frames;
}

}  // namespace weir::test
