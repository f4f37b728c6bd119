// weir-load from outside: an engine tried on a wire, in one process and in two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/netns.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace weir::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

Said RunLoad(const std::string& arguments, const std::string& before = "") {
  return RunShell(absl::StrCat(before, " ", WEIR_LOAD_COMMAND, " ", arguments));
}

std::string In(const NetNamespace& name_space) {
  return absl::StrCat("nsenter --net=", name_space.path());
}

// Until a packet socket of the namespace is bound: sk RefCnt Type Proto Iface Running...
void WaitUntilListening(const NetNamespace& name_space) {
  const std::string look =
      In(name_space) + " awk '$6 == 1 { found = 1 } END { exit !found }' /proc/net/packet";
  bool listens = false;
  for (int i = 0; i < 1000 && !listens; ++i) {
    listens = std::system(look.c_str()) == 0;
    if (!listens) usleep(10'000);
  }
  EXPECT_TRUE(listens);
}

class LoadCommandTest : public testing::Test {
 protected:
  void SetUp() override { WEIR_SKIP_WITHOUT_NETNS(); }
};

TEST_F(LoadCommandTest, AnEngineOnAPairOfItsOwnGetsAllAsItWasSent) {
  TemporaryFolder folder;
  const std::string json = folder.File("run.json"), picture = folder.File("run.svg");
  const Said said = RunLoad(
      absl::StrCat("run --veth --rate 40k --packets 20k --udp 20% --reorder 5% --flow-packets 20 "
                   "--probe-every 50 --json ",
                   json, " --picture ", picture));
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text, AllOf(HasSubstr("20,000 received (100.0 %)"), HasSubstr("delay"),
                               HasSubstr("All of it is as it was sent.")));
  EXPECT_THAT(ReadFile(json), AllOf(HasSubstr("\"good\":true"), HasSubstr("\"received\":20000"),
                                    ContainsRegex("\"probes\":(399|40[01]),")));
  EXPECT_THAT(ReadFile(picture), HasSubstr("</svg>"));
}

TEST_F(LoadCommandTest, TheDelayFromPortToPortIsTheKernelsWhereItWasAskedFor) {
  TemporaryFolder folder;
  const std::string json = folder.File("run.json");
  const Said said = RunLoad(absl::StrCat(
      "run --veth --rate 40k --packets 20k --probe-every 50 --timestamps auto --json ", json));
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text,
              AllOf(HasSubstr("no hardware time stamps: load0 has no hardware clock"),
                    HasSubstr("from the sending driver to the receiving one"),
                    HasSubstr("20,000 received (100.0 %)"), HasSubstr("All of it is as it was")));
  EXPECT_THAT(ReadFile(json),
              ContainsRegex("\"port_delay_ns\":.\"clock\":\"kernel\",\"probes\":(399|40[01]),"
                            ".*\"unpaired\":0,\"negative\":0"));
}

TEST_F(LoadCommandTest, TheBestTimeStampsThereAreMayBeNone) {
  const Said said = RunLoad(
      "run --veth --rate 40k --packets 5k --probe-every 50 --backend xdp --timestamps auto");
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text,
              AllOf(HasSubstr("AF_XDP takes the frames"), HasSubstr("by the processes' clock"),
                    HasSubstr("All of it is as it was")));
}

TEST_F(LoadCommandTest, TimeStampsThatCannotBeHadEndTheRunWithWhatToDo) {
  const std::string run = "run --veth --rate 40k --packets 5k --timestamps ";
  const Said hardware = RunLoad(run + "hardware --probe-every 50");
  EXPECT_EQ(hardware.status, 1);
  EXPECT_THAT(hardware.text, HasSubstr("load0 has no hardware clock (ethtool -T load0)"));
  const Said xdp = RunLoad(run + "kernel --probe-every 50 --backend xdp");
  EXPECT_EQ(xdp.status, 1);
  EXPECT_THAT(xdp.text, HasSubstr("--backend packet"));
  const Said none = RunLoad(run + "kernel");
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.text, HasSubstr("--probe-every"));
}

TEST_F(LoadCommandTest, FramesLongerThanUsualPassAPairOfItsOwn) {
  const Said said = RunLoad("run --veth --frame 3000 --rate 20k --packets 5k --udp 20%");
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text, HasSubstr("All of it is as it was sent."));
}

TEST_F(LoadCommandTest, AfXdpGetsTheSame) {
  const Said said = RunLoad("run --veth --backend xdp --rate 40k --packets 20k --udp 20%");
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text, AllOf(HasSubstr("AF_XDP"), HasSubstr("All of it is as it was sent.")));
}

TEST_F(LoadCommandTest, TwoProcessesThatAgreeOnTheSeed) {
  const VethPair pair;
  const std::string traffic = " --seed 7 --packets 20k --flows 300";
  Said receiver;
  std::thread listening([&] { receiver = RunLoad("receive --on far0" + traffic, In(pair.far())); });
  WaitUntilListening(pair.far());
  const Said sender =
      RunLoad("send --on near0 --method packet --rate 40k" + traffic, In(pair.near()));
  listening.join();
  EXPECT_EQ(sender.status, 0) << sender.text;
  EXPECT_THAT(sender.text, HasSubstr("20,000 frames sent by AF_PACKET"));
  EXPECT_EQ(receiver.status, 0) << receiver.text;
  EXPECT_THAT(receiver.text, HasSubstr("All of it is as it was sent."));
}

TEST_F(LoadCommandTest, AnotherSeedIsNotWhatWasAgreed) {
  const VethPair pair;
  Said receiver;
  std::thread listening([&] {
    receiver = RunLoad("receive --on far0 --seed 8 --packets 5k --flows 300", In(pair.far()));
  });
  WaitUntilListening(pair.far());
  RunLoad("send --on near0 --method packet --rate 20k --seed 7 --packets 5k --flows 300",
          In(pair.near()));
  listening.join();
  EXPECT_EQ(receiver.status, 1) << receiver.text;
  EXPECT_THAT(receiver.text, HasSubstr("WRONG"));
}

TEST_F(LoadCommandTest, TheSearchFindsARateAndDrawsIt) {
  TemporaryFolder folder;
  const std::string json = folder.File("s.json"), picture = folder.File("s.svg");
  const Said said =
      RunLoad(absl::StrCat("search --veth --frames 60,1514 --backends packet,xdp "
                           "--seconds 0.05 --resolution 0.3 --tries 1 --json ",
                           json, " --picture ", picture));
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(ReadFile(json), HasSubstr("\"frames_per_second\":"));
  EXPECT_THAT(ReadFile(picture), AllOf(HasSubstr("packet"), HasSubstr("xdp")));
}

TEST_F(LoadCommandTest, WhatIsMissingIsAskedFor) {
  const Said said = RunLoad("run --packets 10");
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.text, HasSubstr("name --send-on and --listen-on, or try --veth"));
  EXPECT_EQ(RunLoad("memory --reorder much").status, 2);
  EXPECT_EQ(RunLoad("").status, 2);
}

TEST_F(LoadCommandTest, ReplaySendsACaptureAgain) {
  TemporaryFolder folder;
  const std::string file = folder.File("made.pcap");
  ASSERT_EQ(RunLoad("make --packets 5k --gap 1us -w " + file).status, 2);  // no such option
  ASSERT_EQ(RunLoad("make --packets 5k -w " + file).status, 0);
  const VethPair pair;
  const Said said = RunLoad(absl::StrCat("replay ", file, " --on near0 --speed 0 --method packet"),
                            In(pair.near()));
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text, HasSubstr("5,000 frames sent by AF_PACKET"));
}

}  // namespace
}  // namespace weir::test
