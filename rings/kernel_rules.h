// FilterRules in the kernel, for programs that include bpf/frame_filter.h: the rule set as a map,
// its exchange, and what the program counted. Cold path, any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/filter_reason.h"
#include "rings/filter_rules.h"
#include "rings/unique_fd.h"

namespace weir {

// A map with the whole rule set. Any number of programs may use it; nobody changes it. Needs
// CAP_BPF. Takes about a microsecond for each network.
absl::StatusOr<UniqueFd> MakeRuleSet(const FilterRules& rules);

// Makes `rule_set` the one that programs over `rules_map` (their map weir_rules) look at: each
// frame is judged by the old set or by the new one, never by parts of both. Returns when the last
// frame that saw the old one is through.
absl::Status UseRuleSet(int rules_map, int rule_set);

// What programs with `counts_map` (weir_filter_counts) have refused since they were loaded.
absl::StatusOr<FilterCounts> ReadFilterCounts(int counts_map);

}  // namespace weir
