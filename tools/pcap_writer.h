// --write: frames as pcap files with nanoseconds, pcap-savefile(5).
//
// A VLAN tag that the kernel took out of the bytes is put back. A pcap file holds one link type:
// the first one goes to FILE, each other one to a file of its own beside it, named
// NAME-LINUX_SLL.pcap for NAME.pcap (on standard output that is an error). Rotation and names:
// tools/rotating_file.h.
//
// Thread: one. The bytes of a frame are copied before Write returns.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "rings/frame.h"
#include "tools/rotating_file.h"

namespace weir {

class PcapWriter {
 public:
  // Files are opened when the first frame of their link type comes, or by Close: FILE is always
  // there in the end. `options.prologue` is the writer's own business.
  explicit PcapWriter(const RotatingFile::Options& options);
  ~PcapWriter();
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;

  // Writes frames that were not filtered: the caller leaves out what it does not want. `now_ns` is
  // for rotation.
  absl::Status Write(std::span<const Frame> frames, int64_t now_ns);
  absl::Status Write(const Frame& frame, int64_t now_ns) { return Write({&frame, 1}, now_ns); }

  // To the kernel what is still buffered.
  absl::Status Flush(int64_t now_ns);

  // For SIGHUP: see RotatingFile.
  absl::Status Reopen(int64_t now_ns);

  // Flushes and closes; with no frame at all leaves a FILE without frames, of Ethernet.
  absl::Status Close(int64_t now_ns);

  uint64_t frames() const { return frames_; }

 private:
  class Output;
  absl::StatusOr<Output*> OutputFor(uint16_t link_type, int64_t now_ns);

  RotatingFile::Options options_;
  std::vector<std::unique_ptr<Output>> outputs_;  // one per link type, few
  uint64_t frames_ = 0;
};

}  // namespace weir
