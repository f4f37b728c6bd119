// --counters from outside: rows per interval that add up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <csignal>
#include <map>

#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using rapidjson::Document;
using testing::HasSubstr;

Bytes UdpFrame(const std::string& source, uint16_t port) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4(source, "10.0.0.99")
      .Udp(port, 53)
      .Payload(58)  // 100 bytes in all
      .Build();
}

class CommandCountersTest : public testing::Test {
 protected:
  // `count` frames, ten a second, of hosts 10.0.0.1 to `hosts` in turn.
  std::string Capture(int count, int hosts) {
    std::vector<Bytes> frames;
    for (int i = 0; i < count; ++i)
      frames.push_back(UdpFrame("10.0.0." + std::to_string(1 + i % hosts), 1000));
    const std::string path = folder_.File("in.pcap");
    WriteFile(path, PcapOf(frames, 100'000));
    return path;
  }

  // By interval: the rows' sums, checked against its total.
  static std::vector<Document> Totals(const std::string& text) {
    std::vector<Document> totals;
    uint64_t packets = 0;
    uint64_t rows = 0;
    for (const std::string& line : Lines(text)) {
      Document document;
      document.Parse(line.c_str());
      EXPECT_FALSE(document.HasParseError()) << line;
      if (std::string(document["event_type"].GetString()) == "counters") {
        ++rows;
        if (document.HasMember("sent")) {
          packets += document["sent"]["pkts"].GetUint64();
        } else {
          packets += document["flow"]["pkts_toserver"].GetUint64() +
                     document["flow"]["pkts_toclient"].GetUint64();
        }
        continue;
      }
      EXPECT_EQ(document["pkts"].GetUint64(), packets);
      EXPECT_EQ(document["bytes"].GetUint64(), packets * 100);
      EXPECT_GT(rows, 0);
      packets = rows = 0;
      totals.push_back(std::move(document));
    }
    EXPECT_EQ(rows, 0) << "rows without a total";
    return totals;
  }

  TemporaryFolder folder_;
};

TEST_F(CommandCountersTest, EachIntervalHasItsRowsAndItsTotal) {
  for (const char* by : {"ip", "flow"}) {
    const auto result =
        RunWeir({"-r", Capture(35, 3), "--counters", by, "--interval", "1s", "--quiet"});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto totals = Totals(result.out);
    ASSERT_EQ(totals.size(), 4);
    EXPECT_TRUE(totals[0]["complete"].GetBool());
    EXPECT_EQ(totals[0]["pkts"].GetUint64(), 10);
    EXPECT_FALSE(totals[3]["complete"].GetBool());
    EXPECT_TRUE(totals[3]["last"].GetBool());
    EXPECT_EQ(totals[3]["pkts"].GetUint64(), 5);
    EXPECT_EQ(totals[3]["since_start"]["tracked"].GetUint64(), 35);
  }
}

TEST_F(CommandCountersTest, WhatExceedsTheLimitIsARowNamedOther) {
  const auto result = RunWeir({"-r", Capture(30, 10), "--counters", "flow", "--counters-max", "3",
                               "--interval", "1s", "--quiet"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\"src_ip\":\"other\",\"dest_ip\":\"other\",\"flow\":{"
                                    "\"pkts_toserver\":7,"));
  Totals(result.out);
}

TEST_F(CommandCountersTest, TopLeavesTheRestToOther) {
  const auto result = RunWeir({"-r", Capture(30, 10), "--counters", "ip", "--counters-top", "1",
                               "--interval", "1min", "--quiet"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto lines = Lines(result.out);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_THAT(lines[0], HasSubstr("\"ip\":\"10.0.0.99\",\"sent\":{\"pkts\":0,\"bytes\":0},"
                                  "\"received\":{\"pkts\":30,\"bytes\":3000}"));
  EXPECT_THAT(lines[1], HasSubstr("\"ip\":\"other\",\"sent\":{\"pkts\":30,\"bytes\":3000}"));
}

TEST_F(CommandCountersTest, AlignedIntervalsStartAtMultiples) {
  const std::string path = folder_.File("in.pcap");
  WriteFile(path, PcapOf({UdpFrame("10.0.0.1", 1), UdpFrame("10.0.0.1", 1)}, 7'000'000));
  const auto result =
      RunWeir({"-r", path, "--counters", "ip", "--interval", "1min", "--align", "--quiet"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(Lines(result.out).front(), testing::ContainsRegex("\"start\":\"[^\"]*:00.000000"));
}

// The pipe stays open: nothing but the signal ends the command.
TEST_F(CommandCountersTest, ASignalWritesTheLastInterval) {
  const std::string counters = folder_.File("counters.json");
  const std::string written = folder_.File("out.pcap");
  Command command(
      {"-r", "-", "--counters", "ip", "--counters-file", counters, "--write", written, "-q"});
  command.WithInputPipe().Start();
  command.WriteInput(PcapOf(std::vector<Bytes>(7, UdpFrame("10.0.0.1", 1000))));
  ASSERT_TRUE(Eventually([&] { return ReadFile(written).size() > 7 * 100; }));
  command.Signal(SIGTERM);
  EXPECT_EQ(command.Finish().status, 0);
  const auto totals = Totals(ReadFile(counters));
  ASSERT_EQ(totals.size(), 1);
  EXPECT_EQ(totals[0]["pkts"].GetUint64(), 7);
  EXPECT_TRUE(totals[0]["last"].GetBool());
}

TEST_F(CommandCountersTest, WrongUsageIsExplained) {
  const std::string path = Capture(1, 1);
  const std::map<std::vector<std::string>, std::string> cases = {
      {{"-r", path, "--counters", "mac"}, "none of: ip, flow"},
      {{"-r", path, "--align"}, "--align is about --counters"},
      {{"-r", path, "--counters-max", "5"}, "--counters-max is about --counters"},
      {{"-r", path, "--counters", "ip", "--eve", "-"}, "would both go to standard output"},
      {{"-r", path, "--counters", "ip", "--counters-file", path}, "would be overwritten"}};
  for (const auto& [arguments, message] : cases) {
    const auto result = RunWeir(arguments);
    EXPECT_EQ(result.status, 2) << message;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

TEST_F(CommandCountersTest, AFullDiskIsAnError) {
  const auto result =
      RunWeir({"-r", Capture(3, 1), "--counters", "ip", "--counters-file", "/dev/full", "--quiet"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("/dev/full"));
}

}  // namespace
}  // namespace weir::test
