#include "rings/capture_file_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/capture_format.h"
#include "rings/capture_reader.h"
#include "rings/file_window.h"
#include "rings/pcap_reader.h"
#include "rings/pcapng_reader.h"
#include "rings/snoop_reader.h"

namespace weir {
namespace {

class Source : public CaptureFileSource {
 public:
  Source(std::unique_ptr<FileWindow> window, std::unique_ptr<CaptureReader> reader,
         const std::string& name, const CaptureFileOptions& options)
      : window_(std::move(window)), reader_(std::move(reader)), name_(name), options_(options) {}

  int Receive(std::span<Frame> frames) override {
    const int count = reader_->Read(frames);
    if (options_.snap_length != 0) Cut(frames.first(count));
    received_ += static_cast<uint64_t>(count);
    return count;
  }
  void Release() override { window_->Unpin(); }
  int wait_fd() const override { return window_->wait_fd(); }
  bool ended() const override { return reader_->ended(); }

  absl::Status status() const override {
    const absl::Status& status = reader_->status();
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(name_, ": ", status.message()));
  }

  SourceCounters Counters() override {
    SourceCounters counters;
    counters.received = received_;
    if (reader_->knows_drops()) counters.ring_dropped = reader_->recorded_drops();
    return counters;
  }
  std::span<const SourceInterface> interfaces() const override { return reader_->interfaces(); }
  uint64_t bytes_read() const override { return window_->offset(); }
  uint64_t total_bytes() const override { return window_->total_bytes(); }

 private:
  void Cut(std::span<Frame> frames) const {
    for (Frame& frame : frames) {
      frame.captured_length = std::min(frame.captured_length, options_.snap_length);
    }
  }

  std::unique_ptr<FileWindow> window_;
  std::unique_ptr<CaptureReader> reader_;
  std::string name_;
  CaptureFileOptions options_;
  uint64_t received_ = 0;
};

template <typename Reader>
absl::StatusOr<std::unique_ptr<CaptureReader>> Make(FileWindow& window) {
  auto reader = Reader::Create(window);
  if (!reader.ok()) return reader.status();
  return std::unique_ptr<CaptureReader>(*std::move(reader));
}

absl::StatusOr<std::unique_ptr<CaptureReader>> MakeReader(FileWindow& window) {
  const uint8_t* magic = window.PeekBlocking(kMagicBytes);
  if (magic == nullptr) {
    if (!window.status().ok()) return window.status();
    return absl::DataLossError(window.ended_clean() ? "the file is empty"
                                                    : "too short to be a capture file");
  }
  switch (FormatOf(magic)) {
    case CaptureFormat::kPcap:
      return Make<PcapReader>(window);
    case CaptureFormat::kPcapng:
      return Make<PcapngReader>(window);
    case CaptureFormat::kSnoop:
      return Make<SnoopReader>(window);
    case CaptureFormat::kOther:
      break;
  }
  return RefusalOf(magic);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CaptureFileSource>> OpenCaptureFile(
    const std::string& path, const CaptureFileOptions& options) {
  absl::StatusOr<std::unique_ptr<FileWindow>> window = FileWindow::Open(path);
  if (!window.ok()) return window.status();
  const std::string name = path == "-" ? "standard input" : path;
  absl::StatusOr<std::unique_ptr<CaptureReader>> reader = MakeReader(**window);
  if (!reader.ok()) {
    return absl::Status(reader.status().code(),
                        absl::StrCat(name, ": ", reader.status().message()));
  }
  return std::make_unique<Source>(*std::move(window), *std::move(reader), name, options);
}

}  // namespace weir
