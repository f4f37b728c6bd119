#include "tools/weir/capture.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "rings/packet_source.h"
#include "tools/weir/counters_output.h"
#include "tools/weir/limited_source.h"
#include "tools/weir/outputs.h"

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
  capture.engine.sources.emplace_back().push_back(*std::move(file));
  return capture;
}

PacketSourceOptions MakePacketOptions(const CommandOptions& options, const std::string& name) {
  PacketSourceOptions packet;
  packet.interface = name;
  if (options.live.ring_mib) packet.ring.ring_bytes = size_t{*options.live.ring_mib} << 20;
  if (options.live.block_kib) packet.ring.block_bytes = size_t{*options.live.block_kib} << 10;
  if (options.live.retire_ms) packet.ring.retire_ms = *options.live.retire_ms;
  if (options.snap_length > 0) packet.snap_length = options.snap_length;
  packet.promiscuous = options.live.promiscuous;
  packet.direction = options.live.direction;
  packet.filter = options.filter;
  return packet;
}

Capture NameInterfaces(const CommandOptions& options) {
  Capture capture;
  for (const auto& legs : options.interfaces) {
    EngineInterface& interface = capture.engine.interfaces.emplace_back();
    interface.fanout = options.live.fanout;
    interface.backend = options.live.backend;
    interface.reopen = !options.drop_all;
    for (const std::string& leg : legs) {
      interface.legs.push_back(MakePacketOptions(options, leg));
    }
  }
  capture.engine.shards = options.live.shards;
  capture.engine.cpus = options.live.cpus;
  return capture;
}

// Packet time ends a file, the clock an interface.
SourceLimits LimitsOf(const CommandOptions& options) {
  SourceLimits limits;
  if (options.count > 0) limits.frames = std::make_shared<FrameBudget>(options.count);
  if (!options.live_capture()) limits.span_ns = options.duration_ns;
  return limits;
}

// --max-flows and --stream-memory are about the run. Flows are not spread evenly: a quarter more.
void Share(ShardOptions& shard, const ShardPlace& place) {
  if (place.shards == 1) return;
  const auto shards = static_cast<uint32_t>(place.shards);
  const uint32_t flows = (shard.flow.max_flows + shards - 1) / shards;
  shard.flow.max_flows = flows + (flows + 3) / 4;
  if (shard.flow.streams) {
    shard.flow.streams->memory_bytes =
        std::max<size_t>(shard.flow.streams->memory_bytes / shards, 1);
  }
}

}  // namespace

ShardOptions MakeShardOptions(const CommandOptions& options,
                              std::vector<std::shared_ptr<PacketFilter>> filters) {
  ShardOptions shard;
  shard.decoder = options.decoder;
  shard.flow = options.flow;
  shard.dedup = options.dedup;
  shard.defragment = options.defragment;
  shard.checksum = options.checksum;
  shard.overload = options.overload;
  shard.measure_delay = options.live_capture() && options.prometheus;
  shard.events = Outputs::EventsFor(options);
  shard.snapshots = CountersOutput::OptionsFor(options, absl::GetCurrentTimeNanos());
  shard.filters = std::move(filters);
  return shard;
}

absl::StatusOr<Capture> OpenCapture(const CommandOptions& options) {
  absl::StatusOr<Capture> capture =
      options.live_capture() ? NameInterfaces(options) : OpenFile(options);
  if (capture.ok()) capture->engine.fit = Share;
  const SourceLimits limits = LimitsOf(options);
  if (capture.ok() && limits.any()) {
    capture->engine.wrap = [limits](std::unique_ptr<FrameSource> source) {
      return std::make_unique<LimitedSource>(std::move(source), limits);
    };
  }
  return capture;
}

}  // namespace weir
