// Which capture format a file is in, told by its first bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace weir {

inline constexpr size_t kMagicBytes = 8;

enum class CaptureFormat : uint8_t { kPcap, kPcapng, kSnoop, kOther };

// `magic`: the first kMagicBytes of the file.
CaptureFormat FormatOf(const uint8_t* magic);

// Why a kOther file is not read: the format's name, where it is known, and what to do.
absl::Status RefusalOf(const uint8_t* magic);

}  // namespace weir
