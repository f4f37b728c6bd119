#include "rings/pcapng_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

// Block types, section 11.1.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kPacket = 2;  // obsolete, appendix A
constexpr uint32_t kSimplePacket = 3;
constexpr uint32_t kInterfaceStatistics = 5;
constexpr uint32_t kEnhancedPacket = 6;

constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr uint32_t kBlockHeaderBytes = 8;     // type and total length
constexpr uint32_t kStampedHeaderBytes = 20;  // what stands before the bytes of a frame
constexpr uint32_t kBlockOverheadBytes = 12;  // and the total length once more behind the body

// Options, sections 4.2, 4.3, 4.6 and appendix A.
constexpr uint16_t kInterfaceName = 2;     // if_name
constexpr uint16_t kTimeResolution = 9;    // if_tsresol
constexpr uint16_t kTimeOffset = 14;       // if_tsoffset
constexpr uint16_t kPacketFlags = 2;       // epb_flags, pack_flags
constexpr uint16_t kInterfaceDropped = 5;  // isb_ifdrop

constexpr uint64_t Padded(uint64_t bytes) { return (bytes + 3) & ~uint64_t{3}; }

// The options behind the fixed part of a block. A cut option ends the list.
class Options {
 public:
  Options(const uint8_t* data, uint64_t bytes, bool swapped)
      : data_(data), bytes_(bytes), swapped_(swapped) {}

  bool Next() {
    if (bytes_ < 4) return false;
    code = Get16(data_);
    length = Get16(data_ + 2);
    if (code == 0 || Padded(length) > bytes_ - 4) return false;
    value = data_ + 4;
    data_ += 4 + Padded(length);
    bytes_ -= 4 + Padded(length);
    return true;
  }

  uint16_t code = 0;
  uint16_t length = 0;
  const uint8_t* value = nullptr;

 private:
  uint16_t Get16(const uint8_t* data) const {
    uint16_t number;
    std::memcpy(&number, data, sizeof number);
    return swapped_ ? __builtin_bswap16(number) : number;
  }

  const uint8_t* data_;
  uint64_t bytes_;
  bool swapped_;
};

// Section 4.3.1: bits 0-1 inbound or outbound, bits 2-4 how it was received.
FrameDirection DirectionOfFlags(uint32_t flags) {
  constexpr uint32_t kInbound = 1, kOutbound = 2;
  constexpr uint32_t kMulticast = 2, kBroadcast = 3, kPromiscuous = 4;
  if ((flags & 3) == kOutbound) return FrameDirection::kOutgoing;
  if ((flags & 3) != kInbound) return FrameDirection::kUnknown;
  switch (flags >> 2 & 7) {
    case kMulticast:
      return FrameDirection::kMulticast;
    case kBroadcast:
      return FrameDirection::kBroadcast;
    case kPromiscuous:
      return FrameDirection::kOtherHost;
    default:
      return FrameDirection::kHost;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<PcapngReader>> PcapngReader::Create(FileWindow& window) {
  if (window.PeekBlocking(kBlockHeaderBytes + 4) == nullptr) {
    return absl::DataLossError("the file ends in the middle of its header");
  }
  std::unique_ptr<PcapngReader> reader(new PcapngReader(window));
  if (reader->Section() == Progress::kStop && reader->ended()) return reader->status();
  return reader;
}

PcapngReader::Progress PcapngReader::Bad(std::string_view what) {
  Damaged(what);
  return Progress::kStop;
}

bool PcapngReader::Next(Frame& frame) {
  Progress progress = Progress::kOther;
  while (progress == Progress::kOther) progress = NextBlock(frame);
  return progress == Progress::kFrame;
}

PcapngReader::Progress PcapngReader::NextBlock(Frame& frame) {
  const uint8_t* header = PeekRecord(kBlockHeaderBytes, "a block header");
  if (header == nullptr) return Progress::kStop;
  const uint32_t type = Get32(header);
  if (type == kSectionHeader)
    return Section();  // its own byte order: its length may not be read yet
  const uint64_t block_bytes = Padded(Get32(header + 4));  // some writers leave the padding out
  if (block_bytes < kBlockOverheadBytes) {
    return Bad(absl::StrCat("a block says it has ", block_bytes, " bytes; the least is 12"));
  }
  const bool known = type == kEnhancedPacket || type == kSimplePacket || type == kPacket ||
                     type == kInterfaceDescription || type == kInterfaceStatistics;
  if (block_bytes > FileWindow::kLongestRecord) {
    if (known) return Bad(absl::StrCat("a packet block says it has ", block_bytes, " bytes"));
    window_.Skip(block_bytes);
    return Progress::kOther;
  }
  header = PeekRecord(block_bytes, "a block");
  if (header == nullptr) return Progress::kStop;
  const uint32_t again = Get32(header + block_bytes - 4);
  if (Padded(again) != block_bytes) {
    return Bad(
        absl::StrCat("a block's two lengths differ: ", block_bytes, " before, ", again, " behind"));
  }
  const Block block = {header + kBlockHeaderBytes,
                       static_cast<uint32_t>(block_bytes) - kBlockOverheadBytes};
  Progress progress = Progress::kOther;
  switch (type) {
    case kEnhancedPacket:
      progress = Stamped(block, false, frame);
      break;
    case kSimplePacket:
      progress = Simple(block, frame);
      break;
    case kPacket:
      progress = Stamped(block, true, frame);
      break;
    case kInterfaceDescription:
      progress = Describe(block);
      break;
    case kInterfaceStatistics:
      progress = Count(block);
      break;
    default:
      break;
  }
  if (progress != Progress::kStop) window_.Consume(block_bytes);
  return progress;
}

// Section Header Block, section 4.1. The section's own length is not needed.
PcapngReader::Progress PcapngReader::Section() {
  const uint8_t* header = PeekRecord(kBlockHeaderBytes + 8, "a section header");
  if (header == nullptr) return Progress::kStop;
  swapped_ = false;
  if (Get32(header + 8) != kByteOrderMagic) swapped_ = true;
  if (Get32(header + 8) != kByteOrderMagic) return Bad("a section header has no byte-order magic");
  const uint16_t major = Get16(header + 12), minor = Get16(header + 14);
  if (major != 1 || (minor != 0 && minor != 2)) {
    return Bad(absl::StrCat("a section of pcapng version ", major, ".", minor,
                            ", and 1.0 is read; convert it: editcap -F pcapng FILE NEW"));
  }
  const uint64_t block_bytes = Padded(Get32(header + 4));
  if (block_bytes < 28) {
    return Bad(
        absl::StrCat("a section header says it has ", block_bytes, " bytes; the least is 28"));
  }
  first_interface_ = interfaces_.size();
  window_.Skip(block_bytes);
  return Progress::kOther;
}

// Interface Description Block, section 4.2.
PcapngReader::Progress PcapngReader::Describe(const Block& block) {
  if (block.bytes < 8) return Bad("an interface block is too short");
  if (interfaces_.size() >= kMostInterfaces) {
    return Bad(absl::StrCat("more than ", kMostInterfaces, " interfaces in one file"));
  }
  SourceInterface shown;
  Interface details;
  details.link_type = shown.link_type = LinkTypeOfFile(Get16(block.body));
  details.snap_length = shown.snap_length = Get32(block.body + 4);
  details.cooked =
      details.link_type == link_type::kLinuxSll || details.link_type == link_type::kLinuxSll2;
  Options options(block.body + 8, block.bytes - 8, swapped_);
  while (options.Next()) {
    if (options.code == kInterfaceName) {
      const std::string_view name(reinterpret_cast<const char*>(options.value), options.length);
      shown.name = std::string(name.substr(0, name.find('\0')));
    } else if (options.code == kTimeResolution && options.length >= 1) {
      details.time.SetResolution(options.value[0]);
    } else if (options.code == kTimeOffset && options.length == 8) {
      details.time.SetOffset(static_cast<int64_t>(Get64(options.value)));
    }
  }
  interfaces_.push_back(std::move(shown));
  details_.push_back(details);
  return Progress::kOther;
}

// Interface Statistics Block, section 4.6: what was lost when the file was captured.
PcapngReader::Progress PcapngReader::Count(const Block& block) {
  if (block.bytes < 12) return Bad("a statistics block is too short");
  const uint64_t interface = first_interface_ + Get32(block.body);
  if (interface >= details_.size()) return Progress::kOther;
  Options options(block.body + 12, block.bytes - 12, swapped_);
  while (options.Next()) {
    if (options.code == kInterfaceDropped && options.length == 8) {
      const uint64_t dropped = Get64(options.value);
      recorded_drops_ += dropped - details_[interface].dropped;
      details_[interface].dropped = dropped;
      knows_drops_ = true;
    }
  }
  return Progress::kOther;
}

// Enhanced Packet Block, section 4.3, and the obsolete Packet Block, appendix A, which differs in
// having 16 bits for the interface.
PcapngReader::Progress PcapngReader::Stamped(const Block& block, bool obsolete, Frame& frame) {
  if (block.bytes < kStampedHeaderBytes) return Bad("a packet block is too short");
  const uint32_t interface = obsolete ? Get16(block.body) : Get32(block.body);
  const uint32_t captured = Get32(block.body + 12);
  if (captured > block.bytes - kStampedHeaderBytes || captured > kLongestFrame) [[unlikely]] {
    return Bad(absl::StrCat("a packet block with room for ", block.bytes - kStampedHeaderBytes,
                            " bytes says it has a frame of ", captured));
  }
  if (!Begin(interface, frame)) return Progress::kStop;
  const uint64_t units = uint64_t{Get32(block.body + 4)} << 32 | Get32(block.body + 8);
  last_timestamp_ns_ = details_[frame.interface_index].time.Nanoseconds(units);
  frame.timestamp_ns = last_timestamp_ns_;
  frame.data = block.body + kStampedHeaderBytes;
  frame.captured_length = captured;
  frame.wire_length = Get32(block.body + 16);
  SetDirection(block, frame);
  return Progress::kFrame;
}

void PcapngReader::SetDirection(const Block& block, Frame& frame) const {
  if (details_[frame.interface_index].cooked) frame.direction = CookedDirection(frame);
  const uint64_t before = kStampedHeaderBytes + Padded(frame.captured_length);
  if (block.bytes <= before) return;
  Options options(block.body + before, block.bytes - before, swapped_);
  while (options.Next()) {
    if (options.code == kPacketFlags && options.length == 4) {
      const FrameDirection direction = DirectionOfFlags(Get32(options.value));
      if (direction != FrameDirection::kUnknown) frame.direction = direction;
    }
  }
}

// Simple Packet Block, section 4.4: of interface 0, as long as its snap length allows, without a
// time stamp: it gets the one of the packet before.
PcapngReader::Progress PcapngReader::Simple(const Block& block, Frame& frame) {
  if (block.bytes < 4) return Bad("a packet block is too short");
  if (!Begin(0, frame)) return Progress::kStop;
  frame.wire_length = Get32(block.body);
  frame.captured_length = std::min(frame.wire_length, block.bytes - 4);
  const uint32_t snap_length = details_[frame.interface_index].snap_length;
  if (snap_length != 0) frame.captured_length = std::min(frame.captured_length, snap_length);
  if (frame.captured_length > kLongestFrame) return Bad("a packet block is too long");
  frame.timestamp_ns = last_timestamp_ns_;
  frame.data = block.body + 4;
  if (details_[frame.interface_index].cooked) frame.direction = CookedDirection(frame);
  return Progress::kFrame;
}

// An empty frame of this section's interface, which must have been described.
bool PcapngReader::Begin(uint32_t interface, Frame& frame) {
  if (interface >= details_.size() - first_interface_) [[unlikely]] {
    Damaged(
        absl::StrCat("a packet of interface ", interface, ", which no block before it describes"));
    return false;
  }
  const size_t index = first_interface_ + interface;
  frame = Frame{};
  frame.link_type = details_[index].link_type;
  frame.interface_index = static_cast<uint16_t>(index);
  ++frames_;
  return true;
}

}  // namespace weir
