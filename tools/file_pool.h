// Many files that are written bit by bit, with few of them open at once.
//
// A file is named by a File that its owner keeps: 12 bytes, so that any number may be under way.
// The pool has a fixed number of handles with a buffer each; what has none gets that of a file that
// was not written lately. Buffers are taken when a handle is first used.
//
// Thread: one. Errors: absl::Status that names the file and says what to do; after one, what was
// not written is lost, and the caller is expected to give up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

class FilePool {
 public:
  static constexpr size_t kMostHandles = 512;
  static constexpr size_t kBufferBytes = 32 * 1024;

  // kMostHandles, or half of what the process may open (RLIMIT_NOFILE) where that is less.
  static size_t DefaultHandles();

  // Makes `folder` where it is missing. 0 handles: DefaultHandles.
  static absl::StatusOr<std::unique_ptr<FilePool>> Open(const std::string& folder,
                                                        size_t handles = 0);
  ~FilePool();
  FilePool(const FilePool&) = delete;
  FilePool& operator=(const FilePool&) = delete;

  // Which handle a file has, if it still has it.
  struct File {
    uint32_t handle = UINT32_MAX;
    uint64_t use = 0;
  };
  bool IsOpen(const File& file) const;

  // kNew: what was there under that name goes. kUnused: a name that exists is kAlreadyExists.
  // kMore: a file that was open before. A symbolic link is not followed.
  enum class Start { kNew, kUnused, kMore };
  absl::Status OpenFile(const std::string& name, Start start, File& file);

  // `file` is open. Bytes that follow the last ones wait in the buffer.
  absl::Status Write(const File& file, uint64_t offset, const uint8_t* data, size_t size);

  // Nothing when it is not open.
  absl::Status CloseFile(const File& file);

  absl::Status Flush();  // buffers go to the kernel, files stay open
  absl::Status Close();  // all of them

  size_t open_files() const { return open_; }

 private:
  struct Handle {
    int fd = -1;
    bool recent = false;  // written since eviction last looked
    uint64_t use = 0;     // tells a reused handle from the one that a File knew
    uint64_t offset = 0;  // of the buffer's first byte
    size_t waiting = 0;   // bytes in the buffer
    std::string name;
    std::unique_ptr<uint8_t[]> buffer;
  };

  FilePool(std::string folder, int directory, size_t handles)
      : folder_(std::move(folder)), directory_(directory), handles_(handles) {}
  absl::Status FindFree(uint32_t* free);
  absl::Status CloseOneNotRecent();
  absl::Status FlushHandle(Handle& handle, const uint8_t* more, size_t size);
  absl::Status CloseHandle(Handle& handle);
  absl::Status Failure(const char* what, const std::string& name, int error) const;

  std::string folder_;
  int directory_;
  std::vector<Handle> handles_;
  size_t open_ = 0;
  uint32_t hand_ = 0;  // where eviction looks next
  uint64_t uses_ = 0;
};

}  // namespace weir
