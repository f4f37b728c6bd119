// AF_XDP without weir, but for the rings: what such a loop loses at a rate, nobody can save. Waits
// in poll(2) when the ring is empty.
#pragma once

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "perf/live_run/run.h"
#include "tests/support/netns.h"

namespace weir {
class XdpProgram;
class XdpSocket;
}  // namespace weir

namespace weir::perf {

class BareXdpLoop {
 public:
  // On the pair's far end.
  static absl::StatusOr<std::unique_ptr<BareXdpLoop>> Open(const test::VethPair& pair,
                                                           const RunOptions& run);
  ~BareXdpLoop();

  void Run(int processor);                                   // until Stop, and the ring is empty
  void Stop() { stop_ = true; }                              // any thread
  double thread_seconds() const { return thread_seconds_; }  // of Run
  uint64_t dropped() const;

 private:
  BareXdpLoop() = default;

  std::unique_ptr<XdpSocket> socket_;
  std::unique_ptr<XdpProgram> program_;
  std::atomic<bool> stop_{false};
  double thread_seconds_ = 0;
};

}  // namespace weir::perf
