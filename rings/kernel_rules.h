// FilterRules in the kernel, for programs that include bpf/frame_filter.h: rule sets as maps, their
// exchange, and what the programs counted. Cold path.
//
// Two maps take turns: one is looked at, the other one is filled, and then one pointer is exchanged
// for each program. Both exist from the start, so that rules can still be changed after CAP_BPF was
// given up (Linux 5.19; before that it is needed).
#pragma once

#include <array>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/rule_set.h"
#include "rings/filter_reason.h"
#include "rings/filter_rules.h"
#include "rings/unique_fd.h"

namespace weir {

// Thread: one at a time.
class KernelRules {
 public:
  // No rules at first. Needs CAP_BPF.
  static absl::StatusOr<KernelRules> Create();

  // Makes `rules` what programs over `rules_maps` (their map weir_rules) look at: each frame is
  // judged by the old rules or by the new ones, never by parts of both. Returns when the last frame
  // that saw the old ones is through. `rules_maps`: all that look at these rules. Takes about a
  // microsecond for each network. On error all stays as it was.
  absl::Status Use(const FilterRules& rules, std::span<const int> rules_maps);

  // One more program's map: it looks at the rules now in use, too.
  absl::Status Join(int rules_map);

 private:
  struct RuleSet {
    UniqueFd map;
    std::vector<weir_rule_key> keys;
  };
  KernelRules() = default;
  absl::Status Clear(RuleSet& set);
  absl::Status Fill(RuleSet& set, const FilterRules& rules);

  std::array<RuleSet, 2> sets_;
  size_t used_ = 0;
};

// What programs with `counts_map` (weir_filter_counts) have refused since they were loaded, of the
// counters from `first` on. Any thread.
absl::StatusOr<FilterCounts> ReadFilterCounts(int counts_map, uint32_t first = 0);

}  // namespace weir
