// Transport checksums: which packets are verified, and which of them are found wrong.
#include "engine/packet/transport_checksum.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/packet/defragmenter.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

// A decoder, a defragmenter and the stage behind them, as in a shard.
class Stage {
 public:
  Packet Verify(const Bytes& bytes, ChecksumStatus status = ChecksumStatus::kUnknown,
                size_t cut = 0) {
    Frame frame = AsFrame(bytes);
    frame.checksum = status;
    frame.captured_length -= static_cast<uint32_t>(cut);
    Packet packet;
    decoder_.Decode(frame, packet, path_);
    defragmenter_.Apply({&frame, 1}, {&packet, 1}, {&path_, 1}, 0);
    VerifyTransportChecksums({&frame, 1}, {&packet, 1});
    return packet;
  }

 private:
  Decoder decoder_;
  Defragmenter defragmenter_{{}, decoder_};
  TunnelPath path_;
};

bool IsWrong(const Packet& packet) {
  const bool anomaly =
      (packet.anomalies & 1u << static_cast<unsigned>(Anomaly::kTransportChecksum)) != 0;
  EXPECT_EQ((packet.flags & packet_flag::kBadChecksum) != 0, anomaly);
  return anomaly;
}
bool IsWrong(const Bytes& bytes, ChecksumStatus status = ChecksumStatus::kUnknown) {
  return IsWrong(Stage().Verify(bytes, status));
}

// The same frame with its last byte changed on the way.
Bytes Damaged(Bytes bytes) {
  bytes.back() ^= 0x20;
  return bytes;
}

PacketBuilder Ethernet4() { return PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2"); }
PacketBuilder Ethernet6() { return PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2"); }

void ExpectFound(const Bytes& right) {
  EXPECT_FALSE(IsWrong(right));
  EXPECT_TRUE(IsWrong(Damaged(right)));
}

TEST(TransportChecksum, TcpOfAnyLength) {
  for (const size_t size : {0u, 1u, 2u, 3u, 63u, 64u, 65u, 1447u, 1448u, 9000u}) {
    SCOPED_TRACE(size);
    ExpectFound(Ethernet4().Tcp(1, 2).Payload(size).Build());
    ExpectFound(Ethernet6().Tcp(1, 2).Payload(size).Build());
  }
}

TEST(TransportChecksum, TcpWithOptions) {
  ExpectFound(Ethernet4().Tcp(1, 2, {.options = Bytes(40, 1)}).Payload(100).Build());
}

TEST(TransportChecksum, AnyByteOfAddressesAndHeaderCounts) {
  const Bytes right = Ethernet6().Tcp(1, 2).Payload(5).Build();
  for (size_t at = 14 + 8; at < right.size(); ++at) {
    if (at == 14 + 40 + 12) continue;  // the data offset: another anomaly
    Bytes wrong = right;
    wrong[at] ^= 0x01;
    EXPECT_TRUE(IsWrong(wrong)) << at;
  }
}

TEST(TransportChecksum, Udp) {
  ExpectFound(Ethernet4().Udp(1, 2).Payload(33).Build());
  ExpectFound(Ethernet6().Udp(1, 2).Payload(33).Build());
}

TEST(TransportChecksum, UdpSumsWhatItsOwnLengthSays) {
  Bytes bytes = Ethernet4().Udp(1, 2).Payload(33).Build();
  bytes.push_back(0x77);  // inside the IP datagram, behind UDP's
  bytes[14 + 3] += 1;
  EXPECT_FALSE(IsWrong(bytes));
}

TEST(TransportChecksum, UdpZeroIsNoneOverIpv4) {
  Bytes bytes = Ethernet4().Udp(1, 2).Payload(33).Build();
  bytes[14 + 20 + 6] = bytes[14 + 20 + 7] = 0;
  EXPECT_FALSE(IsWrong(bytes));
}

TEST(TransportChecksum, UdpZeroIsWrongOverIpv6ButForTunnels) {
  Bytes bytes = Ethernet6().Udp(1, 2).Payload(33).Build();
  bytes[14 + 40 + 6] = bytes[14 + 40 + 7] = 0;
  EXPECT_TRUE(IsWrong(bytes));
  bytes = Ethernet6().Udp(1, 4789).Payload(33).Build();
  bytes[14 + 40 + 6] = bytes[14 + 40 + 7] = 0;
  EXPECT_FALSE(IsWrong(bytes));
}

TEST(TransportChecksum, IcmpAndIcmpv6) {
  ExpectFound(Ethernet4().Icmp(8, 0, 1, 1).Payload(33).Build());
  ExpectFound(Ethernet6().Icmpv6(128, 0, 1, 1).Payload(33).Build());
}

TEST(TransportChecksum, PaddingBehindTheDatagramIsNotSummed) {
  ExpectFound(Ethernet4().Tcp(1, 2).Payload(1).Build());
  EXPECT_FALSE(IsWrong(Damaged(Ethernet4().Tcp(1, 2).Payload(1).Padding(5).Build())));
}

TEST(TransportChecksum, TheKernelsWordIsTaken) {
  const Bytes wrong = Damaged(Ethernet4().Tcp(1, 2).Payload(33).Build());
  EXPECT_TRUE(IsWrong(wrong, ChecksumStatus::kUnknown));
  EXPECT_FALSE(IsWrong(wrong, ChecksumStatus::kValid));
  EXPECT_FALSE(IsWrong(wrong, ChecksumStatus::kNotReady));
}

TEST(TransportChecksum, TheKernelDoesNotSpeakOfTheInsideOfATunnel) {
  const auto vxlan = Ethernet4()
                         .Udp(1, 4789)
                         .Vxlan(7)
                         .Ethernet()
                         .Ipv4("10.1.0.1", "10.1.0.2")
                         .Tcp(1, 2)
                         .Payload(33)
                         .Build();
  const auto ipip = Ethernet4().Ipv4("10.1.0.1", "10.1.0.2").Tcp(1, 2).Payload(33).Build();
  for (const Bytes& right : {vxlan, ipip}) {
    ExpectFound(right);
    EXPECT_FALSE(IsWrong(right, ChecksumStatus::kValid));
    EXPECT_TRUE(IsWrong(Damaged(right), ChecksumStatus::kValid));
    EXPECT_FALSE(IsWrong(Damaged(right), ChecksumStatus::kNotReady));
  }
}

TEST(TransportChecksum, TheKernelSpeaksOfAPacketBehindTags) {
  const Bytes right = PacketBuilder()
                          .Ethernet()
                          .Vlan(7)
                          .Mpls(16)
                          .Ipv4("10.0.0.1", "10.0.0.2")
                          .Tcp(1, 2)
                          .Payload(33)
                          .Build();
  ExpectFound(right);
  EXPECT_FALSE(IsWrong(Damaged(right), ChecksumStatus::kValid));
}

// A tunnel whose inside has no ports belongs to the UDP conversation around it.
TEST(TransportChecksum, TheKernelSpeaksOfTheConversationAroundAPing) {
  const Bytes right = Ethernet4()
                          .Udp(1, 4789)
                          .Vxlan(7)
                          .Ethernet()
                          .Ipv4("10.1.0.1", "10.1.0.2")
                          .Icmp(8, 0)
                          .Payload(33)
                          .Build();
  ExpectFound(right);
  EXPECT_FALSE(IsWrong(Damaged(right), ChecksumStatus::kValid));
}

TEST(TransportChecksum, TruncatedPacketsAreNotVerified) {
  const Bytes wrong = Damaged(Ethernet4().Tcp(1, 2).Payload(33).Build());
  EXPECT_FALSE(IsWrong(Stage().Verify(wrong, ChecksumStatus::kUnknown, 1)));
  EXPECT_FALSE(IsWrong(Stage().Verify(wrong, ChecksumStatus::kUnknown, 33 + 10)));
}

TEST(TransportChecksum, LengthsThatContradictEachOtherAreNotVerified) {
  Bytes tcp = Ethernet4().Tcp(1, 2).Payload(33).Build();
  tcp[14 + 20 + 12] = 0x40;
  EXPECT_FALSE(IsWrong(tcp));
  Bytes udp = Ethernet4().Udp(1, 2).Payload(33).Build();
  udp[14 + 20 + 5] += 1;
  EXPECT_FALSE(IsWrong(udp));
}

TEST(TransportChecksum, OtherProtocolsAreNotVerified) {
  EXPECT_FALSE(IsWrong(Damaged(Ethernet4().Sctp(1, 2).Payload(33).Build())));
}

// The transport part of a datagram, in frames of at most `size` bytes of it.
template <typename MakeFrame>
Packet VerifyInPieces(const Bytes& transport, size_t size, ChecksumStatus status,
                      MakeFrame make_frame) {
  Stage stage;
  Packet packet;
  for (size_t at = 0; at < transport.size(); at += size) {
    const size_t end = std::min(transport.size(), at + size);
    const Bytes piece(transport.begin() + static_cast<ptrdiff_t>(at),
                      transport.begin() + static_cast<ptrdiff_t>(end));
    packet =
        stage.Verify(make_frame(piece, static_cast<uint32_t>(at), end < transport.size()), status);
    EXPECT_TRUE(end == transport.size() || !IsWrong(packet));
  }
  EXPECT_EQ(packet.verdict, Verdict::kTracked);
  return packet;
}

TEST(TransportChecksum, DatagramsPutTogetherFromFragmentsAreVerified) {
  const Bytes whole = PacketBuilder()
                          .Ipv4("10.0.0.1", "10.0.0.2")
                          .Tcp(1, 2, {.options = Bytes(12, 1)})
                          .Payload(999)
                          .Build();
  const Bytes right(whole.begin() + 20, whole.end());
  const auto frame = [](const Bytes& piece, uint32_t offset, bool more) {
    return Ethernet4().Ipv4Fragment(7, offset, more, 6).Payload(piece).Build();
  };
  for (const auto status : {ChecksumStatus::kUnknown, ChecksumStatus::kValid}) {
    EXPECT_FALSE(IsWrong(VerifyInPieces(right, 400, status, frame)));
    EXPECT_TRUE(IsWrong(VerifyInPieces(Damaged(right), 400, status, frame)));
  }
}

TEST(TransportChecksum, Ipv6DatagramsPutTogetherAreVerified) {
  const Bytes whole = PacketBuilder()
                          .Ipv6("2001:db8::1", "2001:db8::2")
                          .DestinationOptions()
                          .Udp(1, 2)
                          .Payload(999)
                          .Build();
  const Bytes right(whole.begin() + 40, whole.end());
  const auto frame = [](const Bytes& piece, uint32_t offset, bool more) {
    return Ethernet6().HopByHop().Fragment(7, offset, more, 60).Payload(piece).Build();
  };
  EXPECT_FALSE(IsWrong(VerifyInPieces(right, 400, ChecksumStatus::kUnknown, frame)));
  EXPECT_TRUE(IsWrong(VerifyInPieces(Damaged(right), 400, ChecksumStatus::kUnknown, frame)));
}

TEST(TransportChecksum, Ipv6ExtensionHeadersAreNotSummed) {
  ExpectFound(Ethernet6().HopByHop().DestinationOptions().Tcp(1, 2).Payload(33).Build());
}

// RFC 8200 section 8.1: the sender sums the last address of the route.
TEST(TransportChecksum, APacketOnARouteIsNotVerifiedUntilTheRouteEnds) {
  Bytes bytes = Ethernet6().HopByHop().Routing().Tcp(1, 2).Payload(33).Build();
  ExpectFound(bytes);
  bytes[14 + 40 + 8 + 3] = 1;  // segments left
  EXPECT_FALSE(IsWrong(Damaged(bytes)));
}

TEST(TransportChecksum, AnIpv4PacketOnASourceRouteIsNotVerifiedUntilItEnds) {
  Bytes options = {1, 131, 7, 4, 10, 9, 9, 9};
  EXPECT_FALSE(IsWrong(Damaged(Ethernet4().Ipv4Options(options).Tcp(1, 2).Payload(33).Build())));
  options[3] = 8;
  ExpectFound(Ethernet4().Ipv4Options(options).Tcp(1, 2).Payload(33).Build());
}

}  // namespace
}  // namespace weir::test
