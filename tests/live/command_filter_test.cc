// The command's filters on an interface, from outside: where they run, what they count, and lists
// that are read anew on SIGHUP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

class CommandFilterTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    eve_ = folder_.File("eve.json");
    ignore_ = folder_.File("ignore");
    accept_ = folder_.File("accept");
    WriteFile(ignore_, std::string("# servers\n10.2.0.0/16\n"));
    WriteFile(accept_, std::string("10.1.0.0/16\n"));
  }

  void Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-i", VethPair::kFar, "--eve", eve_, "--ring-mib", "2"});
    command_ = std::make_unique<Command>(std::move(arguments));
    const auto scope = pair_->far().Enter();
    command_->Start();
    ASSERT_TRUE(command_->WaitUntilReady());
  }
  void Send(const Bytes& frame) {
    const auto scope = pair_->near().Enter();
    RawSender(VethPair::kNear).Send(frame);
  }
  static Bytes Udp(const std::string& source, const std::string& destination, uint16_t vlan = 0) {
    PacketBuilder builder;
    builder.Ethernet();
    if (vlan != 0) builder.Vlan(vlan);
    return builder.Ipv4(source, destination).Udp(1000, 53).Payload(50).Build();
  }
  bool Says(const std::string& text, int times = 1) {
    return Eventually([&] {
      const std::string said = command_->SaidSoFar();
      int found = 0;
      for (size_t at = 0; (at = said.find(text, at)) != std::string::npos; ++at) ++found;
      return found >= times;
    });
  }
  CommandResult End() {
    usleep(200'000);
    command_->Signal(SIGTERM);
    return command_->Finish();
  }
  // The last line of --eve.
  std::string Stats() const { return Lines(ReadFile(eve_)).back(); }

  TemporaryFolder folder_;
  std::string eve_, ignore_, accept_;
  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<Command> command_;
};

TEST_F(CommandFilterTest, EachRuleIsAnOptionAndEachReasonACounter) {
  Start({"--ip-only", "--vlan", "7,untagged", "--ignore-dst", ignore_, "--accept-src", accept_,
         "--filter", "udp port 53 or (vlan and udp port 53)", "--shards", "2"});
  Send(PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build());
  Send(Udp("10.1.0.1", "10.3.0.1", 8));
  Send(Udp("10.1.0.1", "10.2.0.1"));
  Send(Udp("10.9.0.1", "10.3.0.1"));
  Send(PacketBuilder().Ethernet().Ipv4("10.1.0.1", "10.3.0.1").Udp(1000, 54).Build());
  Send(Udp("10.1.0.1", "10.3.0.1"));
  Send(Udp("10.1.0.1", "10.3.0.1", 7));
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("far0: AF_PACKET with eBPF filter"));
  EXPECT_THAT(Stats(),
              HasSubstr(R"("kernel_filtered":5,"kernel_filtered_reason":{"not_ip":1,"vlan":1,)"
                        R"("ignored_destination":1,"not_accepted_source":1,"expression":1)"));
  EXPECT_THAT(Stats(), HasSubstr(R"("tracked":2,)"));
  EXPECT_THAT(result.out, HasSubstr("ignored_destination"));
}

TEST_F(CommandFilterTest, WithAfXdpRulesRunInItsProgramAndTheExpressionInTheShard) {
  Start({"--backend", "xdp", "--ip-only", "--filter", "udp port 53 or (vlan and udp port 53)"});
  Send(PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build());
  Send(Udp("10.1.0.1", "10.3.0.1"));
  Send(Udp("10.1.0.1", "10.3.0.2", 7));
  Send(PacketBuilder().Ethernet().Ipv4("10.1.0.1", "10.3.0.3").Udp(1000, 54).Build());
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("far0: AF_XDP copy, rules in XDP, --filter in the shard"));
  EXPECT_THAT(Stats(), HasSubstr(R"("received":3,"received_bytes")"));
  EXPECT_THAT(Stats(), HasSubstr(R"("kernel_filtered":1,"kernel_filtered_reason":{"not_ip":1)"));
  EXPECT_THAT(Stats(), HasSubstr(R"("filtered":1,"filtered_reason":{"not_ip":0,"vlan":0,)"
                                 R"("ignored_destination":0,"not_accepted_source":0,)"
                                 R"("expression":1)"));
  EXPECT_THAT(Stats(), HasSubstr(R"("tracked":2,)"));
}

TEST_F(CommandFilterTest, WhatOnlyPacketSocketsKnowIsRefusedWithAfXdp) {
  const auto scope = pair_->far().Enter();
  const CommandResult result =
      RunWeir({"-i", VethPair::kFar, "--backend", "xdp", "--filter", "outbound"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("known to packet sockets only"));
}

class CommandListsTest : public CommandFilterTest,
                         public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Backends, CommandListsTest, testing::Values("packet", "xdp"),
                         [](const auto& test) { return std::string(test.param); });

// After privileges and system calls were given up.
TEST_P(CommandListsTest, AreReadAnewOnSighupUnlessTheyAreBroken) {
  Start({"--backend", GetParam(), "--ignore-dst", ignore_, "--accept-src", accept_});
  Send(Udp("10.1.0.1", "10.3.0.1"));
  WriteFile(ignore_, std::string("10.3.0.0/16\n10.4.0.1/16\n"));
  command_->Signal(SIGHUP);
  ASSERT_TRUE(Says("stay in force"));
  Send(Udp("10.1.0.1", "10.3.0.1"));
  WriteFile(ignore_, std::string("10.3.0.0/16\n"));
  command_->Signal(SIGHUP);
  ASSERT_TRUE(Says("anew"));
  Send(Udp("10.1.0.1", "10.3.0.1"));
  Send(Udp("10.1.0.1", "10.3.0.2"));
  Send(Udp("10.1.0.1", "10.2.0.1"));
  WriteFile(accept_, std::string("10.9.0.0/16\n"));
  command_->Signal(SIGHUP);
  ASSERT_TRUE(Says("anew", 2));
  Send(Udp("10.1.0.1", "10.2.0.1"));
  Send(Udp("10.9.0.1", "10.2.0.1"));
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("ignore:2: \"10.4.0.1/16\" has host bits set; write "
                                    "10.4.0.0/16; the lists of before stay in force"));
  EXPECT_THAT(result.err, HasSubstr("read the lists of networks anew"));
  EXPECT_THAT(Stats(), HasSubstr(R"("kernel_filtered":3,"kernel_filtered_reason":{"not_ip":0,)"
                                 R"("vlan":0,"ignored_destination":2,"not_accepted_source":1)"));
  EXPECT_THAT(Stats(), HasSubstr(R"("tracked":4,)"));
}

}  // namespace
}  // namespace weir::test
