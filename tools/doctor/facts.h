// What the doctor looks at, as found: of the interface, of the machine, of the traffic. Plain
// values, so that Judge needs nothing but these.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/backend.h"
#include "rings/receive_hash.h"
#include "rings/xdp_query.h"

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

// ETHTOOL_GFEATURES
struct Offload {
  bool on = false;
  bool fixed = false;  // the driver cannot change it
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
  std::optional<AttachedXdp> program;
  bool hardware_stamps = false;
  uint64_t missed = 0;  // rx_missed_errors
};

struct HostFacts {
  std::string executable;  // the path of this program's file
  bool net_raw = false;    // CAP_NET_RAW and so on, effective
  bool net_admin = false;
  bool bpf = false;
  uint64_t lockable_bytes = UINT64_MAX;  // of memory: ulimit -l, or no limit by CAP_IPC_LOCK
  int processors = 1;                    // that this process may use
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

// How weir would receive, by trying it.
struct BackendFacts {
  absl::Status status;   // not OK: it would not, and why
  BackendChoice choice;  // the rung of the ladder, and why none above it
};

}  // namespace weir::doctor
