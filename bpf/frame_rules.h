// Which frames are wanted: the rules and the walk over a frame's headers that they need. One text
// for the socket filter, for XDP and for user space, so that all three say the same.
//
// The rules look at the outermost IP header, as tcpdump does: the one that the EtherType behind the
// VLAN tags announces. What a tunnel, PPPoE or MPLS carries is not looked into. In this order:
//   1. WEIR_IP_ONLY   the EtherType is IPv4's or IPv6's, else WEIR_NOT_IP
//   2. WEIR_BY_VLAN   the outermost VLAN id that is not 0 (0 is a priority, no VLAN) is in the
//                     list, or there is none and 0 is in the list, else WEIR_OTHER_VLAN
//   3. WEIR_IGNORE    the destination is not in the list, else WEIR_IGNORED_DESTINATION
//   4. WEIR_ACCEPT    the source is in the list, else WEIR_NOT_ACCEPTED_SOURCE
// A frame has addresses when it has all 20 or 40 bytes of the fixed IP header. What has none is in
// no list: 3 lets it pass, 4 does not.
//
// Who includes this defines before:
//   WEIR_FRAME                            type of a frame
//   WEIR_LOAD(frame, offset, to)          copies sizeof *(to) bytes from the frame; false when it
//                                         is shorter
//   WEIR_RULES                            type of a rule set
//   WEIR_HOLDS(rules, list, key, bytes)   whether a list holds an address or a VLAN id, given as on
//                                         the wire
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/types.h>

#include "bpf/rule_set.h"

// Where a frame's EtherType stands, and a VLAN tag that was taken out of its bytes.
struct weir_link {
  __u32 type_at;
  __u32 header_bytes;  // 0: the frame starts with an IP header
  __u8 tag_taken_out;
  __u16 tag;  // priority, DEI and VLAN id
};
enum { WEIR_MOST_TAGS = 4 };  // the one that was taken out is one of them

struct weir_facts {
  __u8 version;  // 4 or 6; 0: no IP
  __u8 has_addresses;
  __u8 vlan[2];
  __u8 source[16];
  __u8 destination[16];
};

#define WEIR_INLINE static inline __attribute__((always_inline))

WEIR_INLINE __u16 weir_load16(const __u8* bytes) { return (__u16)(bytes[0] << 8 | bytes[1]); }

WEIR_INLINE int weir_is_tag(__u16 type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

// The outermost id that is one stays.
WEIR_INLINE void weir_note_vlan(struct weir_facts* facts, __u16 tag) {
  if ((facts->vlan[0] | facts->vlan[1]) != 0) return;
  facts->vlan[0] = (__u8)(tag >> 8 & 0x0f);
  facts->vlan[1] = (__u8)tag;
}

// Over the VLAN tags; returns the EtherType behind them, 0 where the frame ends before, and where
// its header stands in *at.
WEIR_INLINE __u16 weir_walk_tags(WEIR_FRAME frame, const struct weir_link* link, __u32* at,
                                 struct weir_facts* facts) {
  __u8 field[2], tag[4];
  __u16 type;
  if (!WEIR_LOAD(frame, link->type_at, &field)) return 0;
  type = weir_load16(field);
  *at = link->header_bytes;
  if (link->tag_taken_out) weir_note_vlan(facts, link->tag);
#pragma GCC unroll 4
  for (int i = 0; i < WEIR_MOST_TAGS; ++i) {
    if (!weir_is_tag(type)) return type;
    if (i == WEIR_MOST_TAGS - 1 && link->tag_taken_out) return 0;
    if (!WEIR_LOAD(frame, *at, &tag)) return 0;
    weir_note_vlan(facts, weir_load16(tag));
    type = weir_load16(tag + 2);
    *at += 4;
  }
  return type;
}

WEIR_INLINE __u8 weir_version(WEIR_FRAME frame, const struct weir_link* link, __u32* at,
                              struct weir_facts* facts) {
  __u8 first[1];
  if (link->header_bytes != 0) {
    const __u16 type = weir_walk_tags(frame, link, at, facts);
    return type == 0x0800 ? 4 : type == 0x86dd ? 6 : 0;
  }
  if (!WEIR_LOAD(frame, 0, &first)) return 0;
  return first[0] >> 4 == 4 ? 4 : first[0] >> 4 == 6 ? 6 : 0;
}

WEIR_INLINE void weir_find_facts(WEIR_FRAME frame, const struct weir_link* link,
                                 struct weir_facts* facts) {
  struct {
    __u8 source[4], destination[4];
  } ipv4;
  struct {
    __u8 source[16], destination[16];
  } ipv6;
  __u32 at = 0;
  facts->version = weir_version(frame, link, &at, facts);
  if (facts->version == 4 && WEIR_LOAD(frame, at + 12, &ipv4)) {
    __builtin_memcpy(facts->source, ipv4.source, 4);
    __builtin_memcpy(facts->destination, ipv4.destination, 4);
    facts->has_addresses = 1;
  }
  if (facts->version == 6 && WEIR_LOAD(frame, at + 8, &ipv6)) {
    __builtin_memcpy(facts->source, ipv6.source, 16);
    __builtin_memcpy(facts->destination, ipv6.destination, 16);
    facts->has_addresses = 1;
  }
}

WEIR_INLINE int weir_holds_address(WEIR_RULES rules, const struct weir_facts* facts,
                                   const __u8* address, __u8 list_of_ipv4) {
  if (!facts->has_addresses) return 0;
  if (facts->version == 4) return WEIR_HOLDS(rules, list_of_ipv4, address, 4);
  return WEIR_HOLDS(rules, (__u8)(list_of_ipv4 + 1), address, 16);
}

WEIR_INLINE int weir_decide(WEIR_RULES rules, __u32 flags, const struct weir_facts* facts) {
  if (flags & WEIR_IP_ONLY && facts->version == 0) return WEIR_NOT_IP;
  if (flags & WEIR_BY_VLAN && !WEIR_HOLDS(rules, WEIR_VLANS, facts->vlan, 2)) {
    return WEIR_OTHER_VLAN;
  }
  if (flags & WEIR_IGNORE &&
      weir_holds_address(rules, facts, facts->destination, WEIR_IGNORED_IPV4)) {
    return WEIR_IGNORED_DESTINATION;
  }
  if (flags & WEIR_ACCEPT && !weir_holds_address(rules, facts, facts->source, WEIR_ACCEPTED_IPV4)) {
    return WEIR_NOT_ACCEPTED_SOURCE;
  }
  return WEIR_ACCEPTED;
}
