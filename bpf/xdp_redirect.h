// What xdp_redirect.bpf.c and its loader share: its configuration, and why a frame stays with the
// host. Both sides include this file, as C and as C++.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/types.h>

// Set before the program is loaded; constant afterwards.
struct weir_xdp_config {
  __u32 queues;        // receive queues that are told apart in `left_to_host`; at least 1
  __u8 filters;        // there are rules: frame_filter.h; needs Linux 5.18
  __u8 protects_host;  // the interface carries the host's own traffic: that stays with the host
};

// Why a frame was passed up instead of redirected. The counters' index: queue * kinds + reason.
enum weir_xdp_left {
  kWeirLeftNoSocket,   // nobody receives on its queue (any more)
  kWeirLeftOwn,        // to an address of the host's own
  kWeirLeftArp,        //
  kWeirLeftNeighbour,  // neighbour discovery, and the multicast listeners that it relies on
  kWeirLeftDhcp,       // what gives the host its address
  kWeirLeftNotIp,      // neither IPv4 nor IPv6; too short to tell
  kWeirLeftReasons,
};

// An address of the host's own, in the form of IPv6 (IPv4 mapped: ::ffff:a.b.c.d), as it lies in a
// header.
struct weir_xdp_address {
  __u32 words[4];
};
