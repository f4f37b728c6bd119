// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Sends the frames of a window, one a run, and counts them: see live_sender.h.
#include "tools/load/send/live_window.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { kMostLooks = 1 << 14 };  // at the clock, for one frame: some 300 us

const volatile __u32 room = 0;  // bytes of a frame before it is cut to length

// The interface. A map, for bpf_redirect looks it up in the namespace of who runs the program.
struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} target SEC(".maps");

// Written between the runs by who makes them; one at a time.
struct weir_window_frame frames[WEIR_WINDOW_FRAMES];
__u8 bytes[WEIR_WINDOW_BYTES];

__u32 next = 0;     // frame of the window that leaves next
__u64 left_ns = 0;  // when the last one that was due left

static long look(__u32 turn, void* due_ns) {
  (void)turn;
  left_ns = bpf_ktime_get_ns();
  return left_ns >= *(__u64*)due_ns;
}

SEC("xdp")
int send_frame(struct xdp_md* context) {
  const __u32 index = next;
  if (index >= WEIR_WINDOW_FRAMES) return XDP_DROP;
  const struct weir_window_frame* const frame = &frames[index];
  if (frame->due_ns != 0) {
    __u64 due_ns = left_ns + frame->gap_ns;
    if (due_ns < frame->due_ns) due_ns = frame->due_ns;
    bpf_loop(kMostLooks, look, &due_ns, 0);
  }
  next = index + 1;
  const __u32 offset = frame->offset, length = frame->length, stamp_at = frame->stamp_at;
  if (offset > WEIR_WINDOW_BYTES - WEIR_WINDOW_MOST_FRAME) return XDP_DROP;
  if (length < WEIR_WINDOW_LEAST_FRAME || length > WEIR_WINDOW_MOST_FRAME) return XDP_DROP;
  if (bpf_xdp_store_bytes(context, 0, &bytes[offset], length) != 0) return XDP_DROP;
  if (stamp_at != 0) {
    __u64 now_ns = bpf_ktime_get_ns();
    bpf_xdp_store_bytes(context, stamp_at, &now_ns, sizeof now_ns);
  }
  if (length != room && bpf_xdp_adjust_tail(context, (int)length - (int)room) != 0) return XDP_DROP;
  return bpf_redirect_map(&target, 0, XDP_DROP);
}

// Stands on the interface itself: see live_sender.h.
SEC("xdp")
int pass_frame(struct xdp_md* context) {
  (void)context;
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
