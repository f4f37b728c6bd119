#include "rings/kernel_rules.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>

namespace weir {
namespace {

// Both lists at their longest, all VLANs, the flags.
constexpr uint32_t kMostEntries = 4 * CidrSet::kMostNetworks + 8192;

absl::Status CannotLoad(int error) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "cannot load filter rules into the kernel: needs CAP_BPF (sudo, or once: setcap "
        "cap_net_raw,cap_bpf+ep weir)");
  }
  return absl::ErrnoToStatus(error, "cannot load filter rules into the kernel");
}

// What stands in the map: key and value.
class Entries {
 public:
  explicit Entries(const FilterRules& rules) : flags_(rules.Flags()) {
    Add(WEIR_FLAGS, nullptr, 0);
    for (size_t id = 0; rules.vlans && id < rules.vlans->size(); ++id) {
      const uint8_t bytes[2] = {static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)};
      if (rules.vlans->test(id)) Add(WEIR_VLANS, bytes, 16);
    }
    AddNetworks(rules.ignore_destinations, WEIR_IGNORED_IPV4, WEIR_IGNORED_IPV6);
    AddNetworks(rules.accept_sources, WEIR_ACCEPTED_IPV4, WEIR_ACCEPTED_IPV6);
  }
  const std::vector<weir_rule_key>& keys() const { return keys_; }
  // Read under WEIR_FLAGS only.
  const uint32_t& value() const { return flags_; }

 private:
  void Add(weir_list list, const uint8_t* address, int bits) {
    weir_rule_key& key = keys_.emplace_back();
    key.list = static_cast<uint8_t>(list);
    key.bits = 8 + static_cast<uint32_t>(bits);
    if (address != nullptr) std::copy_n(address, (bits + 7) / 8, key.address);
  }
  void AddNetworks(const std::optional<CidrSet>& set, weir_list ipv4, weir_list ipv6) {
    if (!set) return;
    for (const CidrSet::Network& network : set->Networks()) {
      Add(network.ipv6 ? ipv6 : ipv4, network.address, network.length);
    }
  }

  uint32_t flags_;
  std::vector<weir_rule_key> keys_;
};

int SetPointer(int rules_map, int rule_set) {
  const uint32_t first = 0;
  return bpf_map_update_elem(rules_map, &first, &rule_set, BPF_ANY);
}

}  // namespace

absl::StatusOr<KernelRules> KernelRules::Create() {
  KernelRules rules;
  for (RuleSet& set : rules.sets_) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
    set.map = UniqueFd(bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "weir_rule_set", sizeof(weir_rule_key),
                                      sizeof(uint32_t), kMostEntries, &options));
    if (!set.map) return CannotLoad(errno);
  }
  return rules;
}

absl::Status KernelRules::Clear(RuleSet& set) {
  for (const weir_rule_key& key : set.keys) {
    if (bpf_map_delete_elem(set.map.get(), &key) != 0 && errno != ENOENT) return CannotLoad(errno);
  }
  set.keys.clear();
  return absl::OkStatus();
}

absl::Status KernelRules::Fill(RuleSet& set, const FilterRules& rules) {
  if (auto status = Clear(set); !status.ok()) return status;
  const Entries entries(rules);
  set.keys = entries.keys();
  for (const weir_rule_key& key : set.keys) {
    if (bpf_map_update_elem(set.map.get(), &key, &entries.value(), BPF_ANY) != 0) {
      return CannotLoad(errno);
    }
  }
  return absl::OkStatus();
}

// The kernel waits in each exchange until no program looks at the old set any more.
absl::Status KernelRules::Use(const FilterRules& rules, std::span<const int> rules_maps) {
  RuleSet& next = sets_[1 - used_];
  if (auto status = Fill(next, rules); !status.ok()) return status;
  for (size_t i = 0; i < rules_maps.size(); ++i) {
    if (SetPointer(rules_maps[i], next.map.get()) == 0) continue;
    const int error = errno;
    for (size_t changed = 0; changed < i; ++changed) {
      SetPointer(rules_maps[changed], sets_[used_].map.get());
    }
    return CannotLoad(error);
  }
  used_ = 1 - used_;
  return absl::OkStatus();
}

absl::Status KernelRules::Join(int rules_map) {
  if (SetPointer(rules_map, sets_[used_].map.get()) == 0) return absl::OkStatus();
  return CannotLoad(errno);
}

absl::StatusOr<FilterCounts> ReadFilterCounts(int counts_map, uint32_t first) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return absl::ErrnoToStatus(-cpus, "cannot tell how many processors there are");
  std::vector<uint64_t> of_cpus(static_cast<size_t>(cpus));
  FilterCounts counts{};
  for (uint32_t verdict = WEIR_ACCEPTED + 1; verdict < WEIR_VERDICTS; ++verdict) {
    const uint32_t at = first + verdict;
    if (bpf_map_lookup_elem(counts_map, &at, of_cpus.data()) != 0) {
      return absl::ErrnoToStatus(errno, "cannot read the kernel's filter counters");
    }
    for (const uint64_t count : of_cpus) counts[verdict - 1] += count;
  }
  return counts;
}

}  // namespace weir
