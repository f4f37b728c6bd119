// The options whose value is a little language of its own: --timeout, --dedup, --key-with and
// --key-without, --key, --direction, --overload, --checksum, --overlap, --stream-holes, --backend,
// --xdp-mode. Thread: any. Errors list what may be written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/flow/interval_deltas.h"
#include "engine/flow/options.h"
#include "engine/packet/dedup.h"
#include "engine/packet/overlap_policy.h"
#include "engine/packet/transport_checksum.h"
#include "engine/shard.h"
#include "rings/packet_fanout.h"
#include "rings/socket_filter.h"
#include "rings/xdp_mode.h"
#include "tools/stream_files.h"

namespace weir {

// No time-out is longer: packet time plus a time-out must fit into 64 bits of nanoseconds.
inline constexpr int64_t kLongestTimeoutNs = 36'500ll * 86'400 * 1'000'000'000;  // 100 years

// "udp=60s,tcp=5min,syn=10s,all=1h": sets what is named in `timeouts`; "all" comes first wherever
// it stands, and leaves "active" alone. "hole" is how long a stream waits for lost bytes (0 = until
// its end). Longer than kLongestTimeoutNs is cut to it.
absl::Status ApplyTimeouts(std::string_view text, Timeouts& timeouts, int64_t& hole_ns);

// "off", "loopback", "content,window=1ms,depth=256,ignore=mac+ttl+vlan+checksum,refresh=yes".
absl::StatusOr<DedupOptions> ParseDedup(std::string_view text);

// "vlan,vni": key_part bits; "all" is every one.
absl::StatusOr<uint32_t> ParseKeyParts(std::string_view text);

// "five-tuple", "ip-pair", "mac-pair".
absl::StatusOr<KeyKind> ParseKeyKind(std::string_view text);

// "both", "in", "out".
absl::StatusOr<CaptureDirection> ParseDirection(std::string_view text);

// "off", "refuse-new".
absl::StatusOr<Overload> ParseOverload(std::string_view text);
// "auto" (0), or how many: 1 to kMostFanoutSockets.
absl::StatusOr<int> ParseShards(std::string_view text);

// "hash", "ebpf", "qm,rollover", "hash,defrag"...: a mode, then flags.
absl::StatusOr<FanoutOptions> ParseFanout(std::string_view text);

absl::StatusOr<Backend> ParseBackend(std::string_view text);  // auto, packet or xdp

// "auto" (no value), zero-copy, copy or generic.
absl::StatusOr<std::optional<XdpMode>> ParseXdpMode(std::string_view text);

// "eth0", or the legs of a TAP: "eth0+eth1".
absl::StatusOr<std::vector<std::string>> ParseInterface(std::string_view text);

// "ignore", "count", "drop".
absl::StatusOr<ChecksumMode> ParseChecksum(std::string_view text);

// "first", "last", "linux"...: kOverlapPolicyNames.
absl::StatusOr<OverlapPolicy> ParseOverlap(std::string_view text);

// "ip", "flow".
absl::StatusOr<CountBy> ParseCountBy(std::string_view text);

// "zero", "join".
absl::StatusOr<StreamHoles> ParseStreamHoles(std::string_view text);

}  // namespace weir
