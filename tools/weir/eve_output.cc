#include "tools/weir/eve_output.h"

#include <utility>

namespace weir {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

EveOptions MakeEveOptions(const CommandOptions& options, std::string source, int shard) {
  EveOptions eve;
  (options.live_capture() ? eve.in_iface : eve.pcap_filename) = std::move(source);
  eve.shard = static_cast<uint16_t>(shard);
  return eve;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EveFile>> EveFile::Open(const CommandOptions& options,
                                                       int64_t now_ns) {
  RotatingFile::Options file_options;
  file_options.path = options.eve;
  file_options.rotate_bytes = options.rotate.bytes;
  file_options.rotate_ns = options.rotate.age_ns;
  auto file = RotatingFile::Open(file_options, now_ns);
  if (!file.ok()) return file.status();
  return std::unique_ptr<EveFile>(new EveFile(*std::move(file)));
}

absl::Status EveFile::Write(std::string_view lines, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = file_->Write(lines, now_ns);
  return status_;
}

absl::Status EveFile::Reopen() {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = file_->Reopen();
  return status_;
}

absl::Status EveFile::Close() {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = file_->Close();
  return status_;
}

EveOutput::EveOutput(EveFile& file, const CommandOptions& options, const ShardPlace& place)
    : file_(file),
      writer_(MakeEveOptions(options, options.live_capture() ? place.name : options.file,
                             place.shard)) {}

absl::Status EveOutput::Append(const FlowRecord& record, const StreamFileNames& files,
                               int64_t now_ns) {
  writer_.Append(record, files);
  return writer_.text().size() < kPieceBytes ? status_ : Flush(now_ns);
}

absl::Status EveOutput::Flush(int64_t now_ns) {
  if (status_.ok() && !writer_.text().empty()) status_ = file_.Write(writer_.text(), now_ns);
  writer_.Clear();
  return status_;
}

absl::Status WriteStats(EveFile& file, const CommandOptions& options, const EveStats& stats) {
  const std::string source = options.live_capture() ? options.InterfaceNames() : options.file;
  EveWriter writer(MakeEveOptions(options, source, 0));
  writer.AppendStats(stats);
  return file.Write(writer.text(), stats.time_ns);
}

}  // namespace weir
