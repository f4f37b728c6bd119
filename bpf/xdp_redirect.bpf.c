// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Redirects what an interface receives into the AF_XDP socket of its queue (redirected frames never
// reach the host), and leaves to the host what it cannot do without: where the interface carries
// the host's own traffic that is ARP, neighbour discovery, DHCP's answers, whatever is not IP, and
// every frame to an address of the host's own, so that its connections live on. What the rules of
// frame_filter.h refuse stays with a host that is protected, too, and is dropped elsewhere.
//
// Headers are looked for where the driver put the frame's first bytes (they are there in
// multi-buffer frames, too); VLAN tags that the device took out are not seen here.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#define WEIR_FILTER_XDP
#include "bpf/frame_filter.h"
#include "bpf/xdp_redirect.h"

#define INLINE static __attribute__((always_inline)) inline

enum { kMostVlanTags = 4, kBootpClient = 68, kDhcp6Client = 546 };

const volatile struct weir_xdp_config config = {};

// By receive queue. The loader sets the sizes of the maps.
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} sockets SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kWeirLeftReasons);
  __type(key, __u32);
  __type(value, __u64);
} left_to_host SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct weir_xdp_address);
  __type(value, __u8);
} own_addresses SEC(".maps");

struct vlan_tag {
  __be16 control, type;
};

INLINE int leave_to_host(__u32 queue, __u32 reason) {
  if (queue >= config.queues) queue = config.queues - 1;
  const __u32 key = queue * kWeirLeftReasons + reason;
  __u64* const count = bpf_map_lookup_elem(&left_to_host, &key);
  if (count != 0) ++*count;
  return XDP_PASS;
}

INLINE int is_own(const struct weir_xdp_address* address) {
  return bpf_map_lookup_elem(&own_addresses, address) != 0;
}

// The reason to leave an IPv4 packet to the host; kWeirLeftReasons: there is none.
INLINE __u32 need_of_ipv4(const void* at, const void* end) {
  const struct iphdr* const ip = at;
  if ((const void*)(ip + 1) > end) return kWeirLeftNotIp;
  const struct weir_xdp_address to = {{0, 0, bpf_htonl(0xffff), ip->daddr}};
  if (is_own(&to)) return kWeirLeftOwn;
  // With options there would be a number to add to the pointer, which takes CAP_PERFMON.
  if (ip->ihl != 5 || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(0x1fff)) != 0)
    return kWeirLeftReasons;
  const struct udphdr* const udp = (const void*)(ip + 1);
  if ((const void*)(udp + 1) > end) return kWeirLeftReasons;
  return udp->dest == bpf_htons(kBootpClient) ? kWeirLeftDhcp : kWeirLeftReasons;
}

// RFC 4861: 133 to 137; RFC 2710 and 3810: 130 to 132 and 143, behind hop-by-hop options.
INLINE __u32 need_of_ipv6(const void* at, const void* end) {
  const struct ipv6hdr* const ip = at;
  const __u8* const next = (const void*)(ip + 1);
  if ((const void*)(next + sizeof(struct udphdr)) > end) return kWeirLeftNotIp;
  struct weir_xdp_address to;
  __builtin_memcpy(&to, &ip->daddr, sizeof to);
  if (ip->nexthdr == IPPROTO_ICMPV6 && next[0] >= 130 && (next[0] <= 137 || next[0] == 143))
    return kWeirLeftNeighbour;
  if (ip->nexthdr == IPPROTO_HOPOPTS && next[0] == IPPROTO_ICMPV6) return kWeirLeftNeighbour;
  if (is_own(&to)) return kWeirLeftOwn;
  const struct udphdr* const udp = (const void*)next;
  if (ip->nexthdr == IPPROTO_UDP && udp->dest == bpf_htons(kDhcp6Client)) return kWeirLeftDhcp;
  return kWeirLeftReasons;
}

INLINE __u32 need_of_host(const struct xdp_md* context) {
  const void* const end = (const void*)(long)context->data_end;
  const void* at = (const void*)(long)context->data;
  if (at + sizeof(struct ethhdr) > end) return kWeirLeftNotIp;
  __be16 type = ((const struct ethhdr*)at)->h_proto;
  at += sizeof(struct ethhdr);
#pragma unroll
  for (int i = 0; i < kMostVlanTags; ++i) {
    if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD)) break;
    const struct vlan_tag* const tag = at;
    if ((const void*)(tag + 1) > end) return kWeirLeftNotIp;
    type = tag->type;
    at = tag + 1;
  }
  if (type == bpf_htons(ETH_P_IP)) return need_of_ipv4(at, end);
  if (type == bpf_htons(ETH_P_IPV6)) return need_of_ipv6(at, end);
  return type == bpf_htons(ETH_P_ARP) ? kWeirLeftArp : kWeirLeftNotIp;
}

INLINE int is_wanted(struct xdp_md* context, __u32 queue) {
  const struct weir_link link = {.type_at = 12, .header_bytes = sizeof(struct ethhdr)};
  if (queue >= config.queues) queue = config.queues - 1;
  return weir_filter(context, &link, queue * WEIR_VERDICTS) == WEIR_ACCEPTED;
}

SEC("xdp")
int weir_redirect(struct xdp_md* context) {
  const __u32 queue = context->rx_queue_index;
  if (config.protects_host) {
    const __u32 reason = need_of_host(context);
    if (reason != kWeirLeftReasons) return leave_to_host(queue, reason);
  }
  if (config.filters && !is_wanted(context, queue)) {
    return config.protects_host ? XDP_PASS : XDP_DROP;
  }
  const int action = (int)bpf_redirect_map(&sockets, queue, XDP_PASS);
  return action == XDP_PASS ? leave_to_host(queue, kWeirLeftNoSocket) : action;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
