// A veth pair in a network namespace of this process's own: to try an engine without a network card
// and without touching the machine's interfaces. Both vanish with the process.
//
// The listening end does not merge segments (GRO is off), so frames arrive as they were sent; it
// has an XDP program that lets everything through, without which a veth takes no live frames
// (tools/load/send/sender.h), unless the engine brings its own. Thread: the main one, before any
// other is started: they inherit the namespace. Needs CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_BPF, and
// ip(8).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

struct pass_frames;
struct bpf_link;

namespace weir::load {

struct OwnVethOptions {
  int queues = 1;  // of each end
  uint32_t mtu = 1500;
  bool pass_program = true;  // false: AF_XDP will attach its own
};

class OwnVeth {
 public:
  static constexpr char kSender[] = "load0";
  static constexpr char kListener[] = "load1";

  static absl::StatusOr<std::unique_ptr<OwnVeth>> Create(const OwnVethOptions& options);
  ~OwnVeth();
  OwnVeth(const OwnVeth&) = delete;
  OwnVeth& operator=(const OwnVeth&) = delete;

 private:
  OwnVeth() = default;
  absl::Status LetAllPass();

  pass_frames* programs_ = nullptr;
  bpf_link* link_ = nullptr;
};

}  // namespace weir::load
