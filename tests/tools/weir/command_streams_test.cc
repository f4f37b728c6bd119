// --streams and what belongs to it, from outside: captures go in, files and records come out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "engine/packet/packet.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using rapidjson::Document;
using rapidjson::Value;
using testing::HasSubstr;
using testing::SizeIs;
namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

// Both sides of one connection, as frames. Sequence numbers are where the texts begin: `at` counts
// from the first byte of the direction.
class Session {
 public:
  Session(std::string client, uint16_t client_port, std::string server, uint16_t server_port)
      : client_(std::move(client)),
        server_(std::move(server)),
        client_port_(client_port),
        server_port_(server_port) {}

  Bytes FromClient(uint32_t at, std::string_view text, uint32_t acknowledged = 0) const {
    return Frame(true, {.seq = kClient + at, .ack = kServer + acknowledged}, text);
  }
  Bytes FromServer(uint32_t at, std::string_view text, uint32_t acknowledged = 0) const {
    return Frame(false, {.seq = kServer + at, .ack = kClient + acknowledged}, text);
  }
  Bytes Syn() const { return Frame(true, {.seq = kClient - 1, .flags = tcp_flag::kSyn}, ""); }
  Bytes SynAck() const {
    return Frame(false, {.seq = kServer - 1, .ack = kClient, .flags = kSynAck}, "");
  }
  Bytes ClientFin(uint32_t at) const {
    return Frame(true, {.seq = kClient + at, .ack = kServer, .flags = kFinAck}, "");
  }
  Bytes ServerFin(uint32_t at, uint32_t acknowledged) const {
    return Frame(false, {.seq = kServer + at, .ack = kClient + acknowledged, .flags = kFinAck}, "");
  }

  static constexpr uint32_t kClient = 0xffff'fff0;  // numbers wrap in the middle
  static constexpr uint32_t kServer = 5000;

 private:
  static constexpr uint8_t kSynAck = tcp_flag::kSyn | tcp_flag::kAck;
  static constexpr uint8_t kFinAck = tcp_flag::kFin | tcp_flag::kAck;

  Bytes Frame(bool client, const TcpFields& fields, std::string_view text) const {
    PacketBuilder builder;
    builder.Ethernet();
    if (client) {
      builder.Ipv4(client_, server_).Tcp(client_port_, server_port_, fields);
    } else {
      builder.Ipv4(server_, client_).Tcp(server_port_, client_port_, fields);
    }
    return builder.Payload(text).Build();
  }

  std::string client_, server_;
  uint16_t client_port_, server_port_;
};

constexpr char kToServer[] = "010.000.000.001.40000-010.000.000.002.00080";
constexpr char kToClient[] = "010.000.000.002.00080-010.000.000.001.40000";

class CommandStreamsTest : public testing::Test {
 protected:
  // Reads the frames with --streams and --eve beside the given options.
  void Run(const std::vector<Bytes>& frames, std::vector<std::string> options = {}) {
    const std::string capture = folder_.File("in.pcap");
    WriteFile(capture, PcapOf(frames));
    std::vector<std::string> arguments = {"-r",    capture, "--streams", folder_.File("out"),
                                          "--eve", "-",     "--quiet"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const CommandResult result = RunWeir(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    records_ = Lines(result.out);
  }
  Files Written() const {
    Files files;
    for (const auto& entry : fs::directory_iterator(folder_.File("out"))) {
      files[entry.path().filename()] = ReadFile(entry.path());
    }
    return files;
  }
  Document Record(size_t index) const {
    Document document;
    document.Parse(records_.at(index).c_str());
    EXPECT_FALSE(document.HasParseError()) << records_.at(index);
    return document;
  }
  Document Stats() const { return Record(records_.size() - 1); }

  const Session web_{"10.0.0.1", 40000, "10.0.0.2", 80};
  TemporaryFolder folder_;
  std::vector<std::string> records_;
};

TEST_F(CommandStreamsTest, AFilterAndAFolderGiveTheBytesOfOneSession) {
  const Session other_host("10.0.0.3", 40000, "10.0.0.2", 80);
  const Session other_port("10.0.0.1", 40000, "10.0.0.2", 443);
  std::vector<Bytes> frames;
  for (const Session* session : {&other_host, &web_, &other_port}) {
    frames.push_back(session->Syn());
    frames.push_back(session->SynAck());
  }
  for (const Session* session : {&web_, &other_port, &other_host}) {
    frames.push_back(session->FromClient(10, "and more", 0));
    frames.push_back(session->FromClient(0, "GET / HTTP", 0));
    frames.push_back(session->FromServer(0, "200 ", 18));
  }
  for (const Session* session : {&other_port, &other_host, &web_}) {
    frames.push_back(session->FromServer(0, "200 ", 18));
    frames.push_back(session->FromServer(4, "OK", 18));
    frames.push_back(session->ClientFin(18));
    frames.push_back(session->ServerFin(6, 19));
  }
  Run(frames, {"--filter", "tcp port 80 and host 10.0.0.1"});
  EXPECT_EQ(Written(), (Files{{kToServer, "GET / HTTPand more"}, {kToClient, "200 OK"}}));
  ASSERT_THAT(records_, SizeIs(2));
  const Document record = Record(0);
  const Value& stream = record["weir"]["stream"];
  EXPECT_STREQ(stream["toserver"]["file"].GetString(), kToServer);
  EXPECT_STREQ(stream["toclient"]["file"].GetString(), kToClient);
  EXPECT_EQ(stream["toserver"]["bytes"].GetInt(), 18);
  EXPECT_EQ(stream["toserver"]["out_of_order"].GetInt(), 1);
  EXPECT_EQ(stream["toclient"]["bytes"].GetInt(), 6);
  EXPECT_EQ(stream["toclient"]["retransmitted"].GetInt(), 4);
}

TEST_F(CommandStreamsTest, TheLedgerOfPayloadAddsUp) {
  Run({web_.Syn(), web_.FromClient(0, "abc"), web_.FromClient(0, "abc"), web_.FromClient(6, "gh"),
       web_.ClientFin(8)});
  const Document stats = Stats();
  const Value& streams = stats["stats"]["ledger"]["streams"];
  EXPECT_EQ(streams["payload"].GetInt(), 8);
  EXPECT_EQ(streams["delivered"].GetInt(), 5);
  EXPECT_EQ(streams["retransmitted"].GetInt(), 3);
  EXPECT_EQ(streams["buffered"].GetInt(), 0);
  EXPECT_EQ(streams["lost"]["end"].GetInt(), 3);
  EXPECT_EQ(streams["holes"]["end"].GetInt(), 1);
  EXPECT_EQ(streams["out_of_order"].GetInt(), 1);
}

TEST_F(CommandStreamsTest, LostBytesAreZerosOrLeftOut) {
  const std::vector<Bytes> frames = {web_.Syn(), web_.FromClient(0, "abc"),
                                     web_.FromClient(6, "gh")};
  Run(frames);
  EXPECT_EQ(Written()[kToServer], std::string("abc\0\0\0gh", 8));
  EXPECT_EQ(Record(0)["weir"]["stream"]["toserver"]["lost"].GetInt(), 3);
  Run(frames, {"--stream-holes", "join"});
  EXPECT_EQ(Written()[kToServer], "abcgh");
}

TEST_F(CommandStreamsTest, ThePolicyDecidesContradictionsOfBytesThatWait) {
  const std::vector<Bytes> frames = {web_.Syn(), web_.SynAck(), web_.FromClient(5, "good"),
                                     web_.FromClient(5, "evil"), web_.FromClient(0, "some ")};
  for (const auto& [policy, bytes] : Files{{"first", "some good"}, {"last", "some evil"}}) {
    Run(frames, {"--overlap", policy});
    EXPECT_EQ(Written()[kToServer], bytes) << policy;
    EXPECT_EQ(Record(0)["weir"]["stream"]["toserver"]["conflicts"].GetInt(), 1) << policy;
  }
}

// What was delivered is compared as far back as --stream-history.
TEST_F(CommandStreamsTest, ThePolicyDecidesContradictionsOfBytesInOrder) {
  const std::vector<Bytes> frames = {web_.Syn(), web_.SynAck(), web_.FromClient(0, "good"),
                                     web_.FromClient(0, "evil"), web_.FromServer(0, "ok", 4)};
  for (const auto& [policy, bytes] : Files{{"first", "good"}, {"last", "evil"}}) {
    Run(frames, {"--overlap", policy});
    EXPECT_EQ(Written()[kToServer], bytes) << policy;
    EXPECT_EQ(Record(0)["weir"]["stream"]["toserver"]["conflicts"].GetInt(), 1) << policy;
  }
}

TEST_F(CommandStreamsTest, ThePolicyDecidesContradictionsOfFragments) {
  constexpr size_t kIpEnd = 14 + 20;
  const Bytes whole = web_.FromClient(0, "headgoodgoodtail");
  const auto fragment = [&](uint32_t start, uint32_t end, std::string_view instead = "") {
    Bytes bytes(whole.begin() + kIpEnd + start, whole.begin() + kIpEnd + end);
    std::copy(instead.begin(), instead.end(), bytes.begin());
    return PacketBuilder()
        .Ethernet()
        .Ipv4("10.0.0.1", "10.0.0.2")
        .Ipv4Fragment(7, start, end < whole.size() - kIpEnd, ip_protocol::kTcp)
        .Payload(bytes)
        .Build();
  };
  const std::vector<Bytes> frames = {web_.Syn(), fragment(0, 24), fragment(24, 32),
                                     fragment(24, 32, "evilevil"), fragment(32, 36)};
  Run(frames, {"--overlap", "first"});
  EXPECT_EQ(Written()[kToServer], "headgoodgoodtail");
  Run(frames, {"--overlap", "last"});
  EXPECT_EQ(Written()[kToServer], "headevileviltail");
}

TEST_F(CommandStreamsTest, ALaterConnectionHasItsOwnFile) {
  std::vector<Bytes> frames;
  for (const char* text : {"one", "two"}) {
    frames.push_back(web_.Syn());
    frames.push_back(web_.SynAck());
    frames.push_back(web_.FromClient(0, text));
    frames.push_back(web_.ClientFin(3));
    frames.push_back(web_.ServerFin(0, 4));
    frames.push_back(web_.FromClient(4, "", 1));
  }
  Run(frames);
  const std::string second = std::string(kToServer) + "c1";
  EXPECT_EQ(Written(), (Files{{kToServer, "one"}, {second, "two"}}));
  ASSERT_THAT(records_, SizeIs(3));
  EXPECT_STREQ(Record(0)["weir"]["stream"]["toserver"]["file"].GetString(), kToServer);
  EXPECT_EQ(Record(1)["weir"]["stream"]["toserver"]["file"].GetString(), second);
}

TEST_F(CommandStreamsTest, ALateSynTurnsNoFileRound) {
  Run({web_.FromServer(0, "early "), web_.Syn(), web_.FromServer(6, "late"),
       web_.FromClient(0, "question", 10)});
  EXPECT_EQ(Written(), (Files{{kToClient, "early late"}, {kToServer, "question"}}));
  EXPECT_STREQ(Record(0)["weir"]["stream"]["toserver"]["file"].GetString(), kToServer);
}

TEST_F(CommandStreamsTest, TheDepthCutsEachDirection) {
  Run({web_.Syn(), web_.FromClient(0, "abcdef"), web_.FromClient(6, "ghi")},
      {"--stream-depth", "8"});
  EXPECT_EQ(Written()[kToServer], "abcdefgh");
  EXPECT_EQ(Stats()["stats"]["ledger"]["streams"]["refused"]["depth"].GetInt(), 1);
}

TEST_F(CommandStreamsTest, WrongChecksumsAreUsedUnlessDropped) {
  Bytes broken = web_.FromClient(0, "abc");
  broken.back() ^= 1;
  const std::vector<Bytes> frames = {web_.Syn(), broken, web_.FromClient(3, "def")};
  Run(frames);
  EXPECT_EQ(Written()[kToServer], "abbdef");
  Run(frames, {"--checksum", "drop", "--stream-holes", "join"});
  EXPECT_EQ(Written()[kToServer], "def");
  EXPECT_EQ(Stats()["stats"]["ledger"]["streams"]["refused"]["checksum"].GetInt(), 3);
}

TEST_F(CommandStreamsTest, WithoutAFolderEveStillTellsOfStreams) {
  const std::string capture = folder_.File("in.pcap");
  WriteFile(capture, PcapOf({web_.Syn(), web_.FromClient(0, "abc")}));
  records_ = Lines(RunWeir({"-r", capture, "--eve", "-", "--quiet"}).out);
  const Document record = Record(0);
  const Value& stream = record["weir"]["stream"]["toserver"];
  EXPECT_EQ(stream["bytes"].GetInt(), 3);
  EXPECT_FALSE(stream.HasMember("file"));
}

TEST_F(CommandStreamsTest, TheReportSaysHowManyFilesAndWhere) {
  const std::string capture = folder_.File("in.pcap"), out = folder_.File("a/b");
  WriteFile(capture, PcapOf({web_.Syn(), web_.FromClient(0, "abc")}));
  const CommandResult result = RunWeir({"-r", capture, "--streams", out});
  EXPECT_THAT(result.out, HasSubstr("Streams: 1 files, 3 B, in " + out));
  EXPECT_THAT(result.out, HasSubstr("Where the TCP payload went"));
}

TEST_F(CommandStreamsTest, AFolderThatCannotBeMadeEndsWithStatusOne) {
  const std::string capture = folder_.File("in.pcap");
  WriteFile(capture, PcapOf({web_.Syn()}));
  const CommandResult result = RunWeir({"-r", capture, "--streams", capture});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot make the folder " + capture));
}

TEST_F(CommandStreamsTest, AFileThatCannotBeWrittenEndsWithStatusOne) {
  const std::string capture = folder_.File("in.pcap"), out = folder_.File("out");
  WriteFile(capture, PcapOf({web_.Syn(), web_.FromClient(0, "abc")}));
  fs::create_directories(out + "/" + kToServer);
  const CommandResult result = RunWeir({"-r", capture, "--streams", out});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr(std::string("cannot open ") + out + "/" + kToServer));
}

}  // namespace
}  // namespace weir::test
