// The same frames through a file, memory, packet sockets and AF_XDP sockets, one or more: the same
// EVE records (time stamps and what follows from them aside) and the same totals of each address,
// by these records and by the counters of intervals, whichever way they come in and however many
// shards share them, as long as the fanout mode keeps flows whole.
//
// A further way to receive is one more line in kWays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/export/eve_writer.h"
#include "engine/export/text.h"
#include "engine/shard.h"
#include "engine/stats/counters_merger.h"
#include "rings/capture_file_source.h"
#include "rings/memory_source.h"
#include "rings/packet_group.h"
#include "rings/xdp_group.h"
#include "tests/support/eventually.h"
#include "tests/support/netns.h"
#include "tests/support/rich_traffic.h"
#include "tests/support/tc_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using Sources = std::vector<std::unique_ptr<FrameSource>>;
using AddressTotals = std::map<AddressRow, std::array<uint64_t, 4>>;

// What the shards say of the traffic, in an order of its own.
struct Answer {
  std::vector<std::string> records;  // EVE lines, sorted
  // By address: packets and bytes sent, packets and bytes received.
  AddressTotals addresses;  // by the records
  AddressTotals counted;    // by the snapshots of all shards, merged
  size_t intervals = 0;
  Ledger ledger;
  std::vector<uint64_t> received;  // by shard
};

// Time stamps, what is counted from them, and which shard and interface it was.
std::string WithoutTime(std::string_view line) {
  static const std::regex kPassing(
      R"re("(timestamp|start|end)":"[0-9][^"]*",?|"(flow_id|age|shard)":[0-9]+,?)re");
  return std::regex_replace(std::string(line), kPassing, "");
}

void CountAddresses(const FlowRecord& record, Answer& answer) {
  for (size_t side = 0; side < 2; ++side) {
    const auto& address = side == 0 ? record.key.source : record.key.destination;
    auto& totals = answer.addresses[{record.key.family, address}];
    totals[0] += record.packets[side];
    totals[1] += record.bytes[side];
    totals[2] += record.packets[side ^ 1];
    totals[3] += record.bytes[side ^ 1];
  }
}

AddressTotals TotalsOf(const AddressTable& table) {
  EXPECT_EQ(table.other(), TrafficCounts()) << "there is a row for each address";
  AddressTotals totals;
  for (const auto& [address, counts] : table.rows()) {
    totals[address] = {counts.packets[0], counts.bytes[0], counts.packets[1], counts.bytes[1]};
  }
  return totals;
}

// Intervals so short that flows last for several.
constexpr int64_t kIntervalNs = 100'000;

class Shards {
 public:
  Shards(Sources sources, bool live)
      : merger_({.by = CountBy::kIp, .shards = static_cast<uint32_t>(sources.size())}) {
    ShardOptions options;
    options.flow.max_flows = 1000;
    options.flow.streams.emplace();
    options.live = live;
    options.snapshots = {.by = CountBy::kIp, .interval_ns = kIntervalNs, .origin_ns = 0};
    for (auto& source : sources) {
      options.snapshots->shard = static_cast<uint32_t>(shards_.size());
      Sources one;
      one.push_back(std::move(source));
      shards_.push_back(*Shard::Create(options, std::move(one)));
    }
  }

  // Polls them by turns until they have received `frames`, then ends them.
  Answer Run(size_t frames) {
    Eventually([&] {
      PollAll();
      return received_ >= frames;
    });
    EXPECT_EQ(received_, frames);
    for (const auto& shard : shards_) shard->Stop();
    while (!PollAll()) {
    }
    for (const auto& shard : shards_) {
      EXPECT_TRUE(shard->ledger().Balanced());
      EXPECT_EQ(shard->ledger().ledger_errors, 0u);
      answer_.ledger.Add(shard->ledger());
      answer_.received.push_back(shard->ledger().received);
    }
    std::sort(answer_.records.begin(), answer_.records.end());
    merger_.EndShards();
    TakeReports();
    answer_.counted = TotalsOf(merger_.address_totals());
    return answer_;
  }

 private:
  bool PollAll() {
    bool done = true;
    received_ = 0;
    for (const auto& shard : shards_) {
      for (const Event& event : shard->Poll()) {
        if (event.kind == EventKind::kFlowEnded) Keep(*event.record);
      }
      received_ += shard->ledger().received;
      done &= shard->done();
      TakeSnapshots(*shard->snapshots());
    }
    return done;
  }
  void TakeSnapshots(SnapshotQueue& queue) {
    while (Snapshot* const snapshot = queue.Take()) {
      merger_.Add(*snapshot);
      queue.GiveBack(snapshot);
    }
    TakeReports();
  }
  void TakeReports() {
    while (const auto report = merger_.Take()) {
      EXPECT_TRUE(report->Balanced());
      if (report->tracked_packets > 0) ++answer_.intervals;
    }
  }
  void Keep(const FlowRecord& record) {
    writer_.Append(record);
    answer_.records.push_back(WithoutTime(writer_.text()));
    writer_.Clear();
    CountAddresses(record, answer_);
  }

  std::vector<std::unique_ptr<Shard>> shards_;
  CountersMerger merger_;
  EveWriter writer_{EveOptions{}};
  Answer answer_;
  uint64_t received_ = 0;
};

Answer FromMemory(const std::vector<Bytes>& traffic) {
  std::vector<Frame> frames;
  for (const Bytes& bytes : traffic) {
    const auto time_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(frames.size()) * 1000;
    frames.push_back(AsFrame(bytes, link_type::kEthernet, time_ns));
  }
  Sources sources;
  sources.push_back(*MemorySource::FromFrames(frames));
  return Shards(std::move(sources), false).Run(traffic.size());
}

Answer FromFile(const std::vector<Bytes>& traffic) {
  const TemporaryFolder folder;
  const std::string path = folder.File("traffic.pcap");
  WriteFile(path, PcapOf(traffic));
  Sources sources;
  sources.push_back(*OpenCaptureFile(path, {}));
  return Shards(std::move(sources), false).Run(traffic.size());
}

void ExpectSame(const Answer& answer, const Answer& expected) {
  EXPECT_THAT(answer.records, testing::ElementsAreArray(expected.records));
  EXPECT_EQ(answer.addresses, expected.addresses);
  EXPECT_EQ(answer.counted, expected.counted);
  EXPECT_EQ(answer.counted, answer.addresses);
  EXPECT_GT(answer.intervals, 1u);
  EXPECT_EQ(answer.ledger.tracked, expected.ledger.tracked);
  EXPECT_EQ(answer.ledger.tracked_bytes, expected.ledger.tracked_bytes);
  EXPECT_EQ(answer.ledger.streams.delivered, expected.ledger.streams.delivered);
}

TEST(SameFramesTest, TheTrafficHasSomeOfEverything) {
  const Answer answer = FromMemory(RichTraffic(Richness::kAll));
  const auto with = [&](const char* text) {
    return std::count_if(answer.records.begin(), answer.records.end(), [&](const auto& record) {
      return record.find(text) != std::string::npos;
    });
  };
  EXPECT_EQ(with(R"("proto":"TCP")"), kRichConversations);
  EXPECT_GE(with(R"("proto":"UDP")"), kRichConversations);
  for (const char* text : {R"("proto":"ICMP")", R"("proto":"IPv6-ICMP")", R"("vlan":[7])",
                           R"("vlan":[7,8])", R"("gre_key":3)", R"("vni":77)", R"("fd00::1:3")"}) {
    EXPECT_GT(with(text), 0) << text;
  }
  EXPECT_EQ(answer.ledger.tracked, answer.ledger.received);
  EXPECT_EQ(answer.ledger.streams.delivered, uint64_t{kRichConversations * 1000});
  EXPECT_EQ(answer.ledger.streams.retransmitted, uint64_t{kRichConversations * 200});
  EXPECT_EQ(with("timestamp"), 0);
}

TEST(SameFramesTest, AFileGivesTheAnswerOfMemory) {
  const std::vector<Bytes> traffic = RichTraffic(Richness::kAll);
  ExpectSame(FromFile(traffic), FromMemory(traffic));
}

struct Way {
  const char* name;
  FanoutMode mode;
  int shards;
  Richness richness;
  bool steered = false;                       // the sender plays a device with symmetric RSS
  std::optional<XdpMode> xdp = std::nullopt;  // AF_XDP
  bool jumbo = false;                         // and frames of up to 9,000 bytes among them
  // Of each end; 0: one for each shard. In the generic path a veth's transmit queues 0 and 1 both
  // come in on receive queue 0, and 2 on 1.
  int queues = 0;

  int Queues() const { return queues > 0 ? queues : shards; }
};
constexpr Way kWays[] = {
    {"Packet", FanoutMode::kHash, 1, Richness::kAll},
    {"PacketHash4", FanoutMode::kHash, 4, Richness::kPlain},
    {"PacketEbpf4", FanoutMode::kEbpf, 4, Richness::kAll},
    {"PacketQueue4", FanoutMode::kQueue, 4, Richness::kAll, true},
    {"PacketJumbo", FanoutMode::kHash, 1, Richness::kAll, false, std::nullopt, true},
    {"XdpCopy", FanoutMode::kQueue, 1, Richness::kAll, false, XdpMode::kCopy},
    {"XdpCopy2", FanoutMode::kQueue, 2, Richness::kAll, true, XdpMode::kCopy},
    {"XdpCopyJumbo", FanoutMode::kQueue, 1, Richness::kAll, false, XdpMode::kCopy, true},
    {"XdpCopy2Jumbo", FanoutMode::kQueue, 2, Richness::kAll, true, XdpMode::kCopy, true},
    {"XdpGeneric", FanoutMode::kQueue, 1, Richness::kAll, false, XdpMode::kGeneric},
    {"XdpGeneric2", FanoutMode::kQueue, 2, Richness::kAll, true, XdpMode::kGeneric, false, 3},
    {"XdpGenericJumbo", FanoutMode::kQueue, 1, Richness::kAll, false, XdpMode::kGeneric, true},
};

class SameFramesLiveTest : public testing::TestWithParam<Way> {};

INSTANTIATE_TEST_SUITE_P(Ways, SameFramesLiveTest, testing::ValuesIn(kWays),
                         [](const auto& test) { return std::string(test.param.name); });

Sources OpenXdp(const VethPair& pair, const Way& way) {
  const auto scope = pair.far().Enter();
  auto group = OpenXdpGroup({.interface = VethPair::kFar, .mode = *way.xdp, .ring_bytes = 8 << 20},
                            way.shards);
  EXPECT_TRUE(group.ok()) << group.status();
  Sources sources;
  if (!group.ok()) return sources;
  for (auto& source : group->sources) sources.push_back(std::move(source));
  return sources;
}

Sources OpenLive(const VethPair& pair, const Way& way) {
  if (way.xdp.has_value()) return OpenXdp(pair, way);
  PacketSourceOptions options;
  options.interface = VethPair::kFar;
  options.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10};
  const auto scope = pair.far().Enter();
  auto group = OpenPacketGroup(options, {.mode = way.mode}, way.shards);
  EXPECT_TRUE(group.ok()) << group.status();
  Sources sources;
  if (!group.ok()) return sources;
  if (way.shards > 1) {
    EXPECT_EQ(group->mode, way.mode) << group->notes[0];
  }
  for (auto& source : group->sources) sources.push_back(std::move(source));
  return sources;
}

// Three UDP flows whose frames take from one to three pages.
void AddJumboFrames(std::vector<Bytes>& traffic) {
  for (size_t i = 0; i < 30; ++i) {
    Bytes payload(3000 + i * 200);
    for (size_t at = 0; at < payload.size(); ++at) payload[at] = static_cast<uint8_t>(at * i);
    traffic.push_back(PacketBuilder()
                          .Ethernet()
                          .Ipv4("10.7.0.1", absl::StrCat("10.7.1.", i % 3 + 1))
                          .Udp(7000, 7001)
                          .Payload(payload)
                          .Build());
  }
}

TEST_P(SameFramesLiveTest, GiveTheAnswerOfMemory) {
  WEIR_SKIP_WITHOUT_NETNS();
  const Way& way = GetParam();
  std::vector<Bytes> traffic = RichTraffic(way.richness);
  const VethPair pair(way.Queues());
  if (way.jumbo) {
    AddJumboFrames(traffic);
    pair.near().Ip("link set near0 mtu 9000");
    pair.far().Ip("link set far0 mtu 9000");
  }
  std::unique_ptr<TcProgram> steering;
  if (way.steered) {
    auto attached = TcProgram::Attach(pair.near(), VethPair::kNear, TcHook::kEgress,
                                      TcAction::kSteerQueue, static_cast<uint32_t>(way.Queues()));
    ASSERT_TRUE(attached.ok()) << attached.status();
    steering = *std::move(attached);
  }
  Shards shards(OpenLive(pair, way), true);
  {
    const auto scope = pair.near().Enter();
    RawSender sender(VethPair::kNear);
    for (const Bytes& frame : traffic) sender.Send(frame);
  }
  const Answer answer = shards.Run(traffic.size());
  ExpectSame(answer, FromMemory(traffic));
  for (const uint64_t received : answer.received) EXPECT_GT(received, 0u) << "an idle shard";
}

}  // namespace
}  // namespace weir::test
