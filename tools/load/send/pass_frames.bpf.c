// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Lets every frame through: a veth takes live frames only while its other end has a program.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass_frames(struct xdp_md* context) { return XDP_PASS; }

char LICENSE[] SEC("license") = "Dual BSD/GPL";
