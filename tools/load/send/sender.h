// Puts frames on the wire of an interface.
//
//   auto sender = OpenSender({.interface = "eth1", .packets_per_second = 1e6}, &notes);
//   (*sender)->Send(frames); ... (*sender)->Finish();
//
// Frames leave in batches, in the order of Send, each byte as it was given (a tag that a capture
// took out is put back). With a rate, a batch leaves at its place in a schedule that starts with
// the first one and does not drift; a batch that is late leaves at once, but no sooner than half
// its gap after the one before, so that what was missed is caught up at twice the rate at most.
//
// Thread: one, and on one processor (pin it): a device's queue often goes by the processor, and
// frames of two queues can overtake each other. The network namespace is that of the thread that
// opens. Frames are copied before Send returns. Memory is taken when opened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/frame.h"

namespace weir::load {

class PortDelay;

enum class SendMethod : uint8_t {
  kAuto,        // the fastest that works: in this order
  kLiveFrames,  // XDP frames made inside the kernel (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18),
                // redirected out of the interface
  kXdp,         // AF_XDP transmit ring
  kPacket,      // AF_PACKET transmit ring
};

const char* NameOf(SendMethod method);

struct SendOptions {
  std::string interface;
  SendMethod method = SendMethod::kAuto;
  double packets_per_second = 0;  // 0 (and bits 0): as fast as it can
  double bits_per_second = 0;     // of the wire: preamble, FCS and gap (24 bytes a frame) included
  uint32_t batch = 64;            // frames that leave together: 1 to 256
  uint32_t most_frame_bytes = 1514;
  uint32_t queue = 0;        // kXdp
  bool gro_on_peer = false;  // kLiveFrames on a veth whose other end is in the same namespace:
                             // switches GRO on there if it would not take the frames without
  // Probes leave by it, between the batches, a little before their place in the schedule. Null:
  // with all others. It outlives the sender.
  PortDelay* port_delay = nullptr;
};

// What left when, to tell the real rate.
struct SendProgress {
  uint64_t frames = 0;      // that the kernel was given
  uint64_t wire_bytes = 0;  // theirs, with 24 bytes a frame for preamble, FCS and gap
  int64_t first_ns = 0;     // CLOCK_MONOTONIC when the first left
  int64_t last_ns = 0;      // when the last had left and, with a rate, its place was over

  double FramesPerSecond() const {
    return last_ns > first_ns ? double(frames) * 1e9 / double(last_ns - first_ns) : 0;
  }
  double BitsPerSecond() const {
    return last_ns > first_ns ? double(wire_bytes) * 8e9 / double(last_ns - first_ns) : 0;
  }
};

class FrameSender {
 public:
  virtual ~FrameSender() = default;
  // Waits where the rate asks for it. Probes (tools/load/send/probe.h) get their send time just
  // before they leave. Frames that do not fill a batch wait for more, or for Flush.
  virtual absl::Status Send(std::span<const Frame> frames) = 0;
  // What waits for a batch or for its place in the schedule leaves, that place kept.
  virtual absl::Status Flush() = 0;
  // Flush, and until all has left.
  virtual absl::Status Finish() = 0;
  virtual SendProgress progress() const = 0;
  // Frames that left, and those that the device did not take as far as its counters tell (they are
  // the interface's: other senders' losses are among them). Both ask the kernel; exact after
  // Finish.
  virtual uint64_t sent() const = 0;
  virtual uint64_t refused() const = 0;
  virtual SendMethod method() const = 0;
};

// `notes`: what was tried and why it was not taken. Needs CAP_NET_RAW; kLiveFrames CAP_BPF and
// CAP_NET_ADMIN as well.
absl::StatusOr<std::unique_ptr<FrameSender>> OpenSender(const SendOptions& options,
                                                        std::vector<std::string>* notes);

}  // namespace weir::load
