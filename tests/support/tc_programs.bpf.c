// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Programs for an interface's tc hooks: see tc_program.h.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { kTagBytes = 4, kMostTags = 2, kTypeAt = 12 };

const volatile __u32 queue_count = 1;

// Where the network header stands, behind at most two VLAN tags; its EtherType in `type`.
static __attribute__((always_inline)) inline __u32 network_header(struct __sk_buff* frame,
                                                                  __u16* type) {
  __u32 at = kTypeAt;
  for (int tag = 0; tag <= kMostTags; ++tag) {
    if (bpf_skb_load_bytes(frame, at, type, sizeof *type) != 0) return 0;
    *type = bpf_ntohs(*type);
    if (*type != 0x8100 && *type != 0x88a8) break;
    at += kTagBytes;
  }
  return at + sizeof *type;
}

// Symmetric RSS, as a device does it: the outermost addresses choose the queue.
SEC("tc")
int steer_queue(struct __sk_buff* frame) {
  __u16 type = 0;
  __u32 words[8] = {};
  const __u32 at = network_header(frame, &type);
  if (type == 0x0800 && bpf_skb_load_bytes(frame, at + 12, words, 8) != 0) return TC_ACT_OK;
  if (type == 0x86dd && bpf_skb_load_bytes(frame, at + 8, words, 32) != 0) return TC_ACT_OK;
  __u32 sum = 0;
  for (int i = 0; i < 8; ++i) sum += words[i];
  const __u64 hash = sum * 0x9e3779b1u;
  frame->queue_mapping = 1 + (__u32)(hash * queue_count >> 32);
  return TC_ACT_OK;
}

// A device whose hash is not symmetric: by the source address's last byte (IPv4).
SEC("tc")
int steer_by_source(struct __sk_buff* frame) {
  __u16 type = 0;
  __u8 last = 0;
  const __u32 at = network_header(frame, &type);
  if (type == 0x0800 && bpf_skb_load_bytes(frame, at + 15, &last, 1) != 0) return TC_ACT_OK;
  frame->queue_mapping = 1 + last % queue_count;
  return TC_ACT_OK;
}

SEC("tc")
int drop_all(struct __sk_buff* frame) { return TC_ACT_SHOT; }

// Every IPv4 frame's source becomes 192.0.2.1, as an address translation would do it.
SEC("tc")
int rewrite_source(struct __sk_buff* frame) {
  __u16 type = 0;
  const __u32 at = network_header(frame, &type);
  const __u32 source = bpf_htonl(0xc0000201);
  if (type == 0x0800) bpf_skb_store_bytes(frame, at + 12, &source, sizeof source, 0);
  return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
