// A capture file, a pipe or standard input as a source of frames.
//
// Formats, told by their first bytes: pcap (microseconds, nanoseconds, patched), pcapng, snoop.
// Others and compressed files are refused with what to do about it. A damaged file gives all frames
// before the damage; then ended() is true and status() says at which byte and why.
//
// Lifetime: frames stay valid until Release. Receive never blocks: on a pipe it answers 0 until a
// whole record is there (wait_fd()), and it answers 0 while frames fill the buffer and are not
// released. Directions come from pcapng flags and from Linux cooked headers, as far as a file has
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rings/frame_source.h"

namespace weir {

struct CaptureFileOptions {
  uint32_t snap_length = 0;  // cut captured frames to this many bytes; 0 = as they are in the file
};

class CaptureFileSource : public FrameSource {
 public:
  // Bytes consumed so far, and to come in all; total 0 = unknown (a pipe). For a progress bar.
  virtual uint64_t bytes_read() const = 0;
  virtual uint64_t total_bytes() const = 0;
};

// `path` "-" is standard input. Reads the file header, so on a pipe it waits for it.
absl::StatusOr<std::unique_ptr<CaptureFileSource>> OpenCaptureFile(
    const std::string& path, const CaptureFileOptions& options = {});

}  // namespace weir
