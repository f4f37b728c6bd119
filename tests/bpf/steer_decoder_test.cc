// The decoder says to which flow a frame belongs; the program must steer by that flow's addresses.
#include <random>

#include "engine/packet/decoder.h"
#include "engine/packet/tunnel_path.h"
#include "tests/bpf/steer_fixture.h"

namespace weir::test {
namespace {

// Random stacks of what both know.
class RandomFrame {
 public:
  explicit RandomFrame(uint32_t seed) : random_(seed) {}

  Bytes Build() {
    PacketBuilder builder;
    builder.Ethernet();
    Tags(builder);
    Network(builder, 3);
    return builder.Payload(Below(100)).Build();
  }

 private:
  uint32_t Below(uint32_t limit) { return random_() % limit; }

  void Tags(PacketBuilder& builder) {
    for (uint32_t i = Below(3); i > 0; --i) builder.Vlan(static_cast<uint16_t>(Below(4096)));
    if (Below(6) == 0) builder.Mpls(16 + Below(100));
  }

  void Network(PacketBuilder& builder, int depth) {
    if (Below(3) == 0) {
      builder.Ipv6("2001:db8::" + std::to_string(Below(5)),
                   "2001:db8::" + std::to_string(Below(5)));
      if (Below(4) == 0) builder.HopByHop();
      if (Below(4) == 0) builder.DestinationOptions(16);
      if (Below(8) == 0) return Finish(builder.Fragment(7, Below(2) * 64, true, Protocol()));
    } else {
      builder.Ipv4("10.0.0." + std::to_string(Below(5)), "10.0.0." + std::to_string(Below(5)));
      if (Below(8) == 0) builder.Ipv4Options(Bytes(4 * Below(3), 1));
      if (Below(8) == 0) return Finish(builder.Ipv4Fragment(7, Below(2) * 64, true, Protocol()));
    }
    if (depth > 0) return Inside(builder, depth - 1);
    Finish(builder.Tcp(Port(), 1 + Below(100)));
  }

  uint8_t Protocol() {
    constexpr uint8_t kProtocols[] = {6, 17, 1, 4, 47, 132};
    return kProtocols[Below(6)];
  }
  uint16_t Port() { return static_cast<uint16_t>(1024 + Below(1000)); }
  void Finish(PacketBuilder& builder) { builder.Payload(64); }

  void Inside(PacketBuilder& builder, int depth) {
    switch (Below(11)) {
      case 0:
        return Network(builder, depth);
      case 1:
        return Network(builder.Gre(), depth);
      case 2:
        return Network(builder.GreKey(Below(9)), depth);
      case 3:
        builder.Udp(Port(), 4789).Vxlan(Below(9)).Ethernet();
        Tags(builder);
        return Network(builder, depth);
      case 4:
        return Network(builder.Udp(Port(), 6081).Geneve(Below(9), 4 * Below(4)), depth);
      case 5:
        return Network(builder.Udp(Port(), 2152).GtpU(Below(9)), depth);
      case 6:
        return Finish(builder.Udp(Port(), 6635));
      case 7:
        return Finish(builder.Icmp(8, 0));
      case 8:
        return Finish(builder.Sctp(1, 2));
      case 9:
        return Finish(builder.Udp(Port(), Port()));
      default:
        return Finish(builder.Tcp(Port(), Port()));
    }
  }

  std::mt19937 random_;
};

class SteerDecoderTest : public SteerTest {};

TEST_F(SteerDecoderTest, SteersByTheAddressesOfTheDecodersFlow) {
  constexpr int kFrames = 2000;
  RandomFrame random(1);
  const Decoder decoder;
  int compared = 0;
  for (int i = 0; i < kFrames && !HasFailure(); ++i) {
    const Bytes bytes = random.Build();
    Packet packet;
    TunnelPath path;
    decoder.Decode(AsFrame(bytes), packet, path);
    if (packet.verdict != Verdict::kTracked && packet.verdict != Verdict::kFragmentHeld) continue;
    const size_t size = packet.family == AddressFamily::kIpv6 ? 16 : 4;
    const uint64_t sum = AddressBytes(Bytes(packet.source, packet.source + size)) +
                         AddressBytes(Bytes(packet.destination, packet.destination + size));
    EXPECT_EQ(Steer(bytes), weir_steer_pair(sum)) << "frame " << i;
    ++compared;
  }
  EXPECT_GT(compared, kFrames * 9 / 10);
}

}  // namespace
}  // namespace weir::test
