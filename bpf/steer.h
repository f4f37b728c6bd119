// What steer.bpf.c and its loader share: its configuration, and the hash by which it steers. Both
// sides include this file, as C and as C++.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/types.h>

// Set before the program is loaded; constant afterwards.
struct weir_steer_config {
  __u64 seed;     // unknown to who sends the traffic, so that nobody can fill one shard
  __u8 ethernet;  // frames have an Ethernet header; 0: they have none that is known
};

// A bijection of 64 bits in which every input bit reaches every output bit (MurmurHash3's last
// steps).
static inline __u64 weir_steer_mix(__u64 x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

// One address: the bytes of the header, loaded as they lie there.
static inline __u64 weir_steer_ipv4(__u64 seed, __u32 address) {
  return weir_steer_mix(seed ^ address);
}
static inline __u64 weir_steer_ipv6(__u64 seed, __u64 first, __u64 second) {
  return weir_steer_mix(weir_steer_mix(seed ^ first) + second);
}
static inline __u64 weir_steer_mac(__u64 seed, const __u8* address) {
  __u64 value = 0;
  for (int i = 0; i < 6; ++i) value = value << 8 | address[i];
  return weir_steer_mix(seed ^ value);
}

// A pair of addresses, given as the sum of their two hashes: the same whichever comes first. The
// kernel takes it modulo the number of sockets.
static inline __u32 weir_steer_pair(__u64 sum) { return (__u32)(weir_steer_mix(sum) >> 32); }
