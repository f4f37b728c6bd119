// A program at an interface's tc hook (clsact), as long as the object lives: what network plug-ins
// do to frames, and what plays a device's receive-side scaling. Needs CAP_NET_ADMIN and CAP_BPF.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "tests/support/netns.h"

struct tc_programs;

namespace weir::test {

enum class TcHook : uint8_t { kIngress, kEgress };

enum class TcAction : uint8_t {
  kDrop,
  kRewriteSource,  // IPv4 source addresses become 192.0.2.1
  kSteerQueue,     // the transmit queue, which is a veth peer's receive queue, by outer addresses
  kSteerBySource,  // the same by the source address alone: cuts conversations in two
};

class TcProgram {
 public:
  // `where` must outlive the program. `queues`: of kSteer...
  static absl::StatusOr<std::unique_ptr<TcProgram>> Attach(const NetNamespace& where,
                                                           const char* interface, TcHook hook,
                                                           TcAction action, uint32_t queues = 1);
  ~TcProgram();

 private:
  TcProgram(const NetNamespace& where, TcHook hook) : where_(where), hook_(hook) {}
  absl::Status Start(const char* interface, TcAction action, uint32_t queues);

  const NetNamespace& where_;
  TcHook hook_;
  int interface_ = 0;    // attached: its index
  uint32_t handle_ = 0;  // and the filter's name there
  uint32_t priority_ = 0;
  tc_programs* programs_ = nullptr;
};

}  // namespace weir::test
