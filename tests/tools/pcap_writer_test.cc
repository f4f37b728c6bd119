#include "tools/pcap_writer.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rings/capture_file_source.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct Stored {
  std::string data;
  int64_t timestamp_ns;
  uint32_t wire_length;
  uint16_t link_type;
};

std::vector<Stored> ReadBack(const std::string& path) {
  std::vector<Stored> stored;
  auto source = OpenCaptureFile(path);
  EXPECT_TRUE(source.ok()) << source.status();
  if (!source.ok()) return stored;
  Frame frame;
  while (!(*source)->ended()) {
    if ((*source)->Receive({&frame, 1}) == 1) {
      stored.push_back(
          {std::string(reinterpret_cast<const char*>(frame.data), frame.captured_length),
           frame.timestamp_ns, frame.wire_length, frame.link_type});
    }
    (*source)->Release();
  }
  EXPECT_TRUE((*source)->status().ok()) << (*source)->status();
  return stored;
}

Frame MakeFrame(const std::string& data, int64_t timestamp_ns,
                uint16_t type = link_type::kEthernet) {
  Frame frame;
  frame.data = reinterpret_cast<const uint8_t*>(data.data());
  frame.captured_length = static_cast<uint32_t>(data.size());
  frame.wire_length = frame.captured_length + 100;
  frame.timestamp_ns = timestamp_ns;
  frame.link_type = type;
  return frame;
}

class PcapWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "weir-pcap-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ / name; }

  fs::path directory_;
  const std::string data_ = "aaaaaabbbbbb\x08\x06payload of the frame";
};

TEST_F(PcapWriterTest, NanosecondsAndLengthsComeBack) {
  PcapWriter writer({.path = Path("x.pcap")});
  ASSERT_TRUE(writer.Write(MakeFrame(data_, 1'700'000'000'123'456'789), 0).ok());
  ASSERT_TRUE(writer.Close(0).ok());
  const std::vector<Stored> stored = ReadBack(Path("x.pcap"));
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].data, data_);
  EXPECT_EQ(stored[0].timestamp_ns, 1'700'000'000'123'456'789);
  EXPECT_EQ(stored[0].wire_length, data_.size() + 100);
}

TEST_F(PcapWriterTest, AStrippedVlanTagIsPutBack) {
  PcapWriter writer({.path = Path("x.pcap")});
  Frame frame = MakeFrame(data_, 1);
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 0x6064;
  ASSERT_TRUE(writer.Write(frame, 0).ok());
  ASSERT_TRUE(writer.Close(0).ok());
  const std::vector<Stored> stored = ReadBack(Path("x.pcap"));
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].data,
            data_.substr(0, 12) + std::string("\x81\x00\x60\x64", 4) + data_.substr(12));
  EXPECT_EQ(stored[0].wire_length, frame.wire_length)
      << "the tag is part of the wire length already";
}

TEST_F(PcapWriterTest, EachLinkTypeGetsItsFile) {
  PcapWriter writer({.path = Path("x.pcap")});
  ASSERT_TRUE(writer.Write(MakeFrame(data_, 1, link_type::kRaw), 0).ok());
  ASSERT_TRUE(writer.Write(MakeFrame(data_, 2, link_type::kLinuxSll), 0).ok());
  ASSERT_TRUE(writer.Write(MakeFrame(data_, 3, link_type::kRaw), 0).ok());
  ASSERT_TRUE(writer.Close(0).ok());
  const std::vector<Stored> raw = ReadBack(Path("x.pcap")),
                            cooked = ReadBack(Path("x-LINUX_SLL.pcap"));
  ASSERT_EQ(raw.size(), 2u);
  ASSERT_EQ(cooked.size(), 1u);
  EXPECT_EQ(raw[1].link_type, link_type::kRaw);
  EXPECT_EQ(cooked[0].link_type, link_type::kLinuxSll);
}

TEST_F(PcapWriterTest, RotatedFilesAreWholeAndLoseNothing) {
  PcapWriter writer({.path = Path("x.pcap"), .rotate_bytes = 1000});
  for (int64_t i = 0; i < 100; ++i) ASSERT_TRUE(writer.Write(MakeFrame(data_, i), 0).ok());
  ASSERT_TRUE(writer.Close(0).ok());
  int64_t next = 0;
  for (int file = 0; next < 100; ++file) {
    const std::string path = Path("x.pcap") + (file == 0 ? "" : std::to_string(file));
    ASSERT_TRUE(fs::exists(path));
    EXPECT_LE(fs::file_size(path), 1000u + 16 + data_.size());
    for (const Stored& frame : ReadBack(path)) EXPECT_EQ(frame.timestamp_ns, next++);
  }
}

TEST_F(PcapWriterTest, NoFrameLeavesAnEmptyCapture) {
  PcapWriter writer({.path = Path("x.pcap")});
  ASSERT_TRUE(writer.Close(0).ok());
  EXPECT_TRUE(ReadBack(Path("x.pcap")).empty());
}

TEST_F(PcapWriterTest, AFullDiskIsReported) {
  PcapWriter writer({.path = "/dev/full"});
  absl::Status status = writer.Write(MakeFrame(data_, 1), 0);
  status.Update(writer.Close(0));
  EXPECT_THAT(std::string(status.message()), HasSubstr("make room"));
}

}  // namespace
}  // namespace weir
