// What the kernel says of one interface: rtnetlink(7), RTM_GETLINK; counters of 64 bits.
//
// It stays in the network namespace of the thread that made it. Cold path. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

namespace weir::load {

struct LinkState {
  std::string name, kind;       // kind: "veth", ...; empty for a plain device
  bool running = false;         // up, with carrier
  bool native_program = false;  // an XDP program in the driver
  uint64_t transmitted = 0;     // frames
  uint64_t transmit_dropped = 0;
  int other_end = 0;                   // a veth's: its index; 0: none
  std::optional<int> other_namespace;  // where that is; none: here
};

class LinkQuery {
 public:
  static absl::StatusOr<LinkQuery> Open(int interface_index);

  absl::StatusOr<LinkState> Ask() const;
  // A veth's other end, in whatever namespace (Linux 4.20).
  absl::StatusOr<LinkState> AskOtherEnd() const;

 private:
  LinkQuery(UniqueFd fd, int index) : fd_(std::move(fd)), index_(index) {}
  absl::StatusOr<LinkState> Ask(int index, std::optional<int> name_space) const;

  UniqueFd fd_;
  int index_;
};

}  // namespace weir::load
