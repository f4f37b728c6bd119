#include "tools/file_pool.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

const char* Advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ": make room, or choose a folder elsewhere";
    case EFBIG:
      return ": larger than this file system, or ulimit -f, allows";
    case EMFILE:
    case ENFILE:
      return ": allow more open files (ulimit -n)";
    case EACCES:
    case EPERM:
    case EROFS:
      return ": choose a folder that may be written to";
    case ENOTDIR:
    case EEXIST:
      return ": a part of that path is no folder; choose another";
    case ELOOP:
      return ": it is a symbolic link, which is not followed; remove it";
    default:
      return "";
  }
}

absl::Status WithAdvice(int error, const std::string& what) {
  const absl::Status status = absl::ErrnoToStatus(error, what);
  return absl::Status(status.code(), absl::StrCat(status.message(), Advice(error)));
}

absl::Status FolderFailure(const std::string& folder, int error) {
  return WithAdvice(error, absl::StrCat("cannot make the folder ", folder));
}

// All of both pieces, one behind the other; what errno says, or 0.
int WriteBoth(int fd, iovec pieces[2], uint64_t offset) {
  int first = 0;
  while (true) {
    while (first < 2 && pieces[first].iov_len == 0) ++first;
    if (first == 2) return 0;
    const ssize_t written = pwritev(fd, pieces + first, 2 - first, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    offset += static_cast<uint64_t>(written);
    for (auto left = static_cast<size_t>(written); left > 0;) {
      iovec& piece = pieces[first];
      const size_t part = std::min(left, piece.iov_len);
      piece.iov_base = static_cast<uint8_t*>(piece.iov_base) + part;
      piece.iov_len -= part;
      left -= part;
      if (piece.iov_len == 0) ++first;
    }
  }
}

}  // namespace

size_t FilePool::DefaultHandles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMostHandles;
  return std::clamp<size_t>(limit.rlim_cur / 2, 1, kMostHandles);
}

absl::StatusOr<std::unique_ptr<FilePool>> FilePool::Open(const std::string& folder,
                                                         size_t handles) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return FolderFailure(folder, error.value());
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return FolderFailure(folder, errno);
  return std::unique_ptr<FilePool>(
      new FilePool(folder, directory, handles > 0 ? handles : DefaultHandles()));
}

FilePool::~FilePool() {
  Close().IgnoreError();
  close(directory_);
}

bool FilePool::IsOpen(const File& file) const {
  return file.handle < handles_.size() && handles_[file.handle].fd >= 0 &&
         handles_[file.handle].use == file.use;
}

// Second chance: whoever was written since the last round stays for one more.
absl::Status FilePool::CloseOneNotRecent() {
  for (;;) {
    Handle& handle = handles_[hand_];
    hand_ = (hand_ + 1) % static_cast<uint32_t>(handles_.size());
    if (handle.fd < 0) continue;
    if (!handle.recent) return CloseHandle(handle);
    handle.recent = false;
  }
}

absl::Status FilePool::FindFree(uint32_t* free) {
  if (open_ == handles_.size()) {
    if (auto status = CloseOneNotRecent(); !status.ok()) return status;
    *free = (hand_ + static_cast<uint32_t>(handles_.size()) - 1) %
            static_cast<uint32_t>(handles_.size());
    return absl::OkStatus();
  }
  while (handles_[hand_].fd >= 0) hand_ = (hand_ + 1) % static_cast<uint32_t>(handles_.size());
  *free = hand_;
  return absl::OkStatus();
}

absl::Status FilePool::OpenFile(const std::string& name, Start start, File& file) {
  uint32_t free = 0;
  if (auto status = FindFree(&free); !status.ok()) return status;
  const int how = start == Start::kNew ? O_TRUNC : start == Start::kUnused ? O_EXCL : 0;
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how;
  int fd = openat(directory_, name.c_str(), flags, 0644);
  while (fd < 0 && (errno == EMFILE || errno == ENFILE) && open_ > 0) {
    if (auto status = CloseOneNotRecent(); !status.ok()) return status;
    fd = openat(directory_, name.c_str(), flags, 0644);
  }
  if (fd < 0) return Failure("open", name, errno);
  Handle& handle = handles_[free];
  if (!handle.buffer) handle.buffer.reset(new uint8_t[kBufferBytes]);
  handle.fd = fd;
  handle.recent = true;
  handle.use = ++uses_;
  handle.waiting = 0;
  handle.name = name;
  ++open_;
  file = {free, handle.use};
  return absl::OkStatus();
}

absl::Status FilePool::Write(const File& file, uint64_t offset, const uint8_t* data, size_t size) {
  Handle& handle = handles_[file.handle];
  handle.recent = true;
  if (handle.waiting > 0 && offset != handle.offset + handle.waiting) {
    if (auto status = FlushHandle(handle, nullptr, 0); !status.ok()) return status;
  }
  if (handle.waiting == 0) handle.offset = offset;
  if (handle.waiting + size > kBufferBytes) return FlushHandle(handle, data, size);
  std::memcpy(handle.buffer.get() + handle.waiting, data, size);
  handle.waiting += size;
  return absl::OkStatus();
}

// The buffer, and `more` right behind it.
absl::Status FilePool::FlushHandle(Handle& handle, const uint8_t* more, size_t size) {
  iovec pieces[2] = {{handle.buffer.get(), handle.waiting}, {const_cast<uint8_t*>(more), size}};
  handle.waiting = 0;
  const int error = WriteBoth(handle.fd, pieces, handle.offset);
  return error == 0 ? absl::OkStatus() : Failure("write to", handle.name, error);
}

absl::Status FilePool::CloseHandle(Handle& handle) {
  absl::Status status;
  if (handle.waiting > 0) status = FlushHandle(handle, nullptr, 0);
  if (close(handle.fd) != 0) status.Update(Failure("close", handle.name, errno));
  handle.fd = -1;
  --open_;
  return status;
}

absl::Status FilePool::CloseFile(const File& file) {
  return IsOpen(file) ? CloseHandle(handles_[file.handle]) : absl::OkStatus();
}

absl::Status FilePool::Flush() {
  absl::Status status;
  for (Handle& handle : handles_) {
    if (handle.fd >= 0 && handle.waiting > 0) status.Update(FlushHandle(handle, nullptr, 0));
  }
  return status;
}

absl::Status FilePool::Close() {
  absl::Status status;
  for (Handle& handle : handles_) {
    if (handle.fd >= 0) status.Update(CloseHandle(handle));
  }
  return status;
}

absl::Status FilePool::Failure(const char* what, const std::string& name, int error) const {
  if (error == EEXIST) return absl::AlreadyExistsError(name);
  return WithAdvice(error, absl::StrCat("cannot ", what, " ", folder_, "/", name));
}

}  // namespace weir
