// What the readers of the capture formats have in common: records in a FileWindow become frames.
//
// Ownership: a reader borrows the window, which must outlive it; frames borrow the window's bytes.
// Thread: the source's. Errors: a damaged record ends the reader; status() says where and why.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "rings/file_window.h"
#include "rings/frame.h"
#include "rings/frame_source.h"

namespace weir {

// A captured frame longer than this is taken for damage: twice the longest BIG TCP packet. (libpcap
// and Wireshark stop at 262,144.)
inline constexpr uint32_t kLongestFrame = 1 << 20;

class CaptureReader {
 public:
  explicit CaptureReader(FileWindow& window) : window_(window) {}
  virtual ~CaptureReader() = default;
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  // Fills frames from the window and pins it when there are any. Fewer than asked for when the
  // window must move first, at the end and at damage.
  int Read(std::span<Frame> frames) {
    int count = 0;
    while (count < static_cast<int>(frames.size()) && !ended_ && Next(frames[count])) {
      window_.Pin();
      ++count;
    }
    return count;
  }

  bool ended() const { return ended_; }
  const absl::Status& status() const { return status_; }
  std::span<const SourceInterface> interfaces() const { return interfaces_; }
  uint64_t recorded_drops() const { return recorded_drops_; }
  bool knows_drops() const { return knows_drops_; }

 protected:
  // The next frame, or false: ended, or the window cannot move now.
  virtual bool Next(Frame& frame) = 0;

  // Peeks at a whole record. On shortage ends the reader, if there will never be more: `what` names
  // the record in the error.
  const uint8_t* PeekRecord(size_t bytes, std::string_view what) {
    const uint8_t* data = window_.Peek(bytes);
    return data != nullptr ? data : Short(what);
  }

  // Ends the reader: the record at offset() is damaged.
  void Damaged(std::string_view what);

  FileWindow& window_;
  bool swapped_ = false;  // the file's byte order is not this machine's
  uint64_t frames_ = 0;
  std::vector<SourceInterface> interfaces_;
  uint64_t recorded_drops_ = 0;  // what the file says was lost when it was captured
  bool knows_drops_ = false;

  uint16_t Get16(const uint8_t* data) const {
    uint16_t value;
    std::memcpy(&value, data, sizeof value);
    return swapped_ ? __builtin_bswap16(value) : value;
  }
  uint32_t Get32(const uint8_t* data) const {
    uint32_t value;
    std::memcpy(&value, data, sizeof value);
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  uint64_t Get64(const uint8_t* data) const {
    uint64_t value;
    std::memcpy(&value, data, sizeof value);
    return swapped_ ? __builtin_bswap64(value) : value;
  }

 private:
  const uint8_t* Short(std::string_view what);

  bool ended_ = false;
  absl::Status status_;
};

// A link type as frames carry it, from the number in a file's header: old files have some of BSD's
// DLT numbers for raw IP, pcap-linktype(7).
uint16_t LinkTypeOfFile(uint32_t number);

// The direction that Linux cooked captures carry in their own header (LINKTYPE_LINUX_SLL and
// _SLL2).
FrameDirection CookedDirection(const Frame& frame);

// packet(7)'s packet type as a direction.
FrameDirection DirectionOfPacketType(uint32_t type);

}  // namespace weir
