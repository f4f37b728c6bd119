#include "rings/frame_expression.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::AsFrame;
using test::Bytes;
using test::PacketBuilder;
using ::testing::HasSubstr;

bool Matches(const std::string& expression, const Frame& frame) {
  auto compiled = FrameExpression::Compile(expression, link_type::kEthernet);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return compiled.ok() && (*compiled)->Matches(frame);
}

TEST(FrameExpression, JudgesFramesOfItsLanguage) {
  const Bytes bytes =
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 53).Payload(9).Build();
  EXPECT_TRUE(Matches("udp port 53", AsFrame(bytes)));
  EXPECT_FALSE(Matches("tcp", AsFrame(bytes)));
}

TEST(FrameExpression, IsCompiledForEachLinkType) {
  const Bytes ethernet = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 53).Build();
  const Bytes raw = PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 53).Build();
  auto expression = FrameExpression::Compile("udp port 53");
  ASSERT_TRUE(expression.ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE((*expression)->Matches(AsFrame(ethernet)));
    EXPECT_TRUE((*expression)->Matches(AsFrame(raw, link_type::kRaw)));
    EXPECT_FALSE((*expression)->Matches(AsFrame(raw)));
  }
}

TEST(FrameExpression, WhatALinkTypeCannotHaveDoesNotMatch) {
  const Bytes raw = PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 53).Build();
  EXPECT_FALSE(Matches("ether host 02:00:00:00:00:01", AsFrame(raw, link_type::kRaw)));
}

TEST(FrameExpression, AStrippedTagIsSeenWhereItStoodOnTheWire) {
  const Bytes bytes = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 53).Build();
  Frame frame = AsFrame(bytes);
  EXPECT_FALSE(Matches("vlan", frame));
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 7;
  EXPECT_TRUE(Matches("vlan 7 and udp port 53", frame));
  EXPECT_FALSE(Matches("vlan 8", frame));
  EXPECT_FALSE(Matches("udp port 53", frame)) << "as in a capture file";
  EXPECT_TRUE(Matches("ether[12:4] = 0x81000007", frame));
}

TEST(FrameExpression, WhatOnlyTheKernelKnowsIsAnError) {
  for (const char* const expression : {"inbound", "udp or outbound"}) {
    const absl::Status status = FrameExpression::Compile(expression).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << expression;
    EXPECT_THAT(std::string(status.message()), HasSubstr("packet sockets only"));
  }
}

TEST(FrameExpression, ErrorsNameTheExpressionAndLibpcapsReason) {
  const std::string message(FrameExpression::Compile("port hello!").status().message());
  EXPECT_THAT(message, HasSubstr("port hello!"));
  EXPECT_THAT(message, HasSubstr("pcap-filter(7)"));
}

}  // namespace
}  // namespace weir
