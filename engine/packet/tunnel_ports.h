// UDP ports behind which the decoder looks for a tunnel. Internal to engine/packet.
#pragma once

#include <array>
#include <cstdint>

namespace weir::decode {

// IANA's service names; the same that Wireshark follows without being told.
namespace udp_port {
inline constexpr uint16_t kL2tp = 1701;  // RFC 2661, RFC 3931
inline constexpr uint16_t kGtpControl = 2123;
inline constexpr uint16_t kGtpUser = 2152;  // 3GPP TS 29.281
inline constexpr uint16_t kGtpPrime = 3386;
inline constexpr uint16_t kTeredo = 3544;  // RFC 4380
inline constexpr uint16_t kVxlan = 4789;   // RFC 7348
inline constexpr uint16_t kVxlanGpe = 4790;
inline constexpr uint16_t kCapwapData = 5247;  // RFC 5415
inline constexpr uint16_t kGeneve = 6081;      // RFC 8926
inline constexpr uint16_t kLispData = 4341;    // RFC 9300
inline constexpr uint16_t kGre = 4754;         // RFC 8086
inline constexpr uint16_t kAyiya = 5072;
inline constexpr uint16_t kTzsp = 37008;
inline constexpr uint16_t kMpls = 6635;  // RFC 7510
inline constexpr std::array<uint16_t, 14> kAll = {
    kL2tp,       kGtpControl, kGtpUser,  kGtpPrime, kTeredo, kVxlan, kVxlanGpe,
    kCapwapData, kGeneve,     kLispData, kGre,      kAyiya,  kTzsp,  kMpls};
}  // namespace udp_port

// One slot per hash value holds the tunnel port that has it: a probe is one load and one
// comparison.
inline constexpr uint32_t kTunnelPortSlots = 64;
struct TunnelPortTable {
  uint32_t multiplier = 0;
  std::array<uint16_t, kTunnelPortSlots> port{};

  constexpr uint32_t SlotOf(uint16_t p) const { return p * multiplier >> 26; }
  constexpr bool Place() {
    port.fill(0);
    for (uint16_t p : udp_port::kAll) {
      uint16_t& slot = port[SlotOf(p)];
      if (slot != 0) return false;
      slot = p;
    }
    return true;
  }
};

inline constexpr TunnelPortTable kTunnelPorts = [] {
  TunnelPortTable table;
  table.multiplier = 0x9e3779b1;
  while (!table.Place()) table.multiplier = table.multiplier * 1664525 + 1013904223;
  return table;
}();

inline bool IsTunnelPort(uint16_t port) {
  return kTunnelPorts.port[kTunnelPorts.SlotOf(port)] == port;
}

// Without a branch between the two look-ups.
inline bool MayBeTunnel(uint16_t source_port, uint16_t destination_port) {
  return (int{IsTunnelPort(source_port)} | int{IsTunnelPort(destination_port)}) != 0;
}

}  // namespace weir::decode
