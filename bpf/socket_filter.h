// What socket_filter.bpf.c and its loader share.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/types.h>

// Set before the program is loaded; constant afterwards.
struct weir_socket_config {
  __u32 snap_length;   // bytes kept of an accepted frame
  __u8 ethernet;       // 0: frames start with an IP header
  __u8 only_outgoing;  // refuses, uncounted, what this host did not send
};
