#include "tools/rotating_file.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class RotatingFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "weir-rotate-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ / name; }
  std::string Read(const std::string& name) const {
    std::ifstream file(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path directory_;
};

TEST_F(RotatingFileTest, GoesOnInNumberedFilesBySize) {
  auto file = RotatingFile::Open({.path = Path("x"), .rotate_bytes = 4, .prologue = "#"}, 0);
  ASSERT_TRUE(file.ok()) << file.status();
  for (const char* record : {"ab", "cd", "ef"}) ASSERT_TRUE((*file)->Write(record, 0).ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Read("x"), "#abcd");
  EXPECT_EQ(Read("x1"), "#ef");
  EXPECT_EQ((*file)->files(), 2u);
}

TEST_F(RotatingFileTest, GoesOnByTime) {
  auto file = RotatingFile::Open({.path = Path("x"), .rotate_ns = 100}, 1000);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("a", 1099).ok());
  ASSERT_TRUE((*file)->Write("b", 1100).ok());
  EXPECT_EQ(Read("x"), "a");
  EXPECT_EQ(Read("x1"), "b");
}

TEST_F(RotatingFileTest, ExpandsStrftimeFormats) {
  const int64_t noon = 1'700'000'000'000'000'000;
  auto file = RotatingFile::Open({.path = Path("x-%Y"), .rotate_bytes = 1}, noon);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("a", noon).ok());
  ASSERT_TRUE((*file)->Write("b", noon).ok());
  EXPECT_EQ(Read("x-2023"), "a");
  EXPECT_EQ(Read("x-20231"), "b");
}

TEST_F(RotatingFileTest, ReopenFollowsLogrotate) {
  auto file = RotatingFile::Open({.path = Path("x"), .prologue = "#"}, 0);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("a", 0).ok());
  fs::rename(Path("x"), Path("x.old"));
  ASSERT_TRUE((*file)->Reopen().ok());
  ASSERT_TRUE((*file)->Write("b", 0).ok());
  EXPECT_EQ(Read("x.old"), "#a");
  EXPECT_EQ(Read("x"), "#b");
}

TEST_F(RotatingFileTest, ReopenAppendsToAFileThatNobodyMoved) {
  auto file = RotatingFile::Open({.path = Path("x"), .prologue = "#"}, 0);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("a", 0).ok());
  ASSERT_TRUE((*file)->Reopen().ok());
  ASSERT_TRUE((*file)->Write("b", 0).ok());
  EXPECT_EQ(Read("x"), "#ab");
}

TEST_F(RotatingFileTest, AFullDiskIsAnErrorWithTheFileAndWhatToDo) {
  auto file = RotatingFile::Open({.path = "/dev/full"}, 0);
  ASSERT_TRUE(file.ok());
  const absl::Status status = (*file)->Write("a", 0);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/dev/full"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("make room"));
}

TEST_F(RotatingFileTest, AClosedPipeIsAnError) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  auto file = RotatingFile::Open({.path = "/proc/self/fd/" + std::to_string(ends[1])}, 0);
  ASSERT_TRUE(file.ok()) << file.status();
  close(ends[0]);
  EXPECT_THAT(std::string((*file)->Write("a", 0).message()), HasSubstr("has ended"));
  close(ends[1]);
  std::signal(SIGPIPE, before);
}

TEST_F(RotatingFileTest, AMissingDirectoryIsAnErrorAtOpen) {
  const auto file = RotatingFile::Open({.path = Path("no/x")}, 0);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("directory does not exist"));
}

}  // namespace
}  // namespace weir
