#include "tools/stream_files.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/export/text.h"

namespace weir {
namespace {

void AppendEndpoint(std::string& name, AddressFamily family, const std::array<uint8_t, 16>& address,
                    uint16_t port) {
  if (family == AddressFamily::kIpv4) {
    absl::StrAppendFormat(&name, "%03d.%03d.%03d.%03d", address[0], address[1], address[2],
                          address[3]);
  } else {
    name += TextOfAddress(family, address.data()).view();
  }
  absl::StrAppendFormat(&name, ".%05d", port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StreamFiles>> StreamFiles::Open(const StreamFilesOptions& options) {
  auto pool = FilePool::Open(options.folder, options.handles);
  if (!pool.ok()) return pool.status();
  return std::unique_ptr<StreamFiles>(new StreamFiles(options, *std::move(pool)));
}

absl::Status StreamFiles::Handle(const Event& event) {
  if (!status_.ok()) return status_;
  switch (event.kind) {
    case EventKind::kFlowStarted:
      Start(*event.record);
      break;
    case EventKind::kFlowFlipped:
      Flip(event.flow);
      break;
    case EventKind::kStreamData:
      status_ = Write(event);
      break;
    case EventKind::kStreamEnd:
      status_ = EndStream(event.flow, event.direction);
      break;
    case EventKind::kFlowEnded:
      status_ = EndFlow(event.flow);
      break;
    default:
      break;
  }
  return status_;
}

absl::Status StreamFiles::Flush() {
  status_.Update(pool_->Flush());
  return status_;
}

absl::Status StreamFiles::Close() {
  status_.Update(pool_->Close());
  return status_;
}

void StreamFiles::Start(const FlowRecord& record) {
  if (record.key.protocol != ip_protocol::kTcp) return;
  Flow& flow = flows_[IdOf(record.handle)];
  flow = Flow{};
  flow.key = record.key;
  if (record.vlan_count > 0) flow.vlan = record.vlan[0];
}

void StreamFiles::Flip(FlowHandle handle) {
  const auto found = flows_.find(IdOf(handle));
  if (found == flows_.end()) return;
  Flow& flow = found->second;
  std::swap(flow.key.source, flow.key.destination);
  std::swap(flow.key.source_port, flow.key.destination_port);
  std::swap(flow.streams[0], flow.streams[1]);
}

absl::Status StreamFiles::Write(const Event& event) {
  const auto found = flows_.find(IdOf(event.flow));
  if (found == flows_.end()) {
    return absl::InternalError("stream bytes of an unknown flow: a bug of weir, please report it");
  }
  if (event.size == 0) return absl::OkStatus();
  Flow& flow = found->second;
  Stream& stream = flow.streams[event.direction];
  if (!pool_->IsOpen(stream.file)) {
    absl::Status status = stream.exists
                              ? pool_->OpenFile(NameOf(flow, event.direction, stream.number),
                                                FilePool::Start::kMore, stream.file)
                              : Make(flow, event.direction);
    if (!status.ok()) return status;
  }
  const uint64_t offset = options_.holes == StreamHoles::kZero ? event.offset : stream.written;
  stream.written += event.size;
  bytes_ += event.size;
  return pool_->Write(stream.file, offset, event.data, event.size);
}

// Once names have been forgotten, a file that is there may be of this run.
absl::Status StreamFiles::Make(Flow& flow, int direction) {
  Stream& stream = flow.streams[direction];
  if (had_.size() >= options_.most_names) {
    had_.clear();
    forgot_names_ = true;
  }
  const FilePool::Start start = forgot_names_ ? FilePool::Start::kUnused : FilePool::Start::kNew;
  uint32_t& next = had_[absl::HashOf(NameOf(flow, direction, 0))];
  absl::Status status;
  do {
    stream.number = next++;
    status = pool_->OpenFile(NameOf(flow, direction, stream.number), start, stream.file);
  } while (absl::IsAlreadyExists(status));
  if (!status.ok()) return status;
  stream.exists = true;
  ++files_;
  return absl::OkStatus();
}

absl::Status StreamFiles::EndStream(FlowHandle handle, int direction) {
  const auto found = flows_.find(IdOf(handle));
  if (found == flows_.end()) return absl::OkStatus();
  return pool_->CloseFile(found->second.streams[direction].file);
}

absl::Status StreamFiles::EndFlow(FlowHandle handle) {
  absl::Status status;
  for (int direction : {0, 1}) status.Update(EndStream(handle, direction));
  flows_.erase(IdOf(handle));
  return status;
}

std::string StreamFiles::NameOf(const Flow& flow, int direction, uint32_t number) {
  const FlowKey& key = flow.key;
  std::string source, destination;
  AppendEndpoint(source, key.family, key.source, key.source_port);
  AppendEndpoint(destination, key.family, key.destination, key.destination_port);
  if (direction == 1) source.swap(destination);
  std::string name = absl::StrCat(source, "-", destination);
  if (flow.vlan >= 0) absl::StrAppend(&name, "--", flow.vlan);
  if (number > 0) absl::StrAppend(&name, "c", number);
  return name;
}

StreamFileNames StreamFiles::NamesOf(FlowHandle handle) const {
  StreamFileNames names;
  const auto found = flows_.find(IdOf(handle));
  if (found == flows_.end()) return names;
  for (int direction : {0, 1}) {
    const Stream& stream = found->second.streams[direction];
    if (stream.exists) names[direction] = NameOf(found->second, direction, stream.number);
  }
  return names;
}

}  // namespace weir
