// The names of rules and verdicts; and how a rule set stands in the kernel: one trie with
// everything in it (lists, VLAN ids and which rules there are), so that a rule set is exchanged by
// exchanging one pointer, and no frame sees half of one.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/types.h>

// What becomes of a frame. WEIR_NOT_EXPRESSION is said by others: this text knows no expressions.
enum weir_verdict {
  WEIR_ACCEPTED = 0,
  WEIR_NOT_IP,
  WEIR_OTHER_VLAN,
  WEIR_IGNORED_DESTINATION,
  WEIR_NOT_ACCEPTED_SOURCE,
  WEIR_NOT_EXPRESSION,
  WEIR_VERDICTS
};

// Which rules there are.
enum weir_rule { WEIR_IP_ONLY = 1, WEIR_BY_VLAN = 2, WEIR_IGNORE = 4, WEIR_ACCEPT = 8 };

enum weir_list {
  WEIR_FLAGS,  // no list: what stands here is the set of weir_rule
  WEIR_VLANS,
  WEIR_IGNORED_IPV4,
  WEIR_IGNORED_IPV6,
  WEIR_ACCEPTED_IPV4,
  WEIR_ACCEPTED_IPV6
};

// Key of a BPF_MAP_TYPE_LPM_TRIE. Its value, a __u32, is the set of weir_rule under WEIR_FLAGS and
// means nothing elsewhere.
struct weir_rule_key {
  __u32 bits;  // of list and address that count: 8 for WEIR_FLAGS, 24 for a VLAN id
  __u8 list;   // weir_list
  __u8 address[16];
  __u8 unused[3];
};
