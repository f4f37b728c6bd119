#include "rings/kernel_rules.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bpf/rule_set.h"

namespace weir {
namespace {

absl::Status CannotLoad(int error) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "cannot load filter rules into the kernel: needs CAP_BPF (sudo, or once: setcap "
        "cap_net_raw,cap_bpf+ep weir)");
  }
  return absl::ErrnoToStatus(error, "cannot load filter rules into the kernel");
}

struct Entry {
  weir_rule_key key;
  uint32_t value;
};

Entry NetworkEntry(const CidrSet::Network& network, weir_list list_of_ipv4) {
  Entry entry{};
  entry.key.list = static_cast<uint8_t>(list_of_ipv4 + (network.ipv6 ? 1 : 0));
  entry.key.bits = 8 + static_cast<uint32_t>(network.length);
  std::copy(std::begin(network.address), std::end(network.address), entry.key.address);
  return entry;
}

std::vector<Entry> EntriesOf(const FilterRules& rules) {
  Entry flags{};
  flags.key.bits = 8;
  flags.key.list = WEIR_FLAGS;
  flags.value = rules.Flags();
  std::vector<Entry> entries = {flags};
  for (size_t id = 0; rules.vlans && id < rules.vlans->size(); ++id) {
    if (!rules.vlans->test(id)) continue;
    Entry entry{};
    entry.key.list = WEIR_VLANS;
    entry.key.bits = 8 + 16;
    entry.key.address[0] = static_cast<uint8_t>(id >> 8);
    entry.key.address[1] = static_cast<uint8_t>(id);
    entries.push_back(entry);
  }
  const auto add = [&entries](const std::optional<CidrSet>& set, weir_list list) {
    if (!set) return;
    for (const CidrSet::Network& network : set->Networks()) {
      entries.push_back(NetworkEntry(network, list));
    }
  };
  add(rules.ignore_destinations, WEIR_IGNORED_IPV4);
  add(rules.accept_sources, WEIR_ACCEPTED_IPV4);
  return entries;
}

}  // namespace

absl::StatusOr<UniqueFd> MakeRuleSet(const FilterRules& rules) {
  const std::vector<Entry> entries = EntriesOf(rules);
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "weir_rule_set", sizeof(weir_rule_key),
                              sizeof(uint32_t), static_cast<uint32_t>(entries.size()), &options));
  if (!map) return CannotLoad(errno);
  for (const Entry& entry : entries) {
    if (bpf_map_update_elem(map.get(), &entry.key, &entry.value, BPF_ANY) != 0) {
      return CannotLoad(errno);
    }
  }
  return map;
}

absl::Status UseRuleSet(int rules_map, int rule_set) {
  const uint32_t first = 0;
  if (bpf_map_update_elem(rules_map, &first, &rule_set, BPF_ANY) == 0) return absl::OkStatus();
  return CannotLoad(errno);
}

absl::StatusOr<FilterCounts> ReadFilterCounts(int counts_map) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return absl::ErrnoToStatus(-cpus, "cannot tell how many processors there are");
  std::vector<uint64_t> of_cpus(static_cast<size_t>(cpus));
  FilterCounts counts{};
  for (uint32_t verdict = WEIR_ACCEPTED + 1; verdict < WEIR_VERDICTS; ++verdict) {
    if (bpf_map_lookup_elem(counts_map, &verdict, of_cpus.data()) != 0) {
      return absl::ErrnoToStatus(errno, "cannot read the kernel's filter counters");
    }
    for (const uint64_t count : of_cpus) counts[verdict - 1] += count;
  }
  return counts;
}

}  // namespace weir
