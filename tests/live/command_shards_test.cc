// The command over several shards, from outside: what it writes, what it says, how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "rapidjson/document.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kFlows = 300;

// Conversations of two packets, one in each direction, of 10.1.x.y with 10.2.0.1.
std::vector<Bytes> Conversations(int flows = kFlows) {
  std::vector<Bytes> frames;
  for (const bool back : {false, true}) {
    for (int i = 0; i < flows; ++i) {
      const std::string client = absl::StrCat("10.1.", i / 250, ".", i % 250 + 1);
      PacketBuilder builder;
      builder.Ethernet();
      back ? builder.Ipv4("10.2.0.1", client).Udp(53, 4000)
           : builder.Ipv4(client, "10.2.0.1").Udp(4000, 53);
      frames.push_back(builder.Payload(40).Build());
    }
  }
  return frames;
}

class CommandShards : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    eve_ = folder_.File("eve.json");
  }

  // In the far namespace, until it listens.
  void Start(std::vector<std::string> arguments, const std::string& interface = VethPair::kFar) {
    arguments.insert(arguments.begin(), {"-i", interface, "--eve", eve_, "--ring-mib", "2"});
    command_ = std::make_unique<Command>(std::move(arguments));
    const auto scope = pair_->far().Enter();
    command_->Start();
    ASSERT_TRUE(command_->WaitUntilReady());
  }

  static void Send(const NetNamespace& from, const std::string& interface,
                   const std::vector<Bytes>& frames) {
    const auto scope = from.Enter();
    RawSender sender(interface);
    for (const Bytes& frame : frames) sender.Send(frame);
  }
  void Send(const std::vector<Bytes>& frames) { Send(pair_->near(), VethPair::kNear, frames); }

  // SIGTERM after all has arrived, and what the command said.
  CommandResult End() {
    usleep(200'000);
    command_->Signal(SIGTERM);
    return command_->Finish();
  }

  // Every line, parsed; the last one is the statistics.
  std::vector<rapidjson::Document> Records() const {
    std::vector<rapidjson::Document> records;
    std::ifstream file(eve_);
    for (std::string line; std::getline(file, line);) {
      EXPECT_FALSE(records.emplace_back().Parse(line.c_str()).HasParseError()) << line;
    }
    return records;
  }

  TemporaryFolder folder_;
  std::string eve_;
  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<Command> command_;
};

class CommandFanout : public CommandShards, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Modes, CommandFanout,
                         testing::Values("hash", "cpu", "qm", "lb", "rnd", "rollover", "ebpf"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(CommandFanout, EveryFrameIsInOneShardsRecords) {
  Start({"--shards", "4", "--fanout", GetParam()});
  Send(Conversations());
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  uint64_t packets = 0, flows = 0;
  std::set<uint64_t> ids, shards;
  const auto records = Records();
  ASSERT_FALSE(records.empty());
  for (const auto& record : records) {
    if (std::string(record["event_type"].GetString()) != "flow") continue;
    const auto& flow = record["flow"];
    packets += flow["pkts_toserver"].GetUint64() + flow["pkts_toclient"].GetUint64();
    ids.insert(record["flow_id"].GetUint64());
    shards.insert(record["weir"]["shard"].GetUint64());
    ++flows;
  }
  EXPECT_EQ(packets, 2u * kFlows);
  EXPECT_EQ(ids.size(), flows) << "flow_id is unique in a run";
  const std::set<std::string> whole = {"hash", "qm", "ebpf"};
  if (whole.contains(GetParam())) {
    EXPECT_EQ(flows, uint64_t{kFlows});
    EXPECT_THAT(result.err, Not(HasSubstr("cuts flows")));
  } else {
    EXPECT_THAT(result.err, HasSubstr("cuts flows"));
    EXPECT_THAT(result.err, HasSubstr("--fanout ebpf"));
  }
  if (GetParam() == std::string("hash") || GetParam() == std::string("ebpf")) {
    EXPECT_EQ(shards.size(), 4u);
  }
  const auto& stats = records.back()["stats"];
  EXPECT_EQ(stats["ledger"]["received"].GetUint64(), 2u * kFlows);
  ASSERT_EQ(stats["shards"].Size(), 4u);
  uint64_t received = 0;
  for (const auto& shard : stats["shards"].GetArray()) {
    received += shard["ledger"]["received"].GetUint64();
    EXPECT_STREQ(shard["state"].GetString(), "done");
    EXPECT_STREQ(shard["in_iface"].GetString(), "far0");
  }
  EXPECT_EQ(received, 2u * kFlows);
  EXPECT_THAT(result.out, HasSubstr("Shards"));
}

// About 20 of these address pairs are looked at.
TEST_F(CommandShards, FlowsThatAreCutAreNoticedAndTheCureIsNamed) {
  Start({"--shards", "4", "--fanout", "rnd"});
  Send(Conversations(5'000));
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  const auto records = Records();
  const auto& check = records.back()["stats"]["split_check"];
  EXPECT_GT(check["sampled"].GetUint64(), 5u);
  EXPECT_GT(check["split"].GetUint64(), 2u);
  EXPECT_THAT(result.out, HasSubstr("flows that were looked at came to several shards"));
}

TEST_F(CommandShards, FlowsThatStayWholeAreNotTakenForCut) {
  Start({"--shards", "4", "--fanout", "ebpf"});
  Send(Conversations(5'000));
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  const auto records = Records();
  const auto& check = records.back()["stats"]["split_check"];
  EXPECT_GT(check["sampled"].GetUint64(), 5u);
  EXPECT_EQ(check["split"].GetUint64(), 0u);
  EXPECT_THAT(result.out, Not(HasSubstr("came to several shards")));
}

TEST_F(CommandShards, TwoInterfacesAtOnce) {
  pair_->far().Ip("link add other0 type veth peer name other1");
  for (const char* name : {"other0", "other1"}) {
    pair_->far().Ip(absl::StrCat("link set ", name, " up"));
  }
  Start({"-i", "other1", "--shards", "2", "--filter", "udp"});
  Send(Conversations());
  Send(pair_->far(), "other0", Conversations());
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  std::map<std::string, uint64_t> flows;
  for (const auto& record : Records()) {
    if (record["event_type"] == "flow") ++flows[record["in_iface"].GetString()];
  }
  EXPECT_EQ(flows, (std::map<std::string, uint64_t>{{"far0", kFlows}, {"other1", kFlows}}));
}

// The one that is removed, and may not be opened again, fails alone: what it counted is written,
// the other goes on.
TEST_F(CommandShards, AnInterfaceThatIsRemovedTakesNeitherTheOtherNorItsOwnCountsAlong) {
  pair_->far().Ip("link add other0 type veth peer name other1");
  for (const char* name : {"other0", "other1"}) {
    pair_->far().Ip(absl::StrCat("link set ", name, " up"));
  }
  const std::string rows = folder_.File("rows.json");
  Start({"-i", "other1", "--shards", "1", "--filter", "udp", "--drop-all", "--counters", "flow",
         "--counters-file", rows, "--interval", "1h"});
  Send(Conversations());
  Send(pair_->far(), "other0", Conversations());
  usleep(200'000);
  pair_->far().Ip("link del other0");
  ASSERT_TRUE(Eventually(
      [&] { return command_->SaidSoFar().find("other1 was removed") != std::string::npos; }));
  Send(Conversations());
  const CommandResult result = End();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("other1 was removed"));
  std::map<std::string, uint64_t> packets;
  const auto records = Records();
  for (const auto& record : records) {
    if (record["event_type"] != "flow") continue;
    const auto& flow = record["flow"];
    packets[record["in_iface"].GetString()] +=
        flow["pkts_toserver"].GetUint64() + flow["pkts_toclient"].GetUint64();
  }
  EXPECT_EQ(packets,
            (std::map<std::string, uint64_t>{{"far0", 4 * kFlows}, {"other1", 2 * kFlows}}));
  std::map<std::string, std::string> states;
  for (const auto& shard : records.back()["stats"]["shards"].GetArray()) {
    states[shard["in_iface"].GetString()] = shard["state"].GetString();
  }
  EXPECT_EQ(states, (std::map<std::string, std::string>{{"far0", "done"}, {"other1", "failed"}}));
  rapidjson::Document total;
  total.Parse(Lines(ReadFile(rows)).back().c_str());
  EXPECT_EQ(total["pkts"].GetUint64(), 6u * kFlows);
  EXPECT_TRUE(total["last"].GetBool());
}

// Each leg of a TAP carries one direction; every flow is whole, with two shards as well.
TEST_F(CommandShards, TwoLegsOfATapGiveWholeFlows) {
  pair_->far().Ip("link add other0 type veth peer name other1");
  for (const char* name : {"other0", "other1"}) {
    pair_->far().Ip(absl::StrCat("link set ", name, " up"));
  }
  Start({"--shards", "2", "--filter", "udp"}, "far0+other1");
  const std::vector<Bytes> frames = Conversations();
  Send({frames.begin(), frames.begin() + kFlows});
  Send(pair_->far(), "other0", {frames.begin() + kFlows, frames.end()});
  const CommandResult result = End();
  EXPECT_EQ(result.status, 0) << result.err;
  uint64_t flows = 0;
  for (const auto& record : Records()) {
    if (record["event_type"] != "flow") continue;
    ++flows;
    EXPECT_EQ(record["flow"]["pkts_toserver"].GetUint64(), 1u);
    EXPECT_EQ(record["flow"]["pkts_toclient"].GetUint64(), 1u);
    EXPECT_EQ(record["dest_port"].GetInt(), 53);
    EXPECT_STREQ(record["in_iface"].GetString(), "far0+other1");
  }
  EXPECT_EQ(flows, uint64_t{kFlows});
}

TEST_F(CommandShards, CountIsOfAllShardsTogether) {
  Start({"--shards", "4", "--count", "101"});
  Send(Conversations());
  const CommandResult result = command_->Finish();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Records().back()["stats"]["ledger"]["received"].GetUint64(), 101u);
}

TEST_F(CommandShards, FramesOfAllShardsAreInOneFile) {
  const std::string pcap = folder_.File("all.pcap");
  Start({"--shards", "4", "--write", pcap});
  Send(Conversations());
  EXPECT_EQ(End().status, 0);
  const CommandResult again = RunWeir({"-r", pcap});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("600 packets"));
}

// A full file system takes records no longer: every shard says so and the command ends.
TEST_F(CommandShards, FullDiskEndsTheRunWithAMessage) {
  eve_ = "/dev/full";
  Start({"--shards", "2"});
  Send(Conversations());
  const CommandResult result = End();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write to /dev/full"));
}

TEST_F(CommandShards, RefusesWhatIsNotThere) {
  const auto scope = pair_->far().Enter();
  CommandResult result = RunWeir({"-i", "far0", "--cpus", "999"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("processor 999 is not to be had"));
  result = RunWeir({"-i", "far0", "-i", "far0"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("named twice"));
}

}  // namespace
}  // namespace weir::test
