// A moving window over the bytes of a file, a pipe or standard input.
//
// Bytes are read in large pieces into memory taken once; records are parsed where they lie, and
// frames borrow them. While the window is pinned (frames are handed out) nothing in it moves: Peek
// then answers with what is there. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

class FileWindow {
 public:
  // The longest record that Peek can show: a frame of a MiB (twice the longest BIG TCP packet) with
  // room for the options of its pcapng block.
  static constexpr size_t kLongestRecord = 2 << 20;

  // Why Peek returned null.
  enum class Shortage : uint8_t {
    kNone,
    kPinned,  // the bytes are there, but frames are handed out: try again after Unpin
    kWait,    // a pipe has no more for now
    kEnd,     // the file ends before; see ended_clean()
    kFailed,  // reading failed: status()
  };

  // `path` "-" is standard input.
  static absl::StatusOr<std::unique_ptr<FileWindow>> Open(const std::string& path);
  ~FileWindow();
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;

  // The next `bytes` (at most kLongestRecord) in one piece, or null: see shortage(). Never blocks
  // on a pipe.
  const uint8_t* Peek(size_t bytes) {
    return bytes <= end_ - begin_ && to_skip_ == 0 ? memory_ + begin_ : PeekSlow(bytes);
  }

  // Like Peek, but waits for a pipe. Null with kFailed when a signal came first.
  const uint8_t* PeekBlocking(size_t bytes);

  // Moves on over bytes that Peek has shown.
  void Consume(size_t bytes) { begin_ += bytes; }

  // Moves on over any number of bytes, seen or not.
  void Skip(uint64_t bytes);

  void Pin() { pinned_ = true; }
  void Unpin() { pinned_ = false; }

  Shortage shortage() const { return shortage_; }
  // With kEnd: true when nothing is left over, neither bytes nor a Skip beyond the end.
  bool ended_clean() const { return begin_ == end_ && to_skip_ == 0; }
  uint64_t offset() const {
    return window_offset_ + begin_;
  }                                                      // in the file, of what Peek shows next
  uint64_t total_bytes() const { return total_bytes_; }  // 0 = not a regular file, unknown
  int wait_fd() const { return may_wait_ ? fd_ : -1; }
  const absl::Status& status() const { return status_; }

 private:
  FileWindow() = default;
  const uint8_t* PeekSlow(size_t bytes);
  bool DropSkipped();
  void MoveToFront();
  Shortage ReadSome(size_t target);
  bool ReadyToRead() const;

  uint8_t* memory_ = nullptr;
  size_t begin_ = 0;  // memory_[begin_, end_) is read and not consumed
  size_t end_ = 0;
  uint64_t to_skip_ = 0;
  bool pinned_ = false;
  Shortage shortage_ = Shortage::kNone;
  bool may_wait_ = false;
  int fd_ = -1;
  uint64_t window_offset_ = 0;  // in the file, of memory_[0]
  uint64_t total_bytes_ = 0;
  std::string name_;
  absl::Status status_;
};

}  // namespace weir
