#include "tools/load/traffic/capture_output.h"

#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rings/capture_file_source.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/load/traffic/engine_run.h"

namespace weir::load {
namespace {

TrafficProfile Some() {
  return {.packets = 5'000, .flows = 20, .udp = 0.3, .ipv6 = 0.3, .loss = 0.05, .fragment = 0.05};
}

TEST(CaptureOutputTest, AnEngineFindsTheTruthInTheFile) {
  const test::TemporaryFolder folder;
  auto model = *TrafficModel::Create(Some());
  ASSERT_TRUE(WriteCapture(*model, folder.File("x.pcap")).ok());
  auto source = OpenCaptureFile(folder.File("x.pcap"));
  ASSERT_TRUE(source.ok()) << source.status();
  EngineRun run(Some(), *std::move(source));
  ExpectTruth(*model, run);
}

TEST(CaptureOutputTest, TimeStampsKeepTheirNanoseconds) {
  const test::TemporaryFolder folder;
  TrafficProfile profile = Some();
  profile.start_ns = 1'700'000'000'123'456'789;
  profile.gap_ns = 67;
  auto model = *TrafficModel::Create(profile);
  ASSERT_TRUE(WriteCapture(*model, folder.File("x.pcap")).ok());
  auto source = *OpenCaptureFile(folder.File("x.pcap"));
  Frame frames[2];
  ASSERT_EQ(source->Receive(frames), 2);
  EXPECT_EQ(frames[0].timestamp_ns, profile.start_ns);
  EXPECT_EQ(frames[1].timestamp_ns, profile.start_ns + 67);
}

TEST(CaptureOutputTest, AFullDiskIsReported) {
  auto model = *TrafficModel::Create(Some());
  const absl::Status status = WriteCapture(*model, "/dev/full");
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("make room"));
}

}  // namespace
}  // namespace weir::load
