// A shard with everything on, over a packet or an AF_XDP socket at the far end of a veth pair.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/shard.h"
#include "perf/live_run/run.h"
#include "rings/packet_source.h"
#include "rings/xdp_group.h"
#include "tests/support/live_frame_sender.h"
#include "tests/support/netns.h"

namespace weir::perf {

// Flow records, streams, checksums, defragmentation, counters by address, delays: what the command
// does with --eve, --counters and --prometheus.
inline ShardOptions FullPipeline(const RunOptions& run) {
  ShardOptions options;
  options.flow.max_flows = run.flows + run.flows / 8 + 64;
  options.flow.streams.emplace();
  if (run.spin_us >= 0) options.spin_ns = run.spin_us * 1000;
  options.snapshots.emplace();
  options.snapshots->by = CountBy::kIp;
  options.snapshots->interval_ns = 250'000'000;
  options.measure_delay = true;
  options.live = true;
  return options;
}

inline XdpMode XdpModeOf(const RunOptions& run) {
  return run.backend == "xdp" ? XdpMode::kCopy : XdpMode::kGeneric;
}

inline absl::StatusOr<std::unique_ptr<FrameSource>> OpenFarEnd(const test::VethPair& pair,
                                                               const RunOptions& run) {
  const auto scope = pair.far().Enter();
  if (run.backend != "packet") {
    auto group = OpenXdpGroup({.interface = test::VethPair::kFar,
                               .mode = XdpModeOf(run),
                               .ring_bytes = size_t{run.ring_mib} << 20},
                              1);
    if (!group.ok()) return group.status();
    return std::move(group->sources.front());
  }
  PacketSourceOptions options;
  options.interface = test::VethPair::kFar;
  options.ring = {.ring_bytes = size_t{run.ring_mib} << 20,
                  .block_bytes = size_t{run.block_kib} << 10,
                  .retire_ms = run.retire_ms};
  return PacketSource::Open(options);
}

// An AF_XDP socket brings the program that lets live frames in.
inline absl::StatusOr<std::unique_ptr<test::LiveFrameSender>> MakeSender(const test::VethPair& pair,
                                                                         const RunOptions& run) {
  using Receiver = test::LiveFrameSender::Receiver;
  if (const std::string missing = test::WhyNoNetns(); !missing.empty())
    return absl::FailedPreconditionError(missing);
  return test::LiveFrameSender::Create(
      pair, {.frame_bytes = run.frame_bytes,
             .flows = run.flows,
             .receiver = run.backend == "packet" ? Receiver::kXdpPass : Receiver::kGro});
}

inline absl::StatusOr<std::unique_ptr<Shard>> MakeShard(const ShardOptions& options,
                                                        std::unique_ptr<FrameSource> source) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  return Shard::Create(options, std::move(sources));
}

}  // namespace weir::perf
