// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Counts frames and drops them: see counting_sink.h.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct sink_counts {
  __u64 frames;
  __u64 bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct sink_counts);
} counts SEC(".maps");

SEC("xdp.frags")
int count_frame(struct xdp_md* context) {
  const __u32 key = 0;
  struct sink_counts* const mine = bpf_map_lookup_elem(&counts, &key);
  if (!mine) return XDP_DROP;
  ++mine->frames;
  mine->bytes += bpf_xdp_get_buff_len(context);
  return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
