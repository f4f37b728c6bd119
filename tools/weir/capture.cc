#include "tools/weir/capture.h"

#include "rings/packet_source.h"
#include "tools/weir/limited_source.h"

namespace weir {
namespace {

absl::StatusOr<Capture> OpenFile(const CommandOptions& options) {
  CaptureFileOptions file_options;
  file_options.snap_length = options.snap_length;
  auto file = OpenCaptureFile(options.file, file_options);
  // Whatever is wrong with the file: the command line was right.
  if (!file.ok()) return absl::Status(absl::StatusCode::kUnavailable, file.status().message());
  Capture capture;
  capture.file = file->get();
  capture.source = *std::move(file);
  return capture;
}

PacketSourceOptions MakePacketOptions(const CommandOptions& options) {
  PacketSourceOptions packet;
  packet.interface = options.interface;
  if (options.live.ring_mib) packet.ring.ring_bytes = size_t{*options.live.ring_mib} << 20;
  if (options.live.block_kib) packet.ring.block_bytes = size_t{*options.live.block_kib} << 10;
  if (options.live.retire_ms) packet.ring.retire_ms = *options.live.retire_ms;
  if (options.snap_length > 0) packet.snap_length = options.snap_length;
  packet.promiscuous = options.live.promiscuous;
  packet.direction = options.live.direction;
  packet.filter = options.filter;
  return packet;
}

absl::StatusOr<Capture> OpenInterface(const CommandOptions& options) {
  auto source = PacketSource::Open(MakePacketOptions(options));
  if (!source.ok()) return source.status();
  Capture capture;
  capture.notes.assign((*source)->notes().begin(), (*source)->notes().end());
  capture.source = *std::move(source);
  return capture;
}

// Packet time ends a file, the clock an interface.
SourceLimits LimitsOf(const CommandOptions& options) {
  return {options.count, options.live_capture() ? 0 : options.duration_ns};
}

}  // namespace

absl::StatusOr<Capture> OpenCapture(const CommandOptions& options) {
  auto capture = options.live_capture() ? OpenInterface(options) : OpenFile(options);
  const SourceLimits limits = LimitsOf(options);
  if (capture.ok() && limits.any()) {
    capture->source = std::make_unique<LimitedSource>(std::move(capture->source), limits);
  }
  return capture;
}

}  // namespace weir
