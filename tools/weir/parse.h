// Values of the command line as a person writes them. Thread: any. Errors say what was read and
// what would be right.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace weir {

// "250", "100k", "1M": a plain count; k, M and G are thousands.
absl::StatusOr<uint64_t> ParseCount(std::string_view text);

// "1500", "64k", "1MiB", "1.5GB": bytes. k, M, G and KiB, MiB, GiB are powers of 1,024; kB, MB, GB
// of 1,000.
absl::StatusOr<uint64_t> ParseSize(std::string_view text);

// "0", "250us", "1ms", "5s", "5min", "2h", "100000d": nanoseconds. A number other than 0 needs its
// unit.
absl::StatusOr<int64_t> ParseDuration(std::string_view text);

// When an output file is followed by the next one. 0 = not for this reason.
struct RotateAt {
  uint64_t bytes = 0;
  int64_t age_ns = 0;
};
// A size or a time; "5m" is refused, since it could be either.
absl::StatusOr<RotateAt> ParseRotate(std::string_view text);

// "a,b,c": the parts, none of them empty.
absl::StatusOr<std::vector<std::string_view>> ParseList(std::string_view text);

// "udp=60s": both sides; `text` without "=" has an empty value.
std::pair<std::string_view, std::string_view> SplitPair(std::string_view text);

}  // namespace weir
