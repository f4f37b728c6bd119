// The rules of frame_rules.h in a program that the kernel runs: a socket filter, or XDP. A program
// includes this and calls
//
//   int verdict = weir_filter(frame, &link, first);     // enum weir_verdict
//
// once for each frame. `frame` is the program's own: struct __sk_buff* (offset 0 is the MAC header:
// SOCK_RAW packet sockets), or struct xdp_md* where WEIR_FILTER_XDP is defined before; `link` says
// where the EtherType is and which VLAN tag was taken out of the bytes. What is not WEIR_ACCEPTED
// is counted in weir_filter_counts[first + verdict], per CPU; WEIR_ACCEPTED is not.
//
// Two maps come with it, filled from user space (rings/kernel_rules.h):
//   weir_rules          [0]: the rule set, a trie with keys of rule_set.h. Empty: all is accepted.
//   weir_filter_counts  frames by verdict; a program that counts by queue, too (`first` is the
//                       queue times WEIR_VERDICTS), has its loader make the map larger
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/rule_set.h"

#ifdef WEIR_FILTER_XDP
#define WEIR_FRAME struct xdp_md*
// Not by pointers into the packet: to add a number to one takes CAP_PERFMON, and a helper reads all
// pieces of a frame of several. Linux 5.18.
#define WEIR_LOAD(frame, offset, to) (bpf_xdp_load_bytes(frame, offset, to, sizeof *(to)) == 0)
#else
#define WEIR_FRAME struct __sk_buff*
#define WEIR_LOAD(frame, offset, to) (bpf_skb_load_bytes(frame, offset, to, sizeof *(to)) == 0)
#endif

#define WEIR_RULES void*
#define WEIR_HOLDS(rules, list, key, size) (weir_find(rules, list, key, size) != 0)

static inline __attribute__((always_inline)) __u32* weir_find(void* rules, __u8 list,
                                                              const void* address, __u32 size) {
  struct weir_rule_key key = {.bits = 8 + size * 8, .list = list};
  if (size > 0) __builtin_memcpy(key.address, address, size);
  return bpf_map_lookup_elem(rules, &key);
}

#include "bpf/frame_rules.h"

struct weir_rule_set {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(struct weir_rule_key));
  __uint(value_size, sizeof(__u32));
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __array(values, struct weir_rule_set);
} weir_rules SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WEIR_VERDICTS);
  __type(key, __u32);
  __type(value, __u64);
} weir_filter_counts SEC(".maps");

WEIR_INLINE void weir_count(__u32 at) {
  __u64* const count = bpf_map_lookup_elem(&weir_filter_counts, &at);
  if (count != 0) ++*count;
}

WEIR_INLINE int weir_filter(WEIR_FRAME frame, const struct weir_link* link, __u32 first_count) {
  const __u32 first = 0;
  struct weir_facts facts = {};
  void* const rules = bpf_map_lookup_elem(&weir_rules, &first);
  if (rules == 0) return WEIR_ACCEPTED;
  const __u32* const flags = weir_find(rules, WEIR_FLAGS, 0, 0);
  if (flags == 0 || *flags == 0) return WEIR_ACCEPTED;
  weir_find_facts(frame, link, &facts);
  const int verdict = weir_decide(rules, *flags, &facts);
  if (verdict != WEIR_ACCEPTED) weir_count(first_count + verdict);
  return verdict;
}
