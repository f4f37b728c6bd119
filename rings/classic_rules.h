// FilterRules as a classic BPF program: for kernels and users that may not load eBPF. The same
// verdicts as bpf/frame_rules.h, without reasons and without counters. Cold path.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "rings/filter_rules.h"

namespace weir {

// Refuses (RET 0) or falls off its end, where the caller puts what an accepted frame gets. Empty
// rules make an empty program. It can be longer than the kernel takes (BPF_MAXINSNS): lists of some
// 800 IPv4 ranges or 400 IPv6 networks fit. `ethernet`: else frames start with an IP header.
std::vector<sock_filter> ClassicRules(const FilterRules& rules, bool ethernet);

}  // namespace weir
