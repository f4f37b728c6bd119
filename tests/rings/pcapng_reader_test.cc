#include "rings/pcapng_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rings/capture_file_source.h"
#include "rings/pcapng_time.h"
#include "tests/rings/capture_bytes.h"

namespace weir {
namespace {

using test::CaptureBytes;
using ::testing::HasSubstr;

struct Outcome {
  std::vector<Frame> frames;
  std::vector<std::string> data;
  std::vector<SourceInterface> interfaces;
  absl::Status status;
};

Outcome ReadAll(std::string_view bytes) {
  const int fd = memfd_create("capture", MFD_CLOEXEC);
  EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  Outcome outcome;
  auto source = OpenCaptureFile("/proc/self/fd/" + std::to_string(fd));
  close(fd);
  outcome.status = source.status();
  if (!source.ok()) return outcome;
  Frame frame;
  while (!(*source)->ended()) {
    if ((*source)->Receive({&frame, 1}) == 1) {
      outcome.frames.push_back(frame);
      outcome.data.emplace_back(reinterpret_cast<const char*>(frame.data), frame.captured_length);
    }
    (*source)->Release();
  }
  outcome.status = (*source)->status();
  outcome.interfaces.assign((*source)->interfaces().begin(), (*source)->interfaces().end());
  return outcome;
}

TEST(PcapngReader, InterfacesOfOneFileMayDifferInEverything) {
  for (bool swapped : {false, true}) {
    CaptureBytes file(swapped);
    file.Section();
    file.Interface(1, 64, file.Option(2, "eth0") + file.Option(9, "\x09"));
    file.Interface(101, 0, file.Option(2, "tun0"));
    file.Enhanced(0, 1'000'000'001, "abc").Enhanced(1, 2'000'003, "defgh");
    const Outcome got = ReadAll(file.bytes());
    ASSERT_EQ(got.frames.size(), 2u) << got.status;
    EXPECT_EQ(got.frames[0].timestamp_ns, 1'000'000'001);
    EXPECT_EQ(got.frames[1].timestamp_ns, 2'000'003'000);
    EXPECT_EQ(got.frames[1].link_type, link_type::kRaw);
    EXPECT_EQ(got.frames[1].interface_index, 1);
    EXPECT_EQ(got.data[1], "defgh");
    EXPECT_EQ(got.interfaces[0].name, "eth0");
    EXPECT_EQ(got.interfaces[0].snap_length, 64u);
    EXPECT_EQ(got.interfaces[1].name, "tun0");
  }
}

TEST(PcapngReader, SectionsCountTheirInterfacesAnewInTheirOwnByteOrder) {
  const std::string first = CaptureBytes().Section().Interface(1).Enhanced(0, 1, "a").bytes();
  const std::string second =
      CaptureBytes(true).Section().Interface(113).Enhanced(0, 2, "b").bytes();
  const Outcome got = ReadAll(first + second);
  ASSERT_EQ(got.frames.size(), 2u) << got.status;
  EXPECT_EQ(got.frames[1].link_type, 113);
  EXPECT_EQ(got.frames[1].interface_index, 1);
}

TEST(PcapngReader, FlagsBecomeDirections) {
  CaptureBytes file;
  file.Section().Interface();
  for (uint32_t flags : {0u, 1u, 2u, 1u | 2u << 2, 1u | 3u << 2, 1u | 4u << 2}) {
    file.Enhanced(0, 1, "abc", file.Option(2, CaptureBytes().U32(flags).bytes()));
  }
  const Outcome got = ReadAll(file.bytes());
  ASSERT_EQ(got.frames.size(), 6u) << got.status;
  EXPECT_EQ(got.frames[0].direction, FrameDirection::kUnknown);
  EXPECT_EQ(got.frames[1].direction, FrameDirection::kHost);
  EXPECT_EQ(got.frames[2].direction, FrameDirection::kOutgoing);
  EXPECT_EQ(got.frames[3].direction, FrameDirection::kMulticast);
  EXPECT_EQ(got.frames[4].direction, FrameDirection::kBroadcast);
  EXPECT_EQ(got.frames[5].direction, FrameDirection::kOtherHost);
}

TEST(PcapngReader, SimpleAndObsoletePacketsAreFramesUnknownBlocksAreNot) {
  CaptureBytes file;
  file.Section().Interface(1, 4).Block(0xbad, CaptureBytes().Text("whatever"));
  file.Block(2, CaptureBytes().U16(0).U16(9).U32(0).U32(5).U32(3).U32(60).Text("abc"));
  file.Block(3, CaptureBytes().U32(100).Text("abcd"));
  const Outcome got = ReadAll(file.bytes());
  ASSERT_EQ(got.frames.size(), 2u) << got.status;
  EXPECT_EQ(got.frames[0].timestamp_ns, 5000);
  EXPECT_EQ(got.frames[0].wire_length, 60u);
  EXPECT_EQ(got.data[1], "abcd");
  EXPECT_EQ(got.frames[1].wire_length, 100u);
  EXPECT_EQ(got.frames[1].timestamp_ns, 5000);
}

TEST(PcapngReader, AnInterfaceThatIsNotDescribedIsDamage) {
  const Outcome got =
      ReadAll(CaptureBytes().Section().Interface().Enhanced(0, 1, "a").Enhanced(1, 1, "b").bytes());
  EXPECT_EQ(got.frames.size(), 1u);
  EXPECT_THAT(std::string(got.status.message()),
              HasSubstr("after 1 frame: a packet of interface 1"));
}

TEST(PcapngTime, EveryResolution) {
  const auto ns = [](uint8_t resolution, uint64_t units, int64_t offset = 0) {
    PcapngTime time;
    time.SetResolution(resolution);
    time.SetOffset(offset);
    return time.Nanoseconds(units);
  };
  EXPECT_EQ(ns(0, 3), 3'000'000'000);
  EXPECT_EQ(ns(6, 3), 3000);
  EXPECT_EQ(ns(9, 3), 3);
  EXPECT_EQ(ns(12, 3999), 3);
  EXPECT_EQ(ns(127, UINT64_MAX), 0);
  EXPECT_EQ(ns(0x80, 3), 3'000'000'000);
  EXPECT_EQ(ns(0x80 | 1, 3), 1'500'000'000);
  EXPECT_EQ(ns(0x80 | 30, 1u << 29), 500'000'000);
  EXPECT_EQ(ns(0x80 | 127, UINT64_MAX), 0);
  EXPECT_EQ(ns(6, 3, 10), 10'000'003'000);
  EXPECT_EQ(ns(6, 3, -1), -999'997'000);
  EXPECT_EQ(ns(0, UINT64_MAX), INT64_MAX);
  EXPECT_EQ(ns(0, 0, INT64_MIN), INT64_MIN);
}

std::string Sample() {
  CaptureBytes file;
  file.Section().Interface(1, 0, file.Option(2, "eth0") + file.Option(9, "\x09"));
  file.Enhanced(0, 1, "abcdef", file.Option(2, CaptureBytes().U32(1).bytes()));
  file.Block(5, CaptureBytes().U32(0).U64(0).Text(file.Option(5, CaptureBytes().U64(7).bytes())));
  file.Block(3, CaptureBytes().U32(4).Text("wxyz"));
  return file.bytes() + CaptureBytes(true).Section().Interface(101).Enhanced(0, 2, "b").bytes();
}

TEST(PcapngReader, CutAnywhereGivesAPrefixOfTheFrames) {
  const std::string whole = Sample();
  const Outcome all = ReadAll(whole);
  ASSERT_EQ(all.data.size(), 3u) << all.status;
  for (size_t length = 0; length < whole.size(); ++length) {
    const Outcome got = ReadAll(std::string_view(whole).substr(0, length));
    ASSERT_LE(got.data.size(), all.data.size());
    for (size_t i = 0; i < got.data.size(); ++i) ASSERT_EQ(got.data[i], all.data[i]) << length;
  }
}

TEST(PcapngReader, RandomChangesNeverReadOutside) {
  const std::string whole = Sample();
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string changed = whole;
    for (uint32_t i = 0; i <= random() % 4; ++i) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    for (const std::string& data : ReadAll(changed).data) ASSERT_LE(data.size(), whole.size());
  }
}

}  // namespace
}  // namespace weir
