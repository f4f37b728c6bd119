// An interface that is removed while weir runs on it, and comes back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReopenTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_.emplace(2);
    std::ofstream(folder_.File("ignored")) << "10.9.0.0/16\n";
  }

  void Start(std::vector<std::string> more) {
    const auto scope = pair_->far().Enter();
    std::vector<std::string> arguments = {"-i",           VethPair::kFar,
                                          "--shards",     "2",
                                          "--ignore-dst", folder_.File("ignored"),
                                          "--retire-ms",  "1",
                                          "--timeout",    "all=100ms",
                                          "--eve",        folder_.File("eve.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    weir_.emplace(arguments);
    weir_->Start();
  }
  // Packets to some addresses, and one that is to be ignored.
  void Send(const std::string& source) const {
    const auto scope = pair_->near().Enter();
    RawSender sender(VethPair::kNear);
    for (int host = 1; host <= 8; ++host) {
      const std::string to = "10.0.0." + std::to_string(host);
      sender.Send(PacketBuilder().Ethernet().Ipv4(source, to).Udp(1000, 2000).Payload(20).Build());
    }
    sender.Send(PacketBuilder().Ethernet().Ipv4(source, "10.9.0.1").Udp(1, 2).Build());
  }
  // Until a flow has ended by time, and is recorded.
  bool SendUntilSeen(const std::string& source) const {
    for (int i = 0; i < 30; ++i) {
      Send(source);
      usleep(300'000);
      if (ReadFile(folder_.File("eve.json")).find(source) != std::string::npos) return true;
    }
    return false;
  }
  bool Says(const std::string& text) const {
    return Eventually([&] { return weir_->SaidSoFar().find(text) != std::string::npos; });
  }
  void Remove() const { pair_->far().Ip("link delete far0"); }
  void BringBack() const {
    pair_->far().Ip(
        "link add far0 numrxqueues 2 numtxqueues 2 type veth peer name near0 "
        "numrxqueues 2 numtxqueues 2 netns " +
        pair_->near().path());
    pair_->far().Ip("link set far0 up");
    pair_->near().Ip("link set near0 up");
  }

  std::optional<VethPair> pair_;
  TemporaryFolder folder_;
  std::optional<Command> weir_;
};

TEST_F(ReopenTest, GoesOnWhenItIsThereAgain) {
  Start({});
  ASSERT_TRUE(SendUntilSeen("192.0.2.1"));
  Remove();
  EXPECT_TRUE(Says("far0 was removed while it was captured: waiting"));
  BringBack();
  EXPECT_TRUE(SendUntilSeen("192.0.2.2"));
  EXPECT_TRUE(Says("far0 is there again"));
  weir_->Signal(SIGTERM);
  const CommandResult result = weir_->Finish();
  EXPECT_EQ(result.status, 0);
  const std::string records = ReadFile(folder_.File("eve.json"));
  EXPECT_THAT(records, Not(HasSubstr("10.9.0.1"))) << "the lists hold there, too";
  // Programs that were loaded before CAP_BPF was given up count on.
  EXPECT_THAT(records, HasSubstr("\"ignored_destination\":"));
}

TEST_F(ReopenTest, EndsWithDropAll) {
  Start({"--drop-all"});
  ASSERT_TRUE(SendUntilSeen("192.0.2.1"));
  Remove();
  const CommandResult result = weir_->Finish();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("far0 was removed while it was captured"));
  EXPECT_THAT(result.err, Not(HasSubstr("waiting")));
  EXPECT_THAT(ReadFile(folder_.File("eve.json")), HasSubstr("\"event_type\":\"stats\""));
}

}  // namespace
}  // namespace weir::test
