// How frames of an interface come to the engine: the back-ends there are, as a ladder of rungs, the
// fastest first, and which of them was taken and why none above it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rings/kernel_filter.h"
#include "rings/xdp_mode.h"

namespace weir {

enum class Backend : uint8_t {
  kAuto,    // the first rung that works; AF_XDP only where the host does not need the interface
  kPacket,  // AF_PACKET: the host sees all frames, too
  kXdp,     // AF_XDP, also on an interface that the host needs: it takes frames away from the host
};

enum class BackendRung : uint8_t {
  kXdpZeroCopy,
  kXdpCopy,
  kXdpGeneric,
  kPacketEbpf,     // filters in the kernel, refusals counted by reason
  kPacketClassic,  // filters in the kernel, refusals not counted
  kPacketShard,    // all frames come up, the shard filters, or does a part of it
  kPacket,         // there is nothing to filter
};

// "AF_XDP zero-copy".
std::string_view BackendRungName(BackendRung rung);

struct BackendOptions {
  Backend backend = Backend::kPacket;
  std::optional<XdpMode> xdp_mode;  // the only one to try; no value: all of them
  uint32_t busy_poll_us = 0;        // AF_XDP: SO_BUSY_POLL; 0: interrupts only
  uint32_t busy_poll_budget = 64;   // frames that one poll may take in
};

// The rung that an interface stands on, proven by what the kernel reports.
struct BackendChoice {
  struct Refusal {
    BackendRung rung;
    std::string reason;
  };
  std::string interface;
  BackendRung rung = BackendRung::kPacket;
  std::vector<Refusal> refused;      // tried before it, or ruled out
  bool rules_in_xdp = false;         // AF_XDP: there are rules, and its program has them
  bool expression_in_shard = false;  // AF_XDP: there is one, and XDP has no place for it

  // For people: "AF_XDP copy, --filter in the shard".
  std::string Way() const;
  // "AF_XDP zero-copy, copy: ...; AF_XDP generic: ...". Empty when none was refused.
  std::string Refusals() const;
  // All of it: "eth1: AF_XDP copy, --filter in the shard (not AF_XDP zero-copy: ...)".
  std::string Text() const;

  // Packet sockets stand where the filters of the legs run, the lowest of them. That changes with
  // the rules: the rung of now, and the whole choice of now.
  BackendRung StandsOn(std::span<const std::shared_ptr<KernelFilter>> filters) const;
  void Stand(std::span<const std::shared_ptr<KernelFilter>> filters);
};

}  // namespace weir
