#include "rings/capture_reader.h"

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

const uint8_t* CaptureReader::Short(std::string_view what) {
  switch (window_.shortage()) {
    case FileWindow::Shortage::kNone:
    case FileWindow::Shortage::kPinned:
    case FileWindow::Shortage::kWait:
      break;
    case FileWindow::Shortage::kFailed:
      ended_ = true;
      status_ = window_.status();
      break;
    case FileWindow::Shortage::kEnd:
      ended_ = true;
      if (!window_.ended_clean()) {
        Damaged(absl::StrCat("the file ends in the middle of ", Absl(what)));
      }
      break;
  }
  return nullptr;
}

void CaptureReader::Damaged(std::string_view what) {
  ended_ = true;
  status_ =
      absl::DataLossError(absl::StrCat("damaged at byte ", window_.offset(), ", after ", frames_,
                                       frames_ == 1 ? " frame: " : " frames: ", Absl(what)));
}

uint16_t LinkTypeOfFile(uint32_t number) {
  constexpr uint32_t kDltRaw = 12, kDltRawOpenBsd = 14;
  if (number == kDltRaw || number == kDltRawOpenBsd) return link_type::kRaw;
  return number <= UINT16_MAX ? static_cast<uint16_t>(number) : UINT16_MAX;
}

FrameDirection DirectionOfPacketType(uint32_t type) {
  switch (type) {
    case 0:
      return FrameDirection::kHost;
    case 1:
      return FrameDirection::kBroadcast;
    case 2:
      return FrameDirection::kMulticast;
    case 3:
      return FrameDirection::kOtherHost;
    case 4:
      return FrameDirection::kOutgoing;
    default:
      return FrameDirection::kUnknown;
  }
}

FrameDirection CookedDirection(const Frame& frame) {
  if (frame.link_type == link_type::kLinuxSll && frame.captured_length >= 16) {
    return DirectionOfPacketType(uint32_t{frame.data[0]} << 8 | frame.data[1]);
  }
  if (frame.link_type == link_type::kLinuxSll2 && frame.captured_length >= 20) {
    return DirectionOfPacketType(frame.data[10]);
  }
  return FrameDirection::kUnknown;
}

}  // namespace weir
