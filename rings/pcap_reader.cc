#include "rings/pcap_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/pcap_handle.h"

namespace weir {
namespace {

constexpr uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr uint32_t kMagicPatched = 0xa1b2cd34;
constexpr uint32_t kLinkTypeMask = 0x03ffffff;  // above it: whether an FCS follows, and its length

}  // namespace

absl::StatusOr<std::unique_ptr<PcapReader>> PcapReader::Create(FileWindow& window) {
  const uint8_t* header = window.PeekBlocking(kPcapHeaderBytes);
  if (header == nullptr) return absl::DataLossError("the file ends in the middle of its header");
  absl::StatusOr<PcapHandle> judged = OpenPcapHeader(header);
  if (!judged.ok()) return judged.status();
  std::unique_ptr<PcapReader> reader(new PcapReader(window));
  reader->swapped_ = pcap_is_swapped(judged->get()) != 0;
  reader->SetVersion(pcap_major_version(judged->get()), pcap_minor_version(judged->get()));

  const uint32_t magic = reader->Get32(header);
  reader->ns_per_unit_ = magic == kMagicNanoseconds ? 1 : 1000;
  reader->patched_ = magic == kMagicPatched;
  reader->record_header_bytes_ = reader->patched_ ? 24 : 16;
  reader->link_type_ = LinkTypeOfFile(reader->Get32(header + 20) & kLinkTypeMask);
  reader->cooked_ =
      reader->link_type_ == link_type::kLinuxSll || reader->link_type_ == link_type::kLinuxSll2;
  reader->interfaces_.push_back({"", reader->link_type_, reader->Get32(header + 16)});
  window.Consume(kPcapHeaderBytes);
  return reader;
}

// Before version 2.3 the captured and the wire length stood the other way round, in 2.3 either way,
// and DEC's version 543 has them so too.
void PcapReader::SetVersion(int major, int minor) {
  if (major == 543 || (major == 2 && minor < 3)) {
    lengths_ = Lengths::kSwapped;
  } else if (major == 2 && minor == 3) {
    lengths_ = Lengths::kMaybeSwapped;
  }
}

bool PcapReader::Next(Frame& frame) {
  const uint8_t* record = PeekRecord(record_header_bytes_, "a record header");
  if (record == nullptr) return false;
  const uint32_t seconds = Get32(record);
  const uint32_t fraction = Get32(record + 4);
  uint32_t captured = Get32(record + 8);
  uint32_t wire = Get32(record + 12);
  if (lengths_ == Lengths::kSwapped || (lengths_ == Lengths::kMaybeSwapped && captured > wire)) {
    std::swap(captured, wire);
  }
  if (captured > kLongestFrame) [[unlikely]] {
    Damaged(absl::StrCat("a record says it has ", captured, " bytes; the most is ", kLongestFrame));
    return false;
  }
  record = PeekRecord(record_header_bytes_ + captured, "a frame");
  if (record == nullptr) return false;
  frame = Frame{};
  frame.data = record + record_header_bytes_;
  frame.timestamp_ns = int64_t{seconds} * 1'000'000'000 + int64_t{fraction} * ns_per_unit_;
  frame.captured_length = captured;
  frame.wire_length = wire;
  frame.link_type = link_type_;
  if (cooked_) frame.direction = CookedDirection(frame);
  if (patched_) frame.direction = DirectionOfPacketType(record[22]);
  window_.Consume(record_header_bytes_ + captured);
  ++frames_;
  return true;
}

}  // namespace weir
