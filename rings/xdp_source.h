// Frames of one receive queue of a network interface, or of several, by AF_XDP: xdp_socket.h for
// the rings, xdp_program.h for the program that fills them. Made by OpenXdpGroup of xdp_group.h.
//
// Frames are handed out where the kernel or the device wrote them (umem_reader.h). Only what the
// interface receives is seen, with the VLAN tags that are in the bytes. Time stamps: one reading of
// the clock for each batch.
//
// Redirected frames never reach the host. What is left to it (because the interface carries its
// traffic, or nobody receives any more) is counted: SourceCounters::left_to_host.
//
// When the interface goes down the source waits until it is up again; when it is removed, the
// source hands out what the ring still holds and ends, and status() says so.
//
// Thread: the shard's own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/frame_source.h"
#include "rings/link_watch.h"
#include "rings/network_interface.h"
#include "rings/umem_reader.h"
#include "rings/unique_fd.h"
#include "rings/xdp_program.h"

namespace weir {

class XdpSocket;  // its header has the kernel's BPF, which libpcap's does not stand beside

class XdpSource final : public FrameSource {
 public:
  struct Parts {
    NetworkInterface interface;
    std::shared_ptr<XdpProgram> program;
    std::vector<std::unique_ptr<XdpSocket>> sockets;  // of the queues, read by turns
    uint32_t snap_length = 262144;
    bool promiscuous = true;
    bool counts_missed = true;  // of several sources on one device the first one does
  };
  ~XdpSource() override;

  // The sockets must be known to the program. Adds what differs from what was asked for to `notes`.
  static absl::StatusOr<std::unique_ptr<XdpSource>> Create(Parts parts,
                                                           std::vector<std::string>* notes);

  int Receive(std::span<Frame> frames) override;
  void Release() override;
  bool ready() const override;
  int wait_fd() const override { return watch_.wait_fd(); }
  bool StopIntake() override;
  bool ended() const override { return ended_ && !ready(); }
  absl::Status status() const override { return status_; }
  SourceCounters Counters() override;
  RingFill Fill() const override;  // of the queue whose ring is fullest
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }

 private:
  explicit XdpSource(Parts parts);
  absl::Status Prepare(std::vector<std::string>* notes);
  void AddKernelCounters(const XdpSocket& socket, SourceCounters& counters) const;
  void LookAround();

  Parts parts_;
  SourceInterface interface_;
  UniqueFd packet_;  // takes no frames: the interface's state, promiscuous mode
  LinkWatch watch_;
  UmemReader reader_;
  size_t turn_ = 0;  // socket that is read first
  uint64_t received_ = 0;
  std::optional<uint32_t> missed_seen_;  // the device's counter when it was read last
  uint64_t missed_ = 0;
  bool closed_ = false;   // no more frames come in, but for those that are under way
  int64_t quiet_ns_ = 0;  // closed_: monotonic time from which nothing is under way
  bool ended_ = false;
  absl::Status status_;
};

}  // namespace weir
