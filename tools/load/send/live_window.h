// What live_window.bpf.c and its user share: the frames that one call of BPF_PROG_TEST_RUN sends.
// Both sides include this file, as C and as C++.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include <linux/types.h>

enum {
  WEIR_WINDOW_FRAMES = 8192,
  WEIR_WINDOW_BYTES = 2 << 20,  // of all its frames
  // Longest frame: a page less headroom, the kernel's own part of the page and skb_shared_info
  // (net/bpf/test_run.c).
  WEIR_WINDOW_MOST_FRAME = 3328,
  WEIR_WINDOW_LEAST_FRAME = 14,
};

struct weir_window_frame {
  __u64 due_ns;    // CLOCK_MONOTONIC; 0: it leaves with the frame before it
  __u32 gap_ns;    // it leaves so long after the last one that was due, at the earliest
  __u32 offset;    // into the window's bytes
  __u16 length;    //
  __u16 stamp_at;  // where its send time goes, 8 bytes; 0: nowhere
};
