#include "tools/stream_files.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string_view>

#include "tests/support/temporary_folder.h"

namespace weir {
namespace {

using test::ReadFile;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr char kToServer[] = "010.000.000.001.40000-192.168.010.002.00080";
constexpr char kToClient[] = "192.168.010.002.00080-010.000.000.001.40000";

FlowRecord Record(uint32_t slot, uint32_t generation = 1) {
  FlowRecord record;
  record.handle = {slot, generation};
  record.key.family = AddressFamily::kIpv4;
  record.key.protocol = ip_protocol::kTcp;
  inet_pton(AF_INET, "10.0.0.1", record.key.source.data());
  inet_pton(AF_INET, "192.168.10.2", record.key.destination.data());
  record.key.source_port = 40000;
  record.key.destination_port = 80;
  return record;
}

// Events as a shard would tell them.
class StreamFilesTest : public testing::Test {
 protected:
  void Open(StreamFilesOptions options = {}) {
    options.folder = folder_.File("out");
    auto files = StreamFiles::Open(options);
    ASSERT_TRUE(files.ok()) << files.status();
    files_ = *std::move(files);
  }
  absl::Status Tell(EventKind kind, const FlowRecord& record) {
    Event event;
    event.kind = kind;
    event.flow = record.handle;
    event.record = &record;
    return files_->Handle(event);
  }
  FlowRecord Start(const FlowRecord& record) {
    EXPECT_TRUE(Tell(EventKind::kFlowStarted, record).ok());
    return record;
  }
  void End(const FlowRecord& record) { EXPECT_TRUE(Tell(EventKind::kFlowEnded, record).ok()); }
  absl::Status Data(const FlowRecord& record, int direction, uint64_t offset,
                    std::string_view text) {
    Event event;
    event.kind = EventKind::kStreamData;
    event.flow = record.handle;
    event.direction = static_cast<uint8_t>(direction);
    event.offset = offset;
    event.data = reinterpret_cast<const uint8_t*>(text.data());
    event.size = text.size();
    return files_->Handle(event);
  }
  void EndStream(const FlowRecord& record, int direction) {
    Event event;
    event.kind = EventKind::kStreamEnd;
    event.flow = record.handle;
    event.direction = static_cast<uint8_t>(direction);
    EXPECT_TRUE(files_->Handle(event).ok());
  }
  std::map<std::string, std::string> Written() {
    EXPECT_TRUE(files_->Close().ok());
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder_.File("out"))) {
      files[entry.path().filename()] = ReadFile(entry.path());
    }
    return files;
  }

  TemporaryFolder folder_;
  std::unique_ptr<StreamFiles> files_;
};

using Files = std::map<std::string, std::string>;

TEST_F(StreamFilesTest, EachDirectionHasAFileNamedAsTcpflowNamesIt) {
  Open();
  const FlowRecord flow = Start(Record(1));
  ASSERT_TRUE(Data(flow, 0, 0, "question").ok());
  ASSERT_TRUE(Data(flow, 1, 0, "answer").ok());
  ASSERT_TRUE(Data(flow, 0, 8, "!").ok());
  EXPECT_THAT(files_->NamesOf(flow.handle), ElementsAre(kToServer, kToClient));
  EXPECT_EQ(files_->files(), 2u);
  EXPECT_EQ(files_->bytes(), 15u);
  EXPECT_EQ(Written(), (Files{{kToServer, "question!"}, {kToClient, "answer"}}));
}

TEST_F(StreamFilesTest, Ipv6AddressesStandAsTheyAreWritten) {
  Open();
  FlowRecord flow = Record(1);
  flow.key.family = AddressFamily::kIpv6;
  inet_pton(AF_INET6, "2001:db8::1", flow.key.source.data());
  inet_pton(AF_INET6, "fe80::a:b", flow.key.destination.data());
  Start(flow);
  ASSERT_TRUE(Data(flow, 0, 0, "x").ok());
  EXPECT_EQ(Written(), (Files{{"2001:db8::1.40000-fe80::a:b.00080", "x"}}));
}

TEST_F(StreamFilesTest, TheVlanStandsBehindTheEndpoints) {
  Open();
  FlowRecord flow = Record(1);
  flow.vlan_count = 1;
  flow.vlan[0] = 7;
  Start(flow);
  ASSERT_TRUE(Data(flow, 0, 0, "x").ok());
  EXPECT_EQ(Written(), (Files{{std::string(kToServer) + "--7", "x"}}));
}

TEST_F(StreamFilesTest, LaterConnectionsOfTheSameEndpointsAreNumbered) {
  Open();
  for (uint32_t generation : {1, 2, 3}) {
    const FlowRecord flow = Start(Record(1, generation));
    ASSERT_TRUE(Data(flow, 0, 0, std::to_string(generation)).ok());
    if (generation == 2) {
      ASSERT_TRUE(Data(flow, 1, 0, "first answer").ok());
    }
    End(flow);
  }
  const std::string name = kToServer;
  EXPECT_EQ(
      Written(),
      (Files{{name, "1"}, {name + "c1", "2"}, {name + "c2", "3"}, {kToClient, "first answer"}}));
}

TEST_F(StreamFilesTest, AFlowWithoutBytesMakesNoFile) {
  Open();
  const FlowRecord flow = Start(Record(1));
  ASSERT_TRUE(Data(flow, 0, 0, "").ok());
  EndStream(flow, 0);
  EXPECT_THAT(files_->NamesOf(flow.handle), ElementsAre("", ""));
  End(flow);
  EXPECT_EQ(Written(), Files());
}

TEST_F(StreamFilesTest, LostBytesReadAsZeros) {
  Open();
  const FlowRecord flow = Start(Record(1));
  ASSERT_TRUE(Data(flow, 0, 2, "cd").ok());
  ASSERT_TRUE(Data(flow, 0, 6, "gh").ok());
  EXPECT_EQ(Written()[kToServer], std::string("\0\0cd\0\0gh", 8));
}

TEST_F(StreamFilesTest, LostBytesAreLeftOutWhenAskedFor) {
  Open({.holes = StreamHoles::kJoin});
  const FlowRecord flow = Start(Record(1));
  ASSERT_TRUE(Data(flow, 0, 2, "cd").ok());
  ASSERT_TRUE(Data(flow, 0, 6'000'000'000'000'000'000, "gh").ok());
  EXPECT_EQ(Written()[kToServer], "cdgh");
}

TEST_F(StreamFilesTest, AFlipTurnsDirectionsButNoFile) {
  Open();
  FlowRecord flow = Start(Record(1));
  ASSERT_TRUE(Data(flow, 0, 0, "one ").ok());
  std::swap(flow.key.source, flow.key.destination);
  std::swap(flow.key.source_port, flow.key.destination_port);
  ASSERT_TRUE(Tell(EventKind::kFlowFlipped, flow).ok());
  ASSERT_TRUE(Data(flow, 1, 4, "two").ok());
  ASSERT_TRUE(Data(flow, 0, 0, "three").ok());
  EXPECT_THAT(files_->NamesOf(flow.handle), ElementsAre(kToClient, kToServer));
  EXPECT_EQ(Written(), (Files{{kToServer, "one two"}, {kToClient, "three"}}));
}

TEST_F(StreamFilesTest, AFileOfAnEarlierRunIsWrittenAnew) {
  for (const char* text : {"a long text of the first run", "short"}) {
    Open();
    const FlowRecord flow = Start(Record(1));
    ASSERT_TRUE(Data(flow, 0, 0, text).ok());
    ASSERT_TRUE(files_->Close().ok());
  }
  EXPECT_EQ(Written(), (Files{{kToServer, "short"}}));
}

TEST_F(StreamFilesTest, NoFileOfThisRunIsLostWhenThereAreMoreNamesThanAreCounted) {
  Open({.most_names = 4});
  Files expected;
  for (uint32_t i = 0; i < 60; ++i) {
    FlowRecord flow = Record(1, i);
    flow.key.source_port = static_cast<uint16_t>(50000 + i % 20);
    Start(flow);
    ASSERT_TRUE(Data(flow, 0, 0, std::to_string(i)).ok());
    expected[files_->NamesOf(flow.handle)[0]] = std::to_string(i);
    End(flow);
  }
  EXPECT_EQ(expected.size(), 60u);
  EXPECT_EQ(Written(), expected);
}

// Interleaved at random, some with holes, 8 handles for 10,000 flows.
TEST_F(StreamFilesTest, TenThousandFlowsAreIdenticalWithEightHandles) {
  constexpr uint32_t kFlows = 10'000;
  Open({.handles = 8});
  std::mt19937 random(7);
  std::vector<FlowRecord> flows;
  std::vector<std::string> expected(kFlows);
  for (uint32_t i = 0; i < kFlows; ++i) {
    flows.push_back(Record(i));
    flows[i].key.source[2] = static_cast<uint8_t>(i >> 8);
    flows[i].key.source[3] = static_cast<uint8_t>(i);
    Start(flows[i]);
  }
  for (int step = 0; step < 40'000; ++step) {
    const uint32_t i = random() % kFlows;
    if (random() % 8 == 0) expected[i].append(random() % 50, '\0');
    const std::string text(1 + random() % 100, static_cast<char>('a' + step % 26));
    ASSERT_TRUE(Data(flows[i], 0, expected[i].size(), text).ok());
    expected[i] += text;
  }
  ASSERT_TRUE(files_->Close().ok());
  for (uint32_t i = 0; i < kFlows; ++i) {
    if (expected[i].empty()) continue;
    const std::string name = files_->NamesOf(flows[i].handle)[0];
    ASSERT_EQ(ReadFile(folder_.File("out/" + name)), expected[i]) << name;
  }
}

TEST_F(StreamFilesTest, AnEndedStreamGivesItsHandleBack) {
  Open({.handles = 1});
  const FlowRecord flow = Start(Record(1));
  ASSERT_TRUE(Data(flow, 0, 0, "x").ok());
  EndStream(flow, 0);
  EXPECT_EQ(ReadFile(folder_.File(std::string("out/") + kToServer)), "x");
}

TEST_F(StreamFilesTest, AfterAnErrorNothingMoreIsWritten) {
  Open();
  const FlowRecord flow = Start(Record(1));
  fs::create_directories(folder_.File(std::string("out/") + kToServer));
  const absl::Status status = Data(flow, 0, 0, "x");
  EXPECT_THAT(status.message(), HasSubstr(kToServer));
  EXPECT_THAT(status.message(), HasSubstr("directory"));
  EXPECT_EQ(Data(flow, 1, 0, "y"), status);
  EXPECT_EQ(files_->Close(), status);
}

}  // namespace
}  // namespace weir
