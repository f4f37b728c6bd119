// A sender that keeps up with the engine: frames made inside the kernel, more than a million a
// second on one processor (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES,
// Documentation/bpf/bpf_prog_run.rst), redirected onto the near end of a veth pair.
//
// The receiving end takes such frames only while it has an XDP program or GRO; the sender sets GRO
// or attaches one that passes everything (Receiver), as long as it lives. Needs CAP_BPF,
// CAP_NET_ADMIN and CAP_NET_RAW. Delivery happens on the processor that sends.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "tests/support/netns.h"

struct live_frames;
struct bpf_link;

namespace weir::test {

class LiveFrameSender {
 public:
  enum class Receiver { kXdpPass, kGro };

  struct Options {
    uint32_t frame_bytes = 60;  // 42 to 1514
    uint32_t flows = 1;         // UDP source ports 1024...: at most 60,000, used in turn
    uint32_t batch = 64;        // frames between two deliveries
    Receiver receiver = Receiver::kXdpPass;
  };

  // Sends from 10.0.0.1 to 10.0.0.2 port 9, out of the pair's near end. Fails where the kernel has
  // no live frames (before 5.18) or the privilege is missing.
  static absl::StatusOr<std::unique_ptr<LiveFrameSender>> Create(const VethPair& pair,
                                                                 const Options& options);
  ~LiveFrameSender();

  // Sends that many frames as fast as it can, on the calling thread; it must be pinned.
  absl::Status Send(uint64_t frames);

  // Frames that the far end has taken in since Create; the rest was lost on the way.
  uint64_t delivered() const;

 private:
  LiveFrameSender(const VethPair& pair, const Options& options);
  absl::Status Start();
  uint64_t ReceivedByFar() const;

  const VethPair& pair_;
  Options options_;
  live_frames* programs_ = nullptr;
  bpf_link* pass_link_ = nullptr;
  uint64_t received_before_ = 0;
};

// The calling thread runs on this processor only. False where there is none.
bool PinToProcessor(int processor);

}  // namespace weir::test
