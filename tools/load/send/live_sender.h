// Sends frames that the kernel makes itself: BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES
// (Documentation/bpf/bpf_prog_run.rst, Linux 5.18) runs live_window.bpf.c once a frame, which fills
// it from a window of memory and redirects it out of the interface.
//
// A call makes a pool of pages, which takes tens of microseconds (and far more without the right to
// keep the program ready: program_hold.h), so it carries as many batches as
// there are; between them the program waits for their time itself, as long as their gap is short.
//
// A veth takes such frames only while its other end has an XDP program in the driver, or GRO. Other
// drivers mostly send them only while an XDP program stands on the interface itself: where there is
// none, one that passes everything does as long as the sender lives (the link may be down for a
// moment when it comes and goes).
#pragma once

#include "tools/load/send/batch_sender.h"
#include "tools/load/send/live_window.h"  // also for the generated skeleton
#include "tools/load/send/program_hold.h"

struct live_window;

namespace weir::load {

class LiveSender final : public BatchSender {
 public:
  // `certain`: refuses where it cannot be told that the device takes the frames (else the first
  // ones show it), or calls would take long.
  static absl::StatusOr<std::unique_ptr<FrameSender>> Open(const SendOptions& options,
                                                           LinkQuery link, int interface_index,
                                                           bool certain);
  ~LiveSender() override;

 private:
  LiveSender(const SendOptions& options, LinkQuery link);

  absl::Status Load(int interface_index, bool certain);
  absl::Status CheckOtherEnd(bool certain) const;
  absl::Status Prepare(int interface_index);

  uint8_t* Room(uint32_t length) override;
  absl::Status Leave(uint32_t frames, const Pacer::Place& place,
                     std::span<uint8_t* const> probes) override;
  absl::Status Drain() override;

  bool HasRoomForBatch() const;
  absl::Status Run();  // sends the window
  absl::Status CheckFirst();

  live_window* programs_ = nullptr;
  ProgramHold hold_;
  UniqueFd pass_link_;
  std::vector<uint8_t> template_;
  uint32_t frames_ = 0;       // of the window
  uint32_t batch_start_ = 0;  // the first of them that has no place yet
  uint32_t bytes_ = 0;
  int64_t first_due_ns_ = 0;
  int64_t due_span_ns_ = 0;
  bool checked_ = false;  // frames have been seen to leave
};

}  // namespace weir::load
