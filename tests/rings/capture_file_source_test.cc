#include "rings/capture_file_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/rings/capture_bytes.h"

namespace weir {
namespace {

using test::CaptureBytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Seen {
  std::string data;
  int64_t timestamp_ns;
  uint32_t wire_length;
  uint16_t link_type;
  uint16_t interface_index;
  FrameDirection direction;
};

// A file in memory with a path of its own.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(memfd_create("capture", MFD_CLOEXEC)) {
    EXPECT_EQ(write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

struct Outcome {
  std::vector<Seen> frames;
  absl::Status status;
  std::vector<SourceInterface> interfaces;
};

Outcome Drain(CaptureFileSource& source, size_t batch = kBatchFrames) {
  Outcome outcome;
  std::vector<Frame> frames(batch);
  while (!source.ended()) {
    const int count = source.Receive(frames);
    for (int i = 0; i < count; ++i) {
      const Frame& f = frames[i];
      outcome.frames.push_back(
          {std::string(reinterpret_cast<const char*>(f.data), f.captured_length), f.timestamp_ns,
           f.wire_length, f.link_type, f.interface_index, f.direction});
    }
    source.Release();
  }
  outcome.status = source.status();
  outcome.interfaces.assign(source.interfaces().begin(), source.interfaces().end());
  return outcome;
}

Outcome ReadAll(std::string_view bytes, const CaptureFileOptions& options = {}) {
  MemoryFile file(bytes);
  auto source = OpenCaptureFile(file.path(), options);
  if (!source.ok()) return {{}, source.status(), {}};
  return Drain(**source);
}

TEST(CaptureFile, PcapMicrosecondsBecomeNanoseconds) {
  for (bool swapped : {false, true}) {
    const Outcome got =
        ReadAll(CaptureBytes(swapped).PcapHeader().PcapRecord(7, 999999, "abc", 60).bytes());
    ASSERT_EQ(got.frames.size(), 1u) << got.status;
    EXPECT_EQ(got.frames[0].timestamp_ns, 7'999'999'000);
    EXPECT_EQ(got.frames[0].data, "abc");
    EXPECT_EQ(got.frames[0].wire_length, 60u);
    EXPECT_TRUE(got.status.ok());
  }
}

TEST(CaptureFile, PcapNanosecondsStayWhole) {
  for (bool swapped : {false, true}) {
    const Outcome got = ReadAll(
        CaptureBytes(swapped).PcapHeader(0xa1b23c4d).PcapRecord(7, 123456789, "abc").bytes());
    ASSERT_EQ(got.frames.size(), 1u);
    EXPECT_EQ(got.frames[0].timestamp_ns, 7'123'456'789);
  }
}

TEST(CaptureFile, PatchedPcapHasLongerRecordsWithDirection) {
  CaptureBytes file;
  file.PcapHeader(0xa1b2cd34);
  for (uint8_t type : {uint8_t{0}, uint8_t{4}}) {
    file.U32(1).U32(2).U32(3).U32(3).U32(9).U16(8).U8(type).U8(0).Text("abc");
  }
  const Outcome got = ReadAll(file.bytes());
  ASSERT_EQ(got.frames.size(), 2u) << got.status;
  EXPECT_EQ(got.frames[1].data, "abc");
  EXPECT_EQ(got.frames[0].direction, FrameDirection::kHost);
  EXPECT_EQ(got.frames[1].direction, FrameDirection::kOutgoing);
}

TEST(CaptureFile, OldPcapVersionsHaveTheLengthsTheOtherWayRound) {
  CaptureBytes file;
  file.PcapHeader(0xa1b2c3d4, 1, 65535, 2).U32(1).U32(2).U32(60).U32(3).Text("abc");
  const Outcome got = ReadAll(file.bytes());
  ASSERT_EQ(got.frames.size(), 1u) << got.status;
  EXPECT_EQ(got.frames[0].data, "abc");
  EXPECT_EQ(got.frames[0].wire_length, 60u);
}

TEST(CaptureFile, LinkTypesAreLinktypeValues) {
  for (auto [number, wanted] : {std::pair<uint32_t, uint16_t>{101, 101},
                                {12, 101},
                                {14, 101},
                                {113, 113},
                                {276, 276},
                                {0x14000001, 1}}) {
    const Outcome got =
        ReadAll(CaptureBytes().PcapHeader(0xa1b2c3d4, number).PcapRecord(1, 1, "abc").bytes());
    ASSERT_EQ(got.frames.size(), 1u);
    EXPECT_EQ(got.frames[0].link_type, wanted) << number;
  }
}

TEST(CaptureFile, CutPcapGivesTheFramesBeforeAndSaysWhere) {
  std::string file =
      CaptureBytes().PcapHeader().PcapRecord(1, 1, "abcd").PcapRecord(2, 2, "efgh").bytes();
  file.pop_back();
  const Outcome got = ReadAll(file);
  EXPECT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(got.status.message()), HasSubstr("damaged at byte 44, after 1 frame"));
}

TEST(CaptureFile, AFrameBeyondTheSnapLengthIsGivenWhole) {
  const std::string big(300'000, 'x');
  const Outcome got =
      ReadAll(CaptureBytes().PcapHeader(0xa1b2c3d4, 1, 64).PcapRecord(1, 1, big).bytes());
  ASSERT_EQ(got.frames.size(), 1u) << got.status;
  EXPECT_EQ(got.frames[0].data, big);
}

TEST(CaptureFile, FramesOfManySizesSurviveTheMovingWindow) {
  CaptureBytes file;
  file.PcapHeader();
  std::vector<std::string> wanted;
  for (uint32_t i = 0; i < 3000; ++i) {
    wanted.push_back(
        std::string(i % 97 == 0 ? 520'000 - i : i % 1500, static_cast<char>('a' + i % 26)));
    if (wanted.size() > 200) wanted.back().resize(i % 1500);
    file.PcapRecord(i, 0, wanted.back());
  }
  const Outcome got = ReadAll(file.bytes());
  ASSERT_EQ(got.frames.size(), wanted.size()) << got.status;
  for (size_t i = 0; i < wanted.size(); ++i) ASSERT_TRUE(got.frames[i].data == wanted[i]) << i;
}

TEST(CaptureFile, FramesStayValidUntilReleaseOverSeveralReceives) {
  CaptureBytes file;
  file.PcapHeader();
  for (uint32_t i = 0; i < 1000; ++i)
    file.PcapRecord(i, 0, std::string(1000, static_cast<char>(i)));
  MemoryFile memory(file.bytes());
  auto source = OpenCaptureFile(memory.path());
  ASSERT_TRUE(source.ok());
  std::vector<Frame> frames(1000);
  size_t held = 0, total = 0;
  while (!(*source)->ended()) {
    const int count = (*source)->Receive(std::span(frames).subspan(held, 10));
    held += static_cast<size_t>(count);
    if (count > 0 && held < 990) continue;
    for (size_t i = 0; i < held; ++i) {
      ASSERT_EQ(frames[i].data[0], static_cast<uint8_t>(total + i));
      ASSERT_EQ(frames[i].data[999], static_cast<uint8_t>(total + i));
    }
    total += held;
    held = 0;
    (*source)->Release();
  }
  EXPECT_EQ(total, 1000u);
}

TEST(CaptureFile, SnapLengthOptionCuts) {
  const Outcome got =
      ReadAll(CaptureBytes().PcapHeader().PcapRecord(1, 1, "abcdef").bytes(), {.snap_length = 4});
  ASSERT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.frames[0].data, "abcd");
  EXPECT_EQ(got.frames[0].wire_length, 6u);
}

TEST(CaptureFile, CookedCapturesTellTheDirection) {
  const std::string outgoing = std::string("\0\4", 2) + std::string(14, '\0');
  const Outcome got =
      ReadAll(CaptureBytes().PcapHeader(0xa1b2c3d4, 113).PcapRecord(1, 1, outgoing).bytes());
  ASSERT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.frames[0].direction, FrameDirection::kOutgoing);
}

TEST(CaptureFile, APipeIsNotWaitedForInReceive) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string bytes = CaptureBytes().PcapHeader().PcapRecord(1, 1, "abcdef").bytes();
  ASSERT_EQ(write(ends[1], bytes.data(), bytes.size() - 2), static_cast<ssize_t>(bytes.size() - 2));
  auto source = OpenCaptureFile("/proc/self/fd/" + std::to_string(ends[0]));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_GE((*source)->wait_fd(), 0);
  Frame frame;
  EXPECT_EQ((*source)->Receive({&frame, 1}), 0);
  EXPECT_FALSE((*source)->ended());
  ASSERT_EQ(write(ends[1], bytes.data() + bytes.size() - 2, 2), 2);
  EXPECT_EQ((*source)->Receive({&frame, 1}), 1);
  EXPECT_EQ(std::memcmp(frame.data, "abcdef", 6), 0);
  (*source)->Release();
  close(ends[1]);
  EXPECT_EQ((*source)->Receive({&frame, 1}), 0);
  EXPECT_TRUE((*source)->ended());
  EXPECT_TRUE((*source)->status().ok()) << (*source)->status();
  close(ends[0]);
}

TEST(CaptureFile, ProgressEndsAtTheFileSize) {
  const std::string bytes = CaptureBytes().PcapHeader().PcapRecord(1, 1, "abcdef").bytes();
  MemoryFile memory(bytes);
  auto source = OpenCaptureFile(memory.path());
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->total_bytes(), bytes.size());
  EXPECT_EQ((*source)->bytes_read(), 24u);
  Drain(**source);
  EXPECT_EQ((*source)->bytes_read(), bytes.size());
}

TEST(CaptureFile, SnoopIsRead) {
  CaptureBytes file(/*swapped=*/true);  // snoop is big-endian
  file.Text(std::string_view("snoop\0\0\0", 8)).U32(2).U32(4);
  file.U32(60).U32(3).U32(28).U32(5).U32(7).U32(8).Text("abc").Pad();
  const Outcome got = ReadAll(file.bytes());
  ASSERT_EQ(got.frames.size(), 1u) << got.status;
  EXPECT_EQ(got.frames[0].data, "abc");
  EXPECT_EQ(got.frames[0].wire_length, 60u);
  EXPECT_EQ(got.frames[0].timestamp_ns, 7'000'008'000);
}

TEST(CaptureFile, CompressedFilesNameTheCommand) {
  const Outcome got = ReadAll("\x28\xb5\x2f\xfd and more");
  EXPECT_THAT(std::string(got.status.message()), HasSubstr("zstdcat FILE | weir -r -"));
}

TEST(CaptureFile, UnknownFilesSayWhatToDo) {
  EXPECT_THAT(std::string(ReadAll("hello, world").status.message()),
              HasSubstr("editcap -F pcapng"));
  EXPECT_THAT(std::string(ReadAll("").status.message()), HasSubstr("the file is empty"));
  EXPECT_THAT(std::string(ReadAll("GMBUxxxxx").status.message()), HasSubstr("Network Monitor"));
}

TEST(CaptureFile, MissingFileIsNamed) {
  EXPECT_THAT(std::string(OpenCaptureFile("/nowhere/x.pcap").status().message()),
              HasSubstr("/nowhere/x.pcap"));
}

}  // namespace
}  // namespace weir
