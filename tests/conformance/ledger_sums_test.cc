// Each frame in exactly one counter, each tracked one in exactly one flow: the command's sums on a
// capture with everything in it, whole, cut and damaged, with each option that changes what counts.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cctype>
#include <random>

#include "tests/engine/packet/sample_frames.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using rapidjson::Document;
using rapidjson::Value;

// A datagram in two pieces, in front of which `builder` stands.
void AddFragments(const PacketBuilder& builder, uint16_t id, std::vector<Bytes>& frames) {
  for (const uint32_t offset : {0u, 64u}) {
    frames.push_back(PacketBuilder(builder)
                         .Ipv4("10.0.0.1", "10.0.0.2")
                         .Ipv4Fragment(id, offset, offset == 0)
                         .Payload(64)
                         .Build());
  }
}

// Every kind of frame some times over, each third time damaged, each fifth time cut.
std::vector<Bytes> Everything() {
  std::vector<Bytes> frames;
  std::mt19937 random(5);
  for (uint16_t round = 0; round < 12; ++round) {
    for (const SampleFrame& sample : AllSamples()) {
      if (sample.link_type == link_type::kEthernet) frames.push_back(sample.bytes);
    }
    AddFragments(PacketBuilder().Ethernet(), round, frames);
    AddFragments(PacketBuilder().Ethernet().Vlan(7).Ipv4("192.0.2.1", "192.0.2.2").Gre(), round,
                 frames);
    frames.push_back(PacketBuilder().Ethernet().Raw(Bytes(28), 0x0806).Build());
  }
  for (size_t i = 0; i < frames.size(); ++i) {
    Bytes& frame = frames[i];
    if (i % 3 == 0) {
      for (int change = 0; change < 3; ++change) frame[random() % frame.size()] = random() % 256;
    }
    if (i % 5 == 0) frame.resize(random() % frame.size());
  }
  return frames;
}

uint64_t Sum(const Value& counter) {
  if (!counter.IsObject()) return counter.GetUint64();
  uint64_t sum = 0;
  for (const auto& reason : counter.GetObject()) sum += reason.value.GetUint64();
  return sum;
}

uint64_t BothWays(const Value& counts, const std::string& what) {
  return counts[(what + "_toserver").c_str()].GetUint64() +
         counts[(what + "_toclient").c_str()].GetUint64();
}

struct Totals {
  uint64_t packets = 0, bytes = 0;  // of final records
  uint64_t delta_packets = 0;       // of all records
  void Add(const Document& record) {
    const Value& flow = record["flow"];
    const Value& own = record["weir"];
    delta_packets += BothWays(own.HasMember("delta") ? own["delta"] : flow, "pkts");
    if (std::string(own["end"].GetString()) == "active") return;
    packets += BothWays(flow, "pkts");
    bytes += BothWays(flow, "bytes");
  }
};

using Arguments = std::vector<std::string>;
class LedgerSums : public testing::TestWithParam<Arguments> {};

TEST_P(LedgerSums, EachFrameIsCountedOnce) {
  const TemporaryFolder folder;
  const std::vector<Bytes> frames = Everything();
  WriteFile(folder.File("in.pcap"), PcapOf(frames, 20'000));
  Arguments arguments = {"-r", folder.File("in.pcap"), "--eve", "-", "-q"};
  for (const std::string& one : GetParam()) {
    arguments.push_back(one == "FILE" ? folder.File("out.pcap") : one);
  }
  const CommandResult result = RunWeir(arguments);
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");

  Totals totals;
  Document line;
  for (const std::string& text : Lines(result.out)) {
    ASSERT_FALSE(line.Parse(text.c_str()).HasParseError()) << text;
    if (std::string(line["event_type"].GetString()) == "flow") totals.Add(line);
  }
  ASSERT_STREQ(line["event_type"].GetString(), "stats");
  const Value& ledger = line["stats"]["ledger"];
  uint64_t accounted = 0;
  for (const char* counter : {"filtered", "duplicate", "not_ip", "malformed", "shed",
                              "fragment_held", "fragment_dropped", "tracked"}) {
    accounted += Sum(ledger[counter]);
  }
  EXPECT_EQ(ledger["received"].GetUint64(), frames.size());
  EXPECT_EQ(accounted, frames.size());
  EXPECT_EQ(totals.packets, ledger["tracked"].GetUint64());
  EXPECT_EQ(totals.bytes, ledger["tracked_bytes"].GetUint64());
  EXPECT_EQ(totals.delta_packets, ledger["tracked"].GetUint64());
  EXPECT_GT(totals.packets, 0u);
  EXPECT_EQ(ledger["ledger_errors"].GetUint64(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Options, LedgerSums,
    testing::Values(Arguments{}, Arguments{"--dedup", "content"}, Arguments{"--key", "mac-pair"},
                    Arguments{"--key", "ip-pair"}, Arguments{"--uniflow"},
                    Arguments{"--decap", "off"}, Arguments{"--timeout", "active=1s"},
                    Arguments{"--timeout", "all=100ms"}, Arguments{"--write", "FILE"},
                    Arguments{"--filter", "tcp or vlan"}, Arguments{"--max-flows", "3"},
                    Arguments{"--key-without", "all"}),
    [](const auto& options) {
      std::string name = "plain";
      for (const std::string& one : options.param) {
        for (const char c : one) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
      }
      return name;
    });

}  // namespace
}  // namespace weir::test
