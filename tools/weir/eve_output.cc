#include "tools/weir/eve_output.h"

namespace weir {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

EveOptions MakeEveOptions(const CommandOptions& options) {
  EveOptions eve;
  eve.in_iface = options.interface;
  eve.pcap_filename = options.file;
  return eve;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EveOutput>> EveOutput::Open(const CommandOptions& options,
                                                           int64_t now_ns) {
  RotatingFile::Options file_options;
  file_options.path = options.eve;
  file_options.rotate_bytes = options.rotate.bytes;
  file_options.rotate_ns = options.rotate.age_ns;
  auto file = RotatingFile::Open(file_options, now_ns);
  if (!file.ok()) return file.status();
  return std::unique_ptr<EveOutput>(new EveOutput(MakeEveOptions(options), *std::move(file)));
}

absl::Status EveOutput::Append(const FlowRecord& record, const StreamFileNames& files,
                               int64_t now_ns) {
  writer_.Append(record, files);
  return writer_.text().size() < kPieceBytes ? status_ : Flush(now_ns);
}

absl::Status EveOutput::Flush(int64_t now_ns) {
  if (status_.ok() && !writer_.text().empty()) status_ = file_->Write(writer_.text(), now_ns);
  writer_.Clear();
  return status_;
}

absl::Status EveOutput::Reopen(int64_t now_ns) {
  if (auto status = Flush(now_ns); !status.ok()) return status;
  return status_ = file_->Reopen();
}

absl::Status EveOutput::Finish(const EveStats& stats) {
  writer_.AppendStats(stats);
  if (auto status = Flush(stats.time_ns); !status.ok()) return status;
  return status_ = file_->Close();
}

}  // namespace weir
