// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Says what the rules in XDP say of a frame: the verdict is what BPF_PROG_TEST_RUN returns.
#define WEIR_FILTER_XDP
#include "bpf/frame_filter.h"

SEC("xdp")
int judge_xdp(struct xdp_md* frame) {
  const struct weir_link link = {.type_at = 12, .header_bytes = 14};
  return weir_filter(frame, &link, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
