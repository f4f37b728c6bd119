// Where the rules of an interface run, as far as an engine needs to know.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "rings/filter_rules.h"

namespace weir {

// The lower part of the ladder of back-ends, best first.
enum class FilterRung : uint8_t {
  kEbpf,     // in the kernel, refusals counted by reason
  kClassic,  // classic BPF in the kernel, refusals not counted
  kShard,    // all frames come up
};

struct FilterRefusal {
  FilterRung rung;
  std::string reason;
};

// Thread: any.
class KernelFilter {
 public:
  virtual ~KernelFilter() = default;

  // Other rules from the next frames on. Each frame is judged by the old ones or by the new ones,
  // none is lost. On error the old ones stay in force.
  virtual absl::Status Use(std::shared_ptr<const FilterRules> rules) = 0;

  // kEbpf: every rule runs in the kernel, now and after each Use. Else the shard must apply all of
  // them, too: the kernel has those that it can take, or none.
  virtual FilterRung rung() const = 0;

  // True: no program of the kernel's has the expression, so ExpressionFilter must do it.
  virtual bool expression_in_shard() const { return false; }

  // False: there is nothing to filter, neither rules nor an expression.
  virtual bool selects() const { return true; }

  // Which rungs are above the one in force, and why.
  virtual std::vector<FilterRefusal> refused() const { return {}; }
};

// Where all of it runs: the lowest rung that something is on.
inline FilterRung LowestRung(const KernelFilter& filter) {
  return filter.expression_in_shard() ? FilterRung::kShard : filter.rung();
}

}  // namespace weir
