// Sends the frames of a capture file again: with their recorded gaps, faster or slower, or as fast
// as the sender lets them go (its rate, or its top speed).
//
//   auto replay = Replay::Open("seen.pcap", {.speed = 2});
//   for (;;) {
//     auto more = (*replay)->Step(*sender);
//     if (!more.ok() || !*more) break;
//   }
//
// With recorded gaps the sender should have no rate of its own. Frames that are late leave at once,
// so a sender that is too slow shows in `latest_ns`; those due within some microseconds leave
// together. Memory: that of the file's reader. Thread: the sender's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/capture_file_source.h"
#include "rings/frame.h"
#include "tools/load/send/sender.h"

namespace weir::load {

struct ReplayOptions {
  double speed = 1;    // of the recorded gaps: 2 halves them. 0: they count for nothing
  uint64_t loops = 1;  // times that the file is sent; 0: without end
  uint32_t most_frame_bytes = 1514;
};

struct ReplayCounts {
  uint64_t frames = 0;      // given to the sender
  uint64_t loops = 0;       // whole ones
  uint64_t unsendable = 0;  // left out: longer than most_frame_bytes, or no Ethernet frame
  uint64_t cut = 0;         // of `frames`: sent as short as they were captured
  int64_t latest_ns = 0;    // most that a frame was late
};

class Replay {
 public:
  // `path` as in OpenCaptureFile; a pipe or standard input cannot be looped.
  static absl::StatusOr<std::unique_ptr<Replay>> Open(const std::string& path,
                                                      const ReplayOptions& options);

  // Waits for the next frames a while (100 ms at most, so that the caller can stop) and sends them.
  // False: that was all, and the sender has finished.
  absl::StatusOr<bool> Step(FrameSender& sender);

  const ReplayCounts& counts() const { return counts_; }

 private:
  Replay(std::string path, const ReplayOptions& options)
      : path_(std::move(path)), options_(options) {}

  enum class Next : uint8_t { kFrames, kLater, kEnd };
  absl::StatusOr<Next> Fill();
  absl::StatusOr<Next> StartLoop();
  bool Sendable(const Frame& frame);
  int64_t DueNs(const Frame& frame);
  absl::Status SendDue(FrameSender& sender);

  std::string path_;
  ReplayOptions options_;
  std::unique_ptr<CaptureFileSource> source_;
  ReplayCounts counts_;
  std::array<Frame, kBatchFrames> frames_;  // of these the ones from at_ to count_ wait
  int at_ = 0, count_ = 0;
  std::vector<Frame> group_;
  uint64_t loop_frames_ = 0;
  int64_t start_ns_ = 0;        // CLOCK_MONOTONIC of the loop's first frame; 0: it has not come
  int64_t first_stamp_ns_ = 0;  // its time stamp
  int64_t due_ns_ = 0;          // of the last frame
};

}  // namespace weir::load
