// The command from outside: what it writes where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using rapidjson::Document;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Bytes UdpFrame(uint16_t source_port, size_t payload = 10) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Udp(source_port, 53)
      .Payload(payload)
      .Build();
}

std::vector<Bytes> UdpFrames(int count, int flows) {
  std::vector<Bytes> frames;
  for (int i = 0; i < count; ++i)
    frames.push_back(UdpFrame(static_cast<uint16_t>(1000 + i % flows)));
  return frames;
}

class CommandTest : public testing::Test {
 protected:
  std::string Capture(const std::vector<Bytes>& frames, uint32_t step_us = 1000) {
    const std::string path = folder_.File("in.pcap");
    WriteFile(path, PcapOf(frames, step_us));
    return path;
  }
  static Document Json(const std::string& line) {
    Document document;
    document.Parse(line.c_str());
    EXPECT_FALSE(document.HasParseError()) << line;
    return document;
  }
  static uint64_t Ledger(const std::string& eve, const char* name) {
    const Document stats = Json(Lines(eve).back());
    EXPECT_STREQ(stats["event_type"].GetString(), "stats");
    return stats["stats"]["ledger"][name].GetUint64();
  }
  TemporaryFolder folder_;
};

TEST_F(CommandTest, EveHasOneLineAFlowAndTheLedgerLast) {
  const auto result = RunWeir({"-r", Capture(UdpFrames(10, 3)), "--eve", "-", "--quiet"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
  const auto lines = Lines(result.out);
  ASSERT_THAT(lines, SizeIs(4));
  uint64_t packets = 0;
  for (size_t i = 0; i < 3; ++i) packets += Json(lines[i])["flow"]["pkts_toserver"].GetUint64();
  EXPECT_EQ(packets, 10u);
  EXPECT_EQ(Ledger(result.out, "received"), 10u);
  EXPECT_EQ(Ledger(result.out, "tracked"), 10u);
}

TEST_F(CommandTest, EveOnStandardOutputLeavesTheReportToStandardError) {
  const auto result = RunWeir({"-r", Capture(UdpFrames(4, 2)), "--eve", "-"});
  for (const std::string& line : Lines(result.out)) EXPECT_TRUE(Json(line).IsObject());
  EXPECT_THAT(result.err, HasSubstr("Where the frames went"));
}

TEST_F(CommandTest, WithoutOutputOptionsItReports) {
  const auto result = RunWeir({"-r", Capture(UdpFrames(10, 3))});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("10 packets, 520 B, 3 flows"));
  EXPECT_THAT(result.out, HasSubstr("UDP 10.0.0.1:1000 > 10.0.0.2:53"));
  EXPECT_THAT(result.out, HasSubstr("Talkers (of 2)"));
  EXPECT_THAT(result.err, IsEmpty()) << "no progress bar where there is no terminal";
}

TEST_F(CommandTest, QuietSaysNothing) {
  const auto result = RunWeir({"-r", Capture(UdpFrames(10, 3)), "--quiet"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out + result.err, IsEmpty());
}

TEST_F(CommandTest, EveIntoAFile) {
  const std::string eve = folder_.File("eve.json");
  const auto result = RunWeir({"-r", Capture(UdpFrames(4, 2)), "--eve", eve});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(Lines(ReadFile(eve)), SizeIs(3));
  EXPECT_THAT(result.out, HasSubstr("2 flows"));
}

TEST_F(CommandTest, AnEmptyCaptureIsNoFault) {
  const auto result = RunWeir({"-r", Capture({}), "--eve", "-"});
  EXPECT_EQ(result.status, 0);
  ASSERT_THAT(Lines(result.out), SizeIs(1));
  EXPECT_GT(std::string(Json(Lines(result.out)[0])["timestamp"].GetString()), "2020");
  EXPECT_EQ(Ledger(result.out, "received"), 0u);
}

TEST_F(CommandTest, CountEndsAfterExactlySoManyFrames) {
  const auto result =
      RunWeir({"-r", Capture(UdpFrames(200, 3)), "--count", "70", "--eve", "-", "-q"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(Ledger(result.out, "received"), 70u);
}

TEST_F(CommandTest, DurationOfAFileIsPacketTime) {
  const auto result =
      RunWeir({"-r", Capture(UdpFrames(200, 3)), "--duration", "20ms", "--eve", "-", "-q"});
  EXPECT_EQ(Ledger(result.out, "received"), 21u);
}

TEST_F(CommandTest, TimeoutsCutFlows) {
  const std::string capture = Capture(UdpFrames(4, 1), 10'000'000);
  EXPECT_THAT(Lines(RunWeir({"-r", capture, "--eve", "-", "-q"}).out), SizeIs(2));
  EXPECT_THAT(Lines(RunWeir({"-r", capture, "--eve", "-", "-q", "--timeout", "udp=5s"}).out),
              SizeIs(5));
}

TEST_F(CommandTest, ContentDedupDropsTheSecondCopy) {
  const std::string capture = Capture({UdpFrame(1), UdpFrame(1), UdpFrame(2)}, 100);
  const auto result = RunWeir({"-r", capture, "--eve", "-", "-q", "--dedup", "content"});
  EXPECT_EQ(Ledger(result.out, "duplicate"), 1u);
  EXPECT_EQ(Ledger(result.out, "tracked"), 2u);
}

TEST_F(CommandTest, FilterCountsWhatItRejects) {
  const std::string capture = Capture(UdpFrames(10, 5));
  const auto result = RunWeir({"-r", capture, "--eve", "-", "-q", "--filter", "udp port 1001"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Ledger(result.out, "filtered"), 8u);
  EXPECT_EQ(Ledger(result.out, "tracked"), 2u);
}

TEST_F(CommandTest, NetworksDecideWhatCounts) {
  const std::string capture = Capture(UdpFrames(10, 5));
  const std::string list = folder_.File("networks");
  const std::string text = "10.0.0.2/32\n";
  WriteFile(list, Bytes(text.begin(), text.end()));
  const auto ignored = RunWeir({"-r", capture, "--eve", "-", "-q", "--ignore-dst", list});
  EXPECT_EQ(Ledger(ignored.out, "filtered"), 10u);
  const auto accepted = RunWeir({"-r", capture, "--eve", "-", "-q", "--accept-src", list});
  EXPECT_EQ(Ledger(accepted.out, "filtered"), 10u) << "10.0.0.2 sends nothing";
}

TEST_F(CommandTest, WriteKeepsWhatPassed) {
  const std::string capture = Capture({UdpFrame(1), UdpFrame(1), UdpFrame(2)}, 100);
  const std::string written = folder_.File("out.pcap");
  ASSERT_EQ(RunWeir({"-r", capture, "-q", "--dedup", "content", "--write", written}).status, 0);
  const auto again = RunWeir({"-r", written, "--eve", "-", "-q"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(Ledger(again.out, "received"), 2u);
}

TEST_F(CommandTest, WriteToStandardOutput) {
  const std::string capture = Capture(UdpFrames(5, 2));
  const std::string written = folder_.File("out.pcap");
  ASSERT_EQ(Command({"-r", capture, "-q", "--write", "-"}).OutputTo(written).Run().status, 0);
  EXPECT_EQ(Ledger(RunWeir({"-r", written, "--eve", "-", "-q"}).out, "received"), 5u);
}

TEST_F(CommandTest, RotateBySizeSplitsBetweenLines) {
  const std::string eve = folder_.File("eve.json");
  const auto result =
      RunWeir({"-r", Capture(UdpFrames(2000, 2000)), "-q", "--eve", eve, "--rotate", "100k"});
  ASSERT_EQ(result.status, 0) << result.err;
  size_t lines = 0;
  for (const std::string& path : {eve, eve + "1", eve + "2"}) {
    const std::string text = ReadFile(path);
    EXPECT_FALSE(text.empty()) << path;
    EXPECT_EQ(text.back(), '\n');
    lines += Lines(text).size();
  }
  EXPECT_GT(lines, 200u);
}

TEST_F(CommandTest, ReadsStandardInput) {
  Command command({"-r", "-", "--eve", "-", "-q"});
  command.WithInputPipe().Start();
  command.WriteInput(PcapOf(UdpFrames(7, 1)));
  command.CloseInput();
  const CommandResult result = command.Finish();
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(Ledger(result.out, "received"), 7u);
}

class StopSignalTest : public CommandTest, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Both, StopSignalTest, testing::Values(SIGINT, SIGTERM),
                         [](const auto& which) { return which.param == SIGINT ? "Int" : "Term"; });

// The pipe stays open: nothing but the signal ends the command.
TEST_P(StopSignalTest, EndsCleanlyWithAllThatWasSeen) {
  const std::string eve = folder_.File("eve.json"), written = folder_.File("out.pcap");
  Command command({"-r", "-", "--eve", eve, "--write", written, "-q"});
  command.WithInputPipe().Start();
  command.WriteInput(PcapOf(UdpFrames(7, 2)));
  // The frames are read once they have been written.
  ASSERT_TRUE(Eventually([&] { return ReadFile(written).size() > 7 * 50; }));
  command.Signal(GetParam());
  EXPECT_EQ(command.Finish().status, 0);
  EXPECT_THAT(Lines(ReadFile(eve)), SizeIs(3));
  EXPECT_EQ(Ledger(ReadFile(eve), "received"), 7u);
}

TEST_F(CommandTest, HangUpOpensFilesAnew) {
  const std::string eve = folder_.File("eve.json"), moved = folder_.File("eve.json.old");
  const std::string written = folder_.File("out.pcap");
  Command command({"-r", "-", "--eve", eve, "--write", written, "-q"});
  command.WithInputPipe().Start();
  command.WriteInput(PcapOf(UdpFrames(7, 2)));
  ASSERT_TRUE(Eventually([&] { return ReadFile(written).size() > 7 * 50; }));
  std::filesystem::rename(eve, moved);
  command.Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(eve); }));
  command.Signal(SIGTERM);
  EXPECT_EQ(command.Finish().status, 0);
  EXPECT_EQ(Ledger(ReadFile(eve), "received"), 7u);
}

}  // namespace
}  // namespace weir::test
