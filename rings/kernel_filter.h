// Where the rules of an interface run, as far as an engine needs to know.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "rings/filter_rules.h"

namespace weir {

// The lower part of the ladder of back-ends, best first.
enum class FilterRung : uint8_t {
  kEbpf,     // in the kernel, refusals counted by reason
  kClassic,  // classic BPF in the kernel, refusals not counted
  kShard,    // all frames come up
};

constexpr std::string_view Name(FilterRung rung) {
  return rung == FilterRung::kEbpf      ? "as eBPF in the kernel"
         : rung == FilterRung::kClassic ? "as classic BPF in the kernel"
                                        : "in the shard";
}

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
};

}  // namespace weir
