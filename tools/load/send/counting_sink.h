// Counts the frames that an interface receives, and drops them: an XDP program that does nothing
// else, so that nothing behind it slows the sender down or loses a frame.
//
// Attached by a bpf_link: gone with the object, or the process, however that ends. The host gets
// nothing of what the interface receives meanwhile. Needs CAP_BPF and CAP_NET_ADMIN. Thread: any,
// one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

struct counting_sink;

namespace weir::load {

struct SinkCounts {
  uint64_t frames = 0;
  uint64_t bytes = 0;  // from the link header on, without FCS
};

class CountingSink {
 public:
  // In the driver, or where it has no XDP in the kernel's generic path.
  static absl::StatusOr<std::unique_ptr<CountingSink>> Attach(const std::string& interface);
  ~CountingSink();
  CountingSink(const CountingSink&) = delete;
  CountingSink& operator=(const CountingSink&) = delete;

  SinkCounts counts() const;  // since Attach, over all processors
  bool generic() const { return generic_; }

 private:
  CountingSink() = default;

  counting_sink* skeleton_ = nullptr;
  UniqueFd link_;
  bool generic_ = false;
};

}  // namespace weir::load
