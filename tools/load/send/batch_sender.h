// What all senders share: frames are checked and copied into a batch, a full batch gets its place
// in the schedule, and the method lets it go.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/load/send/link_query.h"
#include "tools/load/send/pacer.h"
#include "tools/load/send/sender.h"

namespace weir::load {

class BatchSender : public FrameSender {
 public:
  absl::Status Send(std::span<const Frame> frames) final;
  absl::Status Flush() final;
  absl::Status Finish() final;
  SendProgress progress() const final { return progress_; }
  uint64_t sent() const final;
  uint64_t refused() const final;
  SendMethod method() const final { return options_.method; }

 protected:
  BatchSender(const SendOptions& options, LinkQuery link);

  // Where the next frame of the batch goes, `length` bytes; waits for it. Null: see failure_.
  virtual uint8_t* Room(uint32_t length) = 0;
  // The batch in the rooms leaves at its place, or soon (Drain). `probes`: where send times go.
  virtual absl::Status Leave(uint32_t frames, const Pacer::Place& place,
                             std::span<uint8_t* const> probes) = 0;
  // What Leave kept goes.
  virtual absl::Status Drain() { return absl::OkStatus(); }
  // Until the device has taken all.
  virtual absl::Status WaitForLast() { return absl::OkStatus(); }

  const SendOptions& options() const { return options_; }
  const LinkQuery& link() const { return link_; }
  const LinkState& at_start() const { return at_start_; }
  bool paced() const { return pacer_.paced(); }
  // Frames of batches that the kernel has been given, their last just now.
  void Left(uint32_t frames, int64_t first_ns);

  absl::Status failure_;

 private:
  absl::Status LeaveBatch();
  absl::Status LeaveProbe(const Frame& frame);

  SendOptions options_;
  LinkQuery link_;
  LinkState at_start_;
  Pacer pacer_;
  SendProgress progress_;
  uint32_t staged_ = 0;
  uint64_t staged_wire_bytes_ = 0;
  std::vector<uint8_t*> probes_;
};

// What a send(2) said that only sets the kernel going: OK also where it has enough for the moment.
absl::Status KickStatus(ssize_t result, const std::string& interface);

// Writes CLOCK_MONOTONIC to the places.
void StampProbes(std::span<uint8_t* const> probes);

}  // namespace weir::load
