#include "tools/file_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "tests/support/temporary_folder.h"

namespace weir {
namespace {

using test::ReadFile;
using test::TemporaryFolder;
using testing::HasSubstr;
namespace fs = std::filesystem;

class FilePoolTest : public testing::Test {
 protected:
  std::unique_ptr<FilePool> Open(size_t handles = 0) {
    auto pool = FilePool::Open(folder_.File("out"), handles);
    EXPECT_TRUE(pool.ok()) << pool.status();
    return *std::move(pool);
  }
  static absl::Status Write(FilePool& pool, const FilePool::File& file, uint64_t offset,
                            std::string_view text) {
    return pool.Write(file, offset, reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
  // One file with one text, closed again.
  static absl::Status WriteOne(FilePool& pool, const std::string& name, FilePool::Start start,
                               std::string_view text, uint64_t offset = 0) {
    FilePool::File file;
    absl::Status status = pool.OpenFile(name, start, file);
    if (status.ok()) status = Write(pool, file, offset, text);
    status.Update(pool.CloseFile(file));
    return status;
  }
  std::string Read(const std::string& name) const { return ReadFile(folder_.File("out/" + name)); }

  TemporaryFolder folder_;
};

// Lowers a limit of the process for one test.
class Limit {
 public:
  Limit(__rlimit_resource resource, rlim_t value) : resource_(resource) {
    getrlimit(resource_, &before_);
    const rlimit lower = {value, before_.rlim_max};
    setrlimit(resource_, &lower);
  }
  ~Limit() { setrlimit(resource_, &before_); }

 private:
  __rlimit_resource resource_;
  rlimit before_;
};

TEST_F(FilePoolTest, TenThousandFilesShareEightHandles) {
  constexpr int kFiles = 10'000;
  constexpr int kRounds = 2;
  auto pool = Open(8);
  std::vector<FilePool::File> files(kFiles);
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kFiles; ++i) {
      const std::string text = std::to_string(i % 10);
      if (!pool->IsOpen(files[i])) {
        const auto start = round == 0 ? FilePool::Start::kNew : FilePool::Start::kMore;
        ASSERT_TRUE(pool->OpenFile(std::to_string(i), start, files[i]).ok());
      }
      ASSERT_TRUE(Write(*pool, files[i], static_cast<uint64_t>(round), text).ok());
      ASSERT_LE(pool->open_files(), 8u);
    }
  }
  ASSERT_TRUE(pool->Close().ok());
  for (int i = 0; i < kFiles; ++i) {
    ASSERT_EQ(Read(std::to_string(i)), std::string(kRounds, static_cast<char>('0' + i % 10)));
  }
}

TEST_F(FilePoolTest, AFileThatIsWrittenOftenKeepsItsHandle) {
  auto pool = Open(4);
  FilePool::File busy;
  ASSERT_TRUE(pool->OpenFile("busy", FilePool::Start::kNew, busy).ok());
  for (uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(pool->IsOpen(busy)) << i;
    ASSERT_TRUE(Write(*pool, busy, i, "x").ok());
    FilePool::File other;
    ASSERT_TRUE(pool->OpenFile("other" + std::to_string(i), FilePool::Start::kNew, other).ok());
  }
}

TEST_F(FilePoolTest, LargePiecesGoOutBehindWhatWaits) {
  auto pool = Open();
  FilePool::File file;
  ASSERT_TRUE(pool->OpenFile("a", FilePool::Start::kNew, file).ok());
  const std::string large(3 * FilePool::kBufferBytes, 'L');
  ASSERT_TRUE(Write(*pool, file, 0, "first").ok());
  ASSERT_TRUE(Write(*pool, file, 5, large).ok());
  ASSERT_TRUE(Write(*pool, file, 5 + large.size(), "last").ok());
  ASSERT_TRUE(pool->Close().ok());
  EXPECT_EQ(Read("a"), "first" + large + "last");
}

TEST_F(FilePoolTest, AGapIsAHoleInTheFile) {
  constexpr uint64_t kFar = 5ull << 30;
  auto pool = Open();
  FilePool::File file;
  ASSERT_TRUE(pool->OpenFile("a", FilePool::Start::kNew, file).ok());
  ASSERT_TRUE(Write(*pool, file, 0, "near").ok());
  ASSERT_TRUE(Write(*pool, file, kFar, "far").ok());
  ASSERT_TRUE(pool->Close().ok());
  const std::string path = folder_.File("out/a");
  EXPECT_EQ(fs::file_size(path), kFar + 3);
  std::ifstream in(path, std::ios::binary);
  std::string start(8, '?'), end(3, '?');
  in.read(start.data(), 8);
  in.seekg(static_cast<std::streamoff>(kFar)).read(end.data(), 3);
  EXPECT_EQ(start, std::string("near\0\0\0\0", 8));
  EXPECT_EQ(end, "far");
}

TEST_F(FilePoolTest, FlushGivesWhatWaitsToReaders) {
  auto pool = Open();
  FilePool::File file;
  ASSERT_TRUE(pool->OpenFile("a", FilePool::Start::kNew, file).ok());
  ASSERT_TRUE(Write(*pool, file, 0, "now").ok());
  EXPECT_EQ(Read("a"), "");
  ASSERT_TRUE(pool->Flush().ok());
  EXPECT_EQ(Read("a"), "now");
  EXPECT_TRUE(pool->IsOpen(file));
}

TEST_F(FilePoolTest, NewReplacesMoreKeepsUnusedRefuses) {
  auto pool = Open();
  ASSERT_TRUE(WriteOne(*pool, "a", FilePool::Start::kNew, "old content").ok());
  ASSERT_TRUE(WriteOne(*pool, "a", FilePool::Start::kMore, "OLD").ok());
  EXPECT_EQ(Read("a"), "OLD content");
  EXPECT_TRUE(absl::IsAlreadyExists(WriteOne(*pool, "a", FilePool::Start::kUnused, "x")));
  EXPECT_EQ(Read("a"), "OLD content");
  ASSERT_TRUE(WriteOne(*pool, "a", FilePool::Start::kNew, "new").ok());
  EXPECT_EQ(Read("a"), "new");
}

TEST_F(FilePoolTest, TheFolderAndThoseAboveAreMade) {
  const std::string folder = folder_.File("a/b/c");
  ASSERT_TRUE(FilePool::Open(folder).ok());
  EXPECT_TRUE(fs::is_directory(folder));
}

TEST_F(FilePoolTest, AFolderThatCannotBeMadeSaysWhy) {
  std::ofstream(folder_.File("file")) << "x";
  for (const char* name : {"file", "file/below"}) {
    const auto pool = FilePool::Open(folder_.File(name));
    ASSERT_FALSE(pool.ok());
    EXPECT_THAT(pool.status().message(), HasSubstr("cannot make the folder " + folder_.File(name)));
    EXPECT_THAT(pool.status().message(), HasSubstr("no folder; choose another"));
  }
}

TEST_F(FilePoolTest, AFullDiskNamesTheFileAndWhatToDo) {
  auto pool = Open();
  signal(SIGXFSZ, SIG_IGN);
  const Limit limit(RLIMIT_FSIZE, 4096);
  const absl::Status status =
      WriteOne(*pool, "a", FilePool::Start::kNew, std::string(100'000, 'x'));
  EXPECT_THAT(status.message(), HasSubstr("cannot write to " + folder_.File("out/a")));
  EXPECT_THAT(status.message(), HasSubstr("ulimit -f"));
}

TEST_F(FilePoolTest, FewerDescriptorsThanHandlesSuffice) {
  auto pool = Open(100);
  std::vector<FilePool::File> files(50);
  const auto used = std::distance(fs::directory_iterator("/proc/self/fd"), {});
  const Limit limit(RLIMIT_NOFILE, static_cast<rlim_t>(used) + 5);
  for (size_t i = 0; i < files.size(); ++i) {
    ASSERT_TRUE(pool->OpenFile(std::to_string(i), FilePool::Start::kNew, files[i]).ok()) << i;
    ASSERT_TRUE(Write(*pool, files[i], 0, std::to_string(i)).ok());
  }
  ASSERT_TRUE(pool->Close().ok());
  for (size_t i = 0; i < files.size(); ++i) EXPECT_EQ(Read(std::to_string(i)), std::to_string(i));
}

TEST_F(FilePoolTest, WithoutAnyDescriptorItSaysHowToGetMore) {
  auto pool = Open();
  absl::Status status;
  {
    const Limit limit(RLIMIT_NOFILE, 1);
    status = WriteOne(*pool, "a", FilePool::Start::kNew, "x");
  }
  EXPECT_THAT(status.message(), HasSubstr("ulimit -n"));
}

TEST_F(FilePoolTest, ASymbolicLinkIsNotFollowed) {
  auto pool = Open();
  std::ofstream(folder_.File("precious")) << "precious";
  fs::create_symlink(folder_.File("precious"), folder_.File("out/a"));
  EXPECT_THAT(WriteOne(*pool, "a", FilePool::Start::kNew, "x").message(),
              HasSubstr("symbolic link"));
  EXPECT_EQ(ReadFile(folder_.File("precious")), "precious");
}

}  // namespace
}  // namespace weir
