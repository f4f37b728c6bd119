// The options whose value is a little language of its own: --timeout, --dedup, --key-with and
// --key-without, --key, --direction. Thread: any. Errors list what may be written.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/flow/options.h"
#include "engine/packet/dedup.h"
#include "rings/socket_filter.h"

namespace weir {

// No time-out is longer: packet time plus a time-out must fit into 64 bits of nanoseconds.
inline constexpr int64_t kLongestTimeoutNs = 36'500ll * 86'400 * 1'000'000'000;  // 100 years

// "udp=60s,tcp=5min,syn=10s,all=1h": sets what is named in `timeouts`; "all" comes first wherever
// it stands, and leaves "active" alone. Longer than kLongestTimeoutNs is cut to it.
absl::Status ApplyTimeouts(std::string_view text, Timeouts& timeouts);

// "off", "loopback", "content,window=1ms,depth=256,ignore=mac+ttl+vlan+checksum,refresh=yes".
absl::StatusOr<DedupOptions> ParseDedup(std::string_view text);

// "vlan,vni": key_part bits; "all" is every one.
absl::StatusOr<uint32_t> ParseKeyParts(std::string_view text);

// "five-tuple", "ip-pair", "mac-pair".
absl::StatusOr<KeyKind> ParseKeyKind(std::string_view text);

// "both", "in", "out".
absl::StatusOr<CaptureDirection> ParseDirection(std::string_view text);

}  // namespace weir
