// The walk of steer.bpf.c over a frame's headers: where it stands and what it has found.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// What stands at a place: an EtherType (0x0600 and up), or one of these.
enum {
  kDone = 0,
  kEthernet = 1,
  kLlc = 2,
  kIpByVersion = 3,
  kMpls = 4,
  kVxlanGpe = 5,
  kGtp = 6,
  kGtpExtension = 7,
  kGeneve = 8,
  kIpProtocol = 0x10000,  // + protocol number
};

enum { kFirstEtherType = 0x0600 };
enum { kNowhere = 1 << 30 };  // beyond every frame: what stands there cannot be loaded
enum { kIpv4 = 0x0800, kIpv6 = 0x86dd, kBridged = 0x6558, kPppoe = 0x8864 };
enum { kTcp = 6, kUdp = 17 };

// Where the walk over the headers stands, and what it has found.
struct walk {
  __u32 at;         // of the next header, from the frame's first byte that a program can load
  __u32 next;       // what it is
  __u64 candidate;  // sum of the two hashes: addresses of the last IP header
  __u64 pair;       // of the header that counts
  __u8 found;       // there is a pair
  __u8 has_ports;   // its packet carries TCP or UDP
  __u8 quoted;      // it is the one that an ICMP error quotes
};

#define INLINE static __attribute__((always_inline)) inline
// Copies bytes at `offset` from where the walk stands; false beyond the frame's end.
#define LOAD(offset, to) (bpf_skb_load_bytes(frame, walk->at + (offset), to, sizeof *(to)) == 0)

INLINE __u16 load16(const __u8* bytes) { return bytes[0] << 8 | bytes[1]; }

// An EtherType of the wire; smaller values are none, and have meanings of our own here.
INLINE __u32 ether_type(const __u8* bytes) {
  const __u16 type = load16(bytes);
  return type >= kFirstEtherType ? type : kDone;
}

// The walk goes on behind `size` bytes.
INLINE void go_on(struct walk* walk, __u32 size, __u32 next) {
  walk->at += size;
  walk->next = next;
}
