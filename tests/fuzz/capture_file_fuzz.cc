// Any bytes as a capture file, through a pipe of its own memory: no frame may lie outside the
// window.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "rings/capture_file_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  auto source = weir::OpenCaptureFile("/proc/self/fd/" + std::to_string(fd));
  if (source.ok()) {
    weir::Frame frames[weir::kBatchFrames];
    [[maybe_unused]] volatile uint8_t sink = 0;
    while (!(*source)->ended()) {
      const int count = (*source)->Receive(frames);
      for (int i = 0; i < count; ++i) {
        for (uint32_t at = 0; at < frames[i].captured_length; ++at) sink = frames[i].data[at];
        if (frames[i].interface_index >= (*source)->interfaces().size()) std::abort();
      }
      (*source)->Release();
    }
  }
  close(fd);
  return 0;
}
