// A classic BPF program, as libpcap compiles expressions to, written anew in eBPF: a socket filter
// that counts what it refuses. A socket has one filter, so that a classic program cannot stand
// behind an eBPF one; its translation can (bpf/socket_filter.bpf.c calls it). Cold path.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

namespace weir {

// Loads the translation. It answers as `classic` does: a load behind the frame's end refuses it.
// What it refuses is counted in counts_map[count], a per-CPU array of 64-bit numbers. Needs
// CAP_BPF. Unimplemented: an instruction that libpcap does not make for frames with link header.
absl::StatusOr<UniqueFd> LoadExpressionProgram(const std::vector<sock_filter>& classic,
                                               int counts_map, uint32_t count);

}  // namespace weir
