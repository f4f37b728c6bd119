// What the doctor looks at, as found: of the interface, of the machine, of the traffic. Plain
// values, so that Judge needs nothing but these.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace weir::doctor {

// ETHTOOL_GCHANNELS
struct Channels {
  uint32_t receive = 0;
  uint32_t most = 0;
  bool combined = true;  // what `ethtool -L` calls them; else "rx"
};

// ETHTOOL_GRINGPARAM
struct RingSizes {
  uint32_t receive = 0;
  uint32_t most = 0;
};

// ETHTOOL_GRSSH
struct ReceiveHash {
  std::string function;      // "toeplitz"; empty: not told
  std::vector<uint8_t> key;  // empty: not told
  bool symmetric_xor = false;
};

// ETHTOOL_GFEATURES
struct Offload {
  bool on = false;
  bool fixed = false;  // the driver cannot change it
};

// An XDP program that is attached.
struct AttachedProgram {
  uint32_t id = 0;
  std::string name;      // empty: the kernel does not tell without CAP_BPF
  bool generic = false;  // else the driver's
  uint32_t link = 0;     // the bpf_link that holds it; 0: none is known
};

struct LinkFacts {
  std::string name;
  bool up = false;
  bool carrier = false;
  uint32_t mtu = 0;
  uint32_t speed_mbits = 0;            // 0: not told
  std::vector<std::string> addresses;  // of the host's own on it, IPv4 and IPv6
  std::optional<Channels> channels;
  std::optional<RingSizes> rings;
  std::optional<ReceiveHash> hash;
  std::map<std::string, Offload> offloads;  // by the kernel's name: "rx-gro"
  std::optional<AttachedProgram> program;
  bool hardware_stamps = false;
  uint64_t missed = 0;  // rx_missed_errors
};

struct HostFacts {
  std::string executable;  // the path of this program's file
  bool net_raw = false;    // CAP_NET_RAW and so on, effective
  bool net_admin = false;
  bool bpf = false;
  int processors = 1;  // that this process may use
  uint64_t huge_page_bytes = 0;
  uint64_t huge_pages_free = 0;
  uint64_t huge_pages = 0;
  std::string transparent;  // "always", "madvise", "never"; empty: the kernel has none
  std::string clock_source;
  std::vector<std::string> clock_sources;  // that could be chosen
  bool clock_synchronised = false;
};

// What came in on each receive queue for a while.
struct SteeringFacts {
  absl::Status status;  // not OK: nothing was looked at, and why
  int queues = 1;
  uint64_t flows = 0;    // TCP and UDP
  uint64_t two_way = 0;  // of which both directions were seen
  uint64_t cut = 0;      // of these: the directions came in on different queues
};

}  // namespace weir::doctor
