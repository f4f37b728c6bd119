#include "engine/export/eve_writer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include <cstring>
#include <string>

namespace weir {
namespace {

using rapidjson::Document;
using rapidjson::Value;

FlowRecord TcpRecord() {
  FlowRecord record;
  record.flow_id = 42;
  record.key.family = AddressFamily::kIpv4;
  record.key.protocol = ip_protocol::kTcp;
  inet_pton(AF_INET, "10.0.0.1", record.key.source.data());
  inet_pton(AF_INET, "10.0.0.2", record.key.destination.data());
  record.key.source_port = 40000;
  record.key.destination_port = 443;
  record.packets = {5, 4};
  record.bytes = {500, 4000};
  record.start_ns = 1'706'702'400'000'000'000;
  record.end_ns = 1'706'702'403'900'000'000;
  record.tcp_flags = {0x1b, 0x12};
  record.state = FlowState::kClosed;
  record.end = FlowEnd::kFin;
  std::memcpy(record.history.data(), "ShADadFf", 8);
  return record;
}

class EveWriterTest : public testing::Test {
 protected:
  Document One(const FlowRecord& record, const EveOptions& options = {}) {
    EveWriter writer(options);
    writer.Append(record);
    return Parse(writer);
  }
  static Document Parse(const EveWriter& writer) {
    const std::string_view text = writer.text();
    EXPECT_EQ(text.back(), '\n');
    EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
    Document document;
    document.Parse(text.data(), text.size());
    EXPECT_FALSE(document.HasParseError()) << text;
    return document;
  }
};

TEST_F(EveWriterTest, TcpFlowHasSuricatasNames) {
  const Document eve = One(TcpRecord());
  EXPECT_STREQ(eve["timestamp"].GetString(), "2024-01-31T12:00:03.900000+0000");
  EXPECT_EQ(eve["flow_id"].GetUint64(), 42u);
  EXPECT_STREQ(eve["event_type"].GetString(), "flow");
  EXPECT_STREQ(eve["src_ip"].GetString(), "10.0.0.1");
  EXPECT_EQ(eve["src_port"].GetInt(), 40000);
  EXPECT_STREQ(eve["dest_ip"].GetString(), "10.0.0.2");
  EXPECT_EQ(eve["dest_port"].GetInt(), 443);
  EXPECT_STREQ(eve["proto"].GetString(), "TCP");
  EXPECT_EQ(std::string(eve["community_id"].GetString()).substr(0, 2), "1:");
  EXPECT_FALSE(eve.HasMember("vlan"));
}

TEST_F(EveWriterTest, FlowObjectCountsBothWays) {
  const Document eve = One(TcpRecord());
  const Value& flow = eve["flow"];
  EXPECT_EQ(flow["pkts_toserver"].GetInt(), 5);
  EXPECT_EQ(flow["pkts_toclient"].GetInt(), 4);
  EXPECT_EQ(flow["bytes_toserver"].GetInt(), 500);
  EXPECT_EQ(flow["bytes_toclient"].GetInt(), 4000);
  EXPECT_STREQ(flow["start"].GetString(), "2024-01-31T12:00:00.000000+0000");
  EXPECT_STREQ(flow["end"].GetString(), "2024-01-31T12:00:03.900000+0000");
  EXPECT_EQ(flow["age"].GetInt(), 3) << "whole seconds";
  EXPECT_STREQ(flow["state"].GetString(), "closed");
  EXPECT_STREQ(flow["reason"].GetString(), "timeout");
}

TEST_F(EveWriterTest, TcpObjectHasFlagsInHex) {
  const Document eve = One(TcpRecord());
  const Value& tcp = eve["tcp"];
  EXPECT_STREQ(tcp["tcp_flags"].GetString(), "1b");
  EXPECT_STREQ(tcp["tcp_flags_ts"].GetString(), "1b");
  EXPECT_STREQ(tcp["tcp_flags_tc"].GetString(), "12");
  EXPECT_TRUE(tcp["fin"].GetBool());
  EXPECT_FALSE(tcp.HasMember("rst"));
  EXPECT_STREQ(tcp["state"].GetString(), "closed");
}

TEST_F(EveWriterTest, OwnWordsStandUnderWeir) {
  const Document eve = One(TcpRecord());
  EXPECT_STREQ(eve["weir"]["end"].GetString(), "fin");
  EXPECT_STREQ(eve["weir"]["history"].GetString(), "ShADadFf");
  EXPECT_EQ(eve["weir"]["shard"].GetInt(), 0);
  EXPECT_FALSE(eve["weir"].HasMember("tunnel"));
}

TEST_F(EveWriterTest, StreamsAreThereWhereTheyWerePutTogether) {
  FlowRecord record = TcpRecord();
  EXPECT_FALSE(One(record)["weir"].HasMember("stream"));
  record.reassembled = true;
  record.stream[0] = {
      .delivered = 10, .lost = 20, .retransmitted = 30, .out_of_order = 4, .conflicts = 5};
  const Document eve = One(record);
  const Value& stream = eve["weir"]["stream"];
  EXPECT_EQ(stream["toserver"]["bytes"].GetInt(), 10);
  EXPECT_EQ(stream["toserver"]["lost"].GetInt(), 20);
  EXPECT_EQ(stream["toserver"]["retransmitted"].GetInt(), 30);
  EXPECT_EQ(stream["toserver"]["out_of_order"].GetInt(), 4);
  EXPECT_EQ(stream["toserver"]["conflicts"].GetInt(), 5);
  EXPECT_EQ(stream["toclient"]["bytes"].GetInt(), 0);
  EXPECT_FALSE(stream["toserver"].HasMember("file"));
}

TEST_F(EveWriterTest, StreamFilesAreNamedWhateverTheirName) {
  FlowRecord record = TcpRecord();
  record.reassembled = true;
  const std::string odd = std::string(20'000, '\x01') + "\"\\\n";
  EveWriter writer({});
  writer.Append(record, {"", odd});
  const Document eve = Parse(writer);
  const Value& stream = eve["weir"]["stream"];
  EXPECT_FALSE(stream["toserver"].HasMember("file"));
  EXPECT_EQ(std::string(stream["toclient"]["file"].GetString()), odd);
}

TEST_F(EveWriterTest, AFullHistoryNeedsNoTerminator) {
  FlowRecord record = TcpRecord();
  record.history.fill('D');
  EXPECT_EQ(One(record)["weir"]["history"].GetStringLength(), record.history.size());
}

struct Reason {
  FlowEnd end;
  const char* reason;
};
class EveReasonTest : public EveWriterTest, public testing::WithParamInterface<Reason> {};
TEST_P(EveReasonTest, IsSuricatasWord) {
  FlowRecord record = TcpRecord();
  record.end = GetParam().end;
  EXPECT_STREQ(One(record)["flow"]["reason"].GetString(), GetParam().reason);
}
INSTANTIATE_TEST_SUITE_P(All, EveReasonTest,
                         testing::Values(Reason{FlowEnd::kIdle, "timeout"},
                                         Reason{FlowEnd::kRst, "timeout"},
                                         Reason{FlowEnd::kEvicted, "forced"},
                                         Reason{FlowEnd::kEnd, "shutdown"},
                                         Reason{FlowEnd::kActive, "active"}),
                         [](const auto& reason) { return std::string(Name(reason.param.end)); });

TEST_F(EveWriterTest, HalfClosedSaysWhoSentTheFin) {
  FlowRecord record = TcpRecord();
  record.state = FlowState::kHalfClosed;
  record.tcp_flags = {0x13, 0x12};
  EXPECT_STREQ(One(record)["tcp"]["state"].GetString(), "close_wait");
  record.tcp_flags = {0x12, 0x13};
  EXPECT_STREQ(One(record)["tcp"]["state"].GetString(), "fin_wait1");
}

TEST_F(EveWriterTest, IcmpHasTypeAndCodeAndPortsOfZero) {
  FlowRecord record = TcpRecord();
  record.key.protocol = ip_protocol::kIcmp;
  record.key.source_port = record.key.destination_port = 4711;
  record.icmp_type = 8;
  const Document eve = One(record);
  EXPECT_STREQ(eve["proto"].GetString(), "ICMP");
  EXPECT_EQ(eve["icmp_type"].GetInt(), 8);
  EXPECT_EQ(eve["icmp_code"].GetInt(), 0);
  EXPECT_EQ(eve["src_port"].GetInt(), 0);
  EXPECT_EQ(eve["dest_port"].GetInt(), 0);
  EXPECT_FALSE(eve.HasMember("tcp"));
}

TEST_F(EveWriterTest, MacPairHasNoAddressesOfIp) {
  FlowRecord record = TcpRecord();
  record.key.family = AddressFamily::kMac;
  record.key.protocol = 0;
  const Document eve = One(record);
  EXPECT_STREQ(eve["ether"]["src_mac"].GetString(), "0a:00:00:01:00:00");
  EXPECT_FALSE(eve.HasMember("src_ip"));
  EXPECT_FALSE(eve.HasMember("community_id"));
}

TEST_F(EveWriterTest, VlansAreAListOfTheOutermostTwo) {
  FlowRecord record = TcpRecord();
  record.vlan_count = 3;
  record.vlan = {100, 200};
  const Document eve = One(record);
  ASSERT_EQ(eve["vlan"].Size(), 2u);
  EXPECT_EQ(eve["vlan"][0].GetInt(), 100);
  EXPECT_EQ(eve["vlan"][1].GetInt(), 200);
}

TEST_F(EveWriterTest, SourceNamesAreEscaped) {
  const Document file = One(TcpRecord(), {.in_iface = "", .pcap_filename = "a\"b\n.pcap"});
  EXPECT_STREQ(file["pcap_filename"].GetString(), "a\"b\n.pcap");
  EXPECT_FALSE(file.HasMember("in_iface"));
  const Document live = One(TcpRecord(), {.in_iface = "eth0", .pcap_filename = ""});
  EXPECT_STREQ(live["in_iface"].GetString(), "eth0");
}

TEST_F(EveWriterTest, InterimRecordsAreNumberedAndHaveDeltas) {
  FlowRecord record = TcpRecord();
  record.end = FlowEnd::kActive;
  record.interim = 1;
  record.packets_delta = {2, 1};
  record.bytes_delta = {200, 100};
  const Document eve = One(record);
  EXPECT_EQ(eve["weir"]["interim"].GetInt(), 1);
  EXPECT_EQ(eve["weir"]["delta"]["pkts_toserver"].GetInt(), 2);
  EXPECT_EQ(eve["weir"]["delta"]["bytes_toclient"].GetInt(), 100);
}

TEST_F(EveWriterTest, TunnelNamesEachElementOfTheKey) {
  FlowRecord record = TcpRecord();
  const uint8_t vlan[] = {0, 7};
  const uint8_t outer[] = {192, 0, 2, 1, 192, 0, 2, 2};
  const uint8_t vni[] = {1, 0, 2};
  record.tunnel.Append(PathElement::kVlan, vlan, 2);
  record.tunnel.Append(PathElement::kOuterIpv4, outer, 8);
  record.tunnel.Append(PathElement::kVxlanVni, vni, 3);
  record.label = {5, 0};
  const Document eve = One(record);
  const Value& tunnel = eve["weir"]["tunnel"];
  ASSERT_EQ(tunnel.Size(), 3u);
  EXPECT_EQ(tunnel[0]["vlan"].GetInt(), 7);
  EXPECT_STREQ(tunnel[1]["outer"][1].GetString(), "192.0.2.2");
  EXPECT_EQ(tunnel[2]["vni"].GetInt(), 0x010002);
  EXPECT_EQ(eve["weir"]["label"]["toserver"].GetInt(), 5);
  EXPECT_FALSE(eve["weir"]["label"].HasMember("toclient"));
}

// The longest line there can be fits what Append reserves: ASan watches.
TEST_F(EveWriterTest, TheLongestLineFits) {
  FlowRecord record;
  std::memset(static_cast<void*>(&record), 0xff, sizeof(record));
  record.answered = record.midstream = record.reassembled = true;  // 0xff is no bool
  record.key.family = AddressFamily::kIpv6;
  record.key.protocol = ip_protocol::kTcp;
  record.state = FlowState::kSynReceived;
  record.end = FlowEnd::kActive;
  record.history.fill('D');
  record.tunnel.Clear();
  while (!record.tunnel.overflow) record.tunnel.Append(PathElement::kVlan, "\xff\xff", 2);
  EveWriter writer({.in_iface = std::string(15, '\1'), .pcap_filename = std::string(4096, '\1')});
  for (int i = 0; i < 100; ++i) writer.Append(record);
  EXPECT_LT(writer.text().size() / 100, 6 * (15 + 4096) + 6 * 1024u);
}

TEST_F(EveWriterTest, ClearStartsANewText) {
  EveWriter writer({});
  writer.Append(TcpRecord());
  const std::string first(writer.text());
  writer.Clear();
  EXPECT_TRUE(writer.text().empty());
  writer.Append(TcpRecord());
  EXPECT_EQ(writer.text(), first);
}

TEST_F(EveWriterTest, StatsTellOfFragments) {
  EveStats stats;
  stats.fragments.completed = 3;
  stats.fragments.overlaps = 2;
  stats.fragments.conflicts = 1;
  EveWriter writer({});
  writer.AppendStats(stats);
  const Document eve = Parse(writer);
  const Value& defrag = eve["stats"]["defrag"];
  EXPECT_EQ(defrag["reassembled"].GetInt(), 3);
  EXPECT_EQ(defrag["overlaps"].GetInt(), 2);
  EXPECT_EQ(defrag["conflicts"].GetInt(), 1);
}

TEST_F(EveWriterTest, StatsHaveTheLedgerOfStreams) {
  EveStats stats;
  StreamCounters& counted = stats.ledger.streams;
  counted.payload = 100;
  counted.delivered = 60;
  counted.retransmitted = 20;
  counted.refused[static_cast<size_t>(Refused::kAfterEnd)] = 15;
  counted.buffered = 5;
  counted.lost[static_cast<size_t>(HoleReason::kTruncated)] = 7;
  counted.holes[static_cast<size_t>(HoleReason::kTruncated)] = 2;
  counted.segments = 9;
  counted.out_of_order = 4;
  counted.conflicts = 3;
  counted.conflicting = 8;
  counted.uncompared = 6;
  EveWriter writer({});
  writer.AppendStats(stats);
  const Document eve = Parse(writer);
  const Value& streams = eve["stats"]["ledger"]["streams"];
  EXPECT_EQ(streams["payload"].GetInt(), 100);
  EXPECT_EQ(streams["delivered"].GetInt(), 60);
  EXPECT_EQ(streams["retransmitted"].GetInt(), 20);
  EXPECT_EQ(streams["refused"]["after_end"].GetInt(), 15);
  EXPECT_EQ(streams["refused"].MemberCount(), kRefusedReasons);
  EXPECT_EQ(streams["buffered"].GetInt(), 5);
  EXPECT_EQ(streams["lost"]["truncated"].GetInt(), 7);
  EXPECT_EQ(streams["lost"].MemberCount(), kHoleReasons);
  EXPECT_EQ(streams["holes"]["truncated"].GetInt(), 2);
  EXPECT_EQ(streams["segments"].GetInt(), 9);
  EXPECT_EQ(streams["out_of_order"].GetInt(), 4);
  EXPECT_EQ(streams["conflicts"].GetInt(), 3);
  EXPECT_EQ(streams["conflicting"].GetInt(), 8);
  EXPECT_EQ(streams["uncompared"].GetInt(), 6);
}

TEST_F(EveWriterTest, StatsHaveTheWholeLedger) {
  EveStats stats;
  stats.ledger.received = 10;
  stats.ledger.duplicate = 3;
  stats.ledger.malformed[static_cast<size_t>(Malformed::kIpVersion)] = 2;
  stats.ledger.shed[0] = 1;
  stats.ledger.tracked = 4;
  stats.source.received = 10;
  stats.source.ring_dropped = 7;
  EveWriter writer({});
  writer.AppendStats(stats);
  const Document eve = Parse(writer);
  EXPECT_STREQ(eve["event_type"].GetString(), "stats");
  const Value& ledger = eve["stats"]["ledger"];
  EXPECT_EQ(ledger["received"].GetInt(), 10);
  EXPECT_EQ(ledger["duplicate"].GetInt(), 3);
  EXPECT_EQ(ledger["malformed"]["ip_version"].GetInt(), 2);
  EXPECT_EQ(ledger["malformed"].MemberCount(), kMalformedReasons);
  EXPECT_EQ(ledger["shed"].GetInt(), 1);
  EXPECT_EQ(ledger["fragment_dropped"].MemberCount(), kFragmentDropReasons);
  EXPECT_EQ(ledger["anomaly"].MemberCount(), kAnomalies);
  EXPECT_EQ(ledger["tracked"].GetInt(), 4);
  EXPECT_EQ(ledger["streams"]["delivered"].GetInt(), 0);
  EXPECT_EQ(eve["stats"]["capture"]["kernel_drops"].GetInt(), 7);
  EXPECT_TRUE(eve["stats"]["capture"]["nic_missed"].IsNull()) << "unknown is not zero";
}

}  // namespace
}  // namespace weir
