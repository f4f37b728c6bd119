#include "rings/file_window.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

// One read: large enough to make the call cheap, small enough to stay in the second-level cache.
constexpr size_t kReadBytes = 256 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<FileWindow>> FileWindow::Open(const std::string& path) {
  std::unique_ptr<FileWindow> window(new FileWindow);
  window->name_ = path == "-" ? "standard input" : path;
  window->fd_ = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (window->fd_ < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", window->name_));
  }
  struct stat info;
  if (fstat(window->fd_, &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot stat ", window->name_));
  }
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a directory; give the capture files in it one by one"));
  }
  window->may_wait_ = !S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode);
  if (S_ISREG(info.st_mode)) {
    const off_t start = lseek(window->fd_, 0, SEEK_CUR);  // a redirected input may stand further on
    window->total_bytes_ = static_cast<uint64_t>(std::max<off_t>(0, info.st_size - start));
    posix_fadvise(window->fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  // Only the pages that are used count as resident: the first kReadBytes, unless a record is
  // longer.
  void* memory = mmap(nullptr, kLongestRecord, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "no memory to read a capture file");
  window->memory_ = static_cast<uint8_t*>(memory);
  return window;
}

FileWindow::~FileWindow() {
  if (memory_ != nullptr) munmap(memory_, kLongestRecord);
  if (fd_ >= 0) close(fd_);
}

void FileWindow::Skip(uint64_t bytes) {
  to_skip_ += bytes;
  DropSkipped();
}

// True when nothing is left to skip.
bool FileWindow::DropSkipped() {
  const uint64_t now = std::min<uint64_t>(to_skip_, end_ - begin_);
  begin_ += now;
  to_skip_ -= now;
  return to_skip_ == 0;
}

void FileWindow::MoveToFront() {
  const size_t left = end_ - begin_;
  if (left > 0) std::memmove(memory_, memory_ + begin_, left);
  window_offset_ += begin_;
  begin_ = 0;
  end_ = left;
}

const uint8_t* FileWindow::PeekSlow(size_t bytes) {
  while (!DropSkipped() || end_ - begin_ < bytes) {
    if (pinned_) {
      shortage_ = Shortage::kPinned;
      return nullptr;
    }
    MoveToFront();
    shortage_ = ReadSome(std::max(kReadBytes, std::min(bytes, kLongestRecord)));
    if (shortage_ != Shortage::kNone) return nullptr;
  }
  return memory_ + begin_;
}

const uint8_t* FileWindow::PeekBlocking(size_t bytes) {
  for (;;) {
    const uint8_t* data = Peek(bytes);
    if (data != nullptr || shortage_ != Shortage::kWait) return data;
    pollfd ready = {fd_, POLLIN, 0};
    if (poll(&ready, 1, -1) < 0) {
      shortage_ = Shortage::kFailed;
      status_ = absl::ErrnoToStatus(errno, absl::StrCat("waiting for ", name_));
      return nullptr;
    }
  }
}

bool FileWindow::ReadyToRead() const {
  pollfd ready = {fd_, POLLIN, 0};
  return !may_wait_ || poll(&ready, 1, 0) > 0;  // a signal that is pending fails it: not ready
}

// One read into memory_[end_, target).
FileWindow::Shortage FileWindow::ReadSome(size_t target) {
  if (!ReadyToRead()) return Shortage::kWait;
  const ssize_t got = read(fd_, memory_ + end_, target - end_);
  if (got > 0) {
    end_ += static_cast<size_t>(got);
    return Shortage::kNone;
  }
  if (got == 0) return Shortage::kEnd;
  if (errno == EINTR || errno == EAGAIN) return Shortage::kWait;
  status_ = absl::ErrnoToStatus(
      errno, absl::StrCat("reading ", name_, " failed at byte ", window_offset_ + end_));
  return Shortage::kFailed;
}

}  // namespace weir
