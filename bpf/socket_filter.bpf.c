// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// The filter of a packet socket (SO_ATTACH_BPF, socket(7)): returns how many bytes of the frame to
// keep, 0 for none. A frame that passes the rules goes on to the program in `expression`, if there
// is one, which returns the same and counts for itself.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <linux/if_packet.h>

#include "bpf/frame_filter.h"
#include "bpf/socket_filter.h"

const volatile struct weir_socket_config config = {};

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} expression SEC(".maps");

SEC("socket")
int socket_filter(struct __sk_buff* frame) {
  if (config.only_outgoing && frame->pkt_type != PACKET_OUTGOING) return 0;
  struct weir_link link = {.type_at = 12, .header_bytes = config.ethernet ? 14 : 0};
  link.tag_taken_out = frame->vlan_present != 0;
  link.tag = frame->vlan_tci;
  if (weir_filter(frame, &link, 0) != WEIR_ACCEPTED) return 0;
  bpf_tail_call(frame, &expression, 0);
  return config.snap_length;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
