#include "rings/snoop_reader.h"

#include <bit>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

constexpr size_t kFileHeaderBytes = 16;
constexpr uint32_t kRecordHeaderBytes = 24;
constexpr uint32_t kVersion = 2;

// RFC 1761, "Datalink type".
constexpr uint32_t kIeee8023 = 0, kEthernet = 4, kFddi = 8;

}  // namespace

SnoopReader::SnoopReader(FileWindow& window) : CaptureReader(window) {
  swapped_ = std::endian::native == std::endian::little;
  knows_drops_ = true;
}

absl::StatusOr<std::unique_ptr<SnoopReader>> SnoopReader::Create(FileWindow& window) {
  const uint8_t* header = window.PeekBlocking(kFileHeaderBytes);
  if (header == nullptr) return absl::DataLossError("the file ends in the middle of its header");
  std::unique_ptr<SnoopReader> reader(new SnoopReader(window));
  const uint32_t version = reader->Get32(header + 8);
  const uint32_t type = reader->Get32(header + 12);
  if (version != kVersion || (type != kIeee8023 && type != kEthernet && type != kFddi)) {
    return absl::UnimplementedError(absl::StrCat("a snoop file of version ", version,
                                                 " and datalink type ", type,
                                                 "; convert it: editcap -F pcapng FILE NEW"));
  }
  reader->link_type_ = type == kFddi ? link_type::kFddi : link_type::kEthernet;
  reader->interfaces_.push_back({"", reader->link_type_, 0});
  window.Consume(kFileHeaderBytes);
  return reader;
}

bool SnoopReader::Next(Frame& frame) {
  const uint8_t* record = PeekRecord(kRecordHeaderBytes, "a record header");
  if (record == nullptr) return false;
  const uint32_t captured = Get32(record + 4);
  const uint32_t record_bytes = Get32(record + 8);
  if (captured > kLongestFrame || record_bytes < kRecordHeaderBytes ||
      record_bytes - kRecordHeaderBytes < captured || record_bytes > FileWindow::kLongestRecord) {
    Damaged(absl::StrCat("a record of ", record_bytes, " bytes says it has a frame of ", captured));
    return false;
  }
  record = PeekRecord(record_bytes, "a frame");
  if (record == nullptr) return false;
  frame = Frame{};
  frame.data = record + kRecordHeaderBytes;
  frame.timestamp_ns =
      int64_t{Get32(record + 16)} * 1'000'000'000 + int64_t{Get32(record + 20)} * 1000;
  frame.captured_length = captured;
  frame.wire_length = Get32(record);
  frame.link_type = link_type_;
  recorded_drops_ = Get32(record + 12);  // cumulative
  window_.Consume(record_bytes);
  ++frames_;
  return true;
}

}  // namespace weir
