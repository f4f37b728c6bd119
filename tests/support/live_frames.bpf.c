// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Sends the frames that BPF_PROG_TEST_RUN feeds it: see live_frame_sender.h.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { kFirstPort = 1024, kSourcePortOffset = 14 + 20 };

const volatile __u32 target_ifindex = 0;
const volatile __u32 flow_count = 1;

__u64 sent = 0;  // one sender at a time, on one processor

SEC("xdp")
int send_frame(struct xdp_md* context) {
  void* data = (void*)(long)context->data;
  void* end = (void*)(long)context->data_end;
  if (data + kSourcePortOffset + 2 > end) return XDP_ABORTED;
  __u16* source_port = data + kSourcePortOffset;
  *source_port = bpf_htons((__u16)(kFirstPort + sent % flow_count));
  ++sent;
  return bpf_redirect(target_ifindex, 0);
}

// Stands on the receiving device, so that it takes frames from another one's XDP program.
SEC("xdp")
int pass_frame(struct xdp_md* context) { return XDP_PASS; }

char LICENSE[] SEC("license") = "Dual BSD/GPL";
