// Frames of a network interface: AF_PACKET with a TPACKET_V3 ring (packet(7), packet_mmap.rst).
//
// Needs CAP_NET_RAW. A frame that the ring has no room for is counted by the kernel, never waited
// for. When the interface goes down the source waits until it is up again; when it is removed, the
// source hands out what the ring still holds and ends, and status() says so.
//
// Thread: Open on any one; the rest on the shard's own. The network namespace is that of the thread
// that calls Open.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/block_ring.h"
#include "rings/frame_source.h"
#include "rings/link_watch.h"
#include "rings/network_interface.h"
#include "rings/packet_ring.h"
#include "rings/socket_filter.h"
#include "rings/socket_filters.h"
#include "rings/unique_fd.h"

namespace weir {

struct PacketSourceOptions {
  std::string interface;
  RingGeometry ring;
  uint32_t snap_length = 262144;  // bytes kept of a frame
  bool promiscuous = true;
  CaptureDirection direction = CaptureDirection::kBoth;
  // tcpdump's language; empty: everything. Where SocketFilters::expression_in_shard(),
  // ExpressionFilter must do it.
  std::string filter;
  // Which frames are wanted; null: all of them, always. SocketFilters::Use changes them, so that an
  // empty set has a use, too. Where SocketFilters::rung() is not kEbpf, RulesFilter must do it.
  std::shared_ptr<const FilterRules> rules;
  // Of sources that share the interface, or of one whose place this one takes: rules, filter and
  // rung are theirs, and nothing needs to be loaded anew. Null: the source makes its own.
  std::shared_ptr<SocketFilters> filters;
  FilterRung highest_filter_rung = FilterRung::kEbpf;  // no higher one is tried
  bool hardware_timestamps = false;  // where the device has none: the kernel's, and a note
};

struct FanoutOptions;
struct PacketGroup;

class PacketSource final : public FrameSource {
 public:
  // One source that sees every frame. Several that share them: OpenPacketGroup of packet_group.h.
  static absl::StatusOr<std::unique_ptr<PacketSource>> Open(const PacketSourceOptions& options);
  ~PacketSource() override;

  // What differs from what was asked for, for people; empty when nothing does.
  std::span<const std::string> notes() const { return notes_; }
  size_t ring_bytes() const { return memory_.bytes(); }

  // What runs in the kernel, on this socket and on those that share the interface.
  const std::shared_ptr<SocketFilters>& filters() const { return filters_; }

  int Receive(std::span<Frame> frames) override;
  void Release() override { ring_.Release(); }
  bool ready() const override { return ring_.ready(); }
  int wait_fd() const override { return watch_.wait_fd(); }
  bool StopIntake() override;
  bool ended() const override { return closed_ && received_ >= expected_ && !ring_.ready(); }
  absl::Status status() const override { return status_; }
  SourceCounters Counters() override;
  RingFill Fill() const override { return ring_.Fill(); }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }
  int64_t hold_back_ns() const override { return hold_back_ns_; }

 private:
  friend absl::StatusOr<PacketGroup> OpenPacketGroup(const PacketSourceOptions& options,
                                                     const FanoutOptions& fanout, int count,
                                                     const PacketGroup* again);
  PacketSource() = default;
  // Everything up to a bound socket that refuses all frames; Begin lets in what the filter takes.
  absl::Status Prepare(const PacketSourceOptions& options);
  absl::Status PrepareFilters(const PacketSourceOptions& options,
                              const NetworkInterface& interface);
  absl::Status Begin() { return filters_->Begin(socket_.get()); }
  void LookAround();
  void Close();
  void ReadKernelCounters();

  SourceInterface interface_;
  FrameDefaults defaults_;
  int64_t hold_back_ns_ = 0;
  std::vector<std::string> notes_;
  std::shared_ptr<SocketFilters> filters_;
  UniqueFd socket_;
  PacketRing memory_;
  BlockRing ring_;
  LinkWatch watch_;
  uint64_t received_ = 0;
  uint64_t accepted_ = 0;  // frames that the kernel put into the ring
  uint64_t dropped_ = 0;
  uint64_t freezes_ = 0;
  std::optional<uint32_t> missed_seen_;  // the device's counter when it was read last
  uint64_t missed_ = 0;
  bool counts_missed_ = true;       // of several sources on one device the first one does
  bool closed_ = false;             // no more frames come in
  uint64_t expected_ = 0;           // closed_: frames to hand out before the end
  int64_t give_up_ns_ = INT64_MAX;  // closed_: monotonic time after which the rest will never come
  absl::Status status_;
};

}  // namespace weir
