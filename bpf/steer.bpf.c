// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Chooses the socket of a fanout group (packet(7), PACKET_FANOUT_EBPF) by the pair of IP addresses
// of the frame's flow: the same for both directions, for every fragment, and for an ICMP error
// about the flow.
//
// Whose addresses: the decoder's answer to the question to which flow a frame belongs. The
// innermost IP header that carries TCP or UDP; where none does, the innermost one; in an ICMP error
// that of the quoted packet. A fragment of a tunnel's packet is not looked into, since only the
// first one shows what is inside: such tunnels are steered by their outer pair, and so is what
// stands behind headers that are not known here, or too deep. Without any IP header: the pair of
// MAC addresses. (The errors that a router sends to a host are thus spread with what they quote.)
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_packet.h>

#include "bpf/steer.h"
#include "bpf/steer_tunnels.h"
#include "bpf/steer_walk.h"

const volatile struct weir_steer_config config = {};

// An IP header counts unless the one around it carries ports.
INLINE void found_addresses(struct walk* walk, __u64 source, __u64 destination) {
  walk->candidate = source + destination;
  if (walk->has_ports) return;
  walk->pair = walk->candidate;
  walk->found = 1;
}

INLINE void ipv4(struct __sk_buff* frame, struct walk* walk) {
  struct {
    __u8 version, service;
    __be16 length, id, place;
    __u8 lifetime, protocol;
    __be16 checksum;
    __u32 source, destination;
  } header;
  if (!LOAD(0, &header) || header.version >> 4 != 4 || (header.version & 15) < 5) return;
  found_addresses(walk, weir_steer_ipv4(config.seed, header.source),
                  weir_steer_ipv4(config.seed, header.destination));
  const __u8 piece = (header.place & bpf_htons(0x3fff)) != 0;
  // Of a piece only the protocol is known.
  go_on(walk, piece ? kNowhere : (header.version & 15) * 4, kIpProtocol + header.protocol);
}

INLINE void ipv6(struct __sk_buff* frame, struct walk* walk) {
  struct {
    __u8 version, rest[3];
    __be16 length;
    __u8 next, hops;
    __u64 source[2], destination[2];
  } header;
  if (!LOAD(0, &header) || header.version >> 4 != 6) return;
  found_addresses(walk, weir_steer_ipv6(config.seed, header.source[0], header.source[1]),
                  weir_steer_ipv6(config.seed, header.destination[0], header.destination[1]));
  go_on(walk, 40, kIpProtocol + header.next);
}

// IPv6's extension headers, wherever they stand.
INLINE void extension(struct __sk_buff* frame, struct walk* walk, __u32 protocol) {
  struct {
    __u8 next, size;
    __be16 place;
  } header;
  if (!LOAD(0, &header)) return;
  if (protocol == 44) {
    const __u8 piece = (header.place & bpf_htons(0xfff9)) != 0;
    return go_on(walk, piece ? kNowhere : 8, kIpProtocol + header.next);
  }
  go_on(walk, protocol == 51 ? (header.size + 2) * 4 : (header.size + 1) * 8,
        kIpProtocol + header.next);
}

// RFC 792, RFC 4443: the quoted packet stands behind 8 bytes. What a tunnel with ports carries
// belongs to the tunnel's flow unless it is TCP or UDP itself.
INLINE void icmp(struct __sk_buff* frame, struct walk* walk, __u32 protocol) {
  __u8 type;
  if (walk->has_ports || walk->quoted || !LOAD(0, &type)) return;
  const __u8 error =
      protocol == 1 ? (type >= 3 && type <= 5) || type == 11 || type == 12 : type >= 1 && type <= 4;
  if (!error) return;
  walk->quoted = 1;
  go_on(walk, 8, kIpByVersion);
}

INLINE void ip_by_version(struct __sk_buff* frame, struct walk* walk) {
  __u8 version;
  if (!LOAD(0, &version)) return;
  go_on(walk, 0, version >> 4 == 4 ? kIpv4 : version >> 4 == 6 ? kIpv6 : kDone);
}

// RFC 3032; behind the last label: RFC 4928 section 2, with or without a control word.
INLINE void mpls(struct __sk_buff* frame, struct walk* walk) {
  __u8 label[4], first;
  if (!LOAD(0, &label)) return;
  if ((label[2] & 1) == 0) return go_on(walk, 4, kMpls);
  if (!LOAD(4, &first)) return;
  if (first >> 4 == 4 || first >> 4 == 6) return go_on(walk, 4, kIpByVersion);
  if (first >> 4 == 0) return go_on(walk, 8, kEthernet);
}

INLINE void pppoe(struct __sk_buff* frame, struct walk* walk) {
  __u8 protocol[2];
  if (!LOAD(6, &protocol)) return;
  const __u16 type = load16(protocol);
  go_on(walk, 8, type == 0x21 ? kIpv4 : type == 0x57 ? kIpv6 : type == 0x281 ? kMpls : kDone);
}

// IEEE 802.2, RFC 1042.
INLINE void llc(struct __sk_buff* frame, struct walk* walk) {
  __u8 header[8];
  if (!LOAD(0, &header) || header[0] != 0xaa || header[1] != 0xaa) return;
  go_on(walk, 8, ether_type(header + 6));
}

// A tag of `size` bytes that ends in an EtherType.
INLINE void tag(struct __sk_buff* frame, struct walk* walk, __u32 size) {
  __u8 type[2];
  if (!LOAD(size - 2, &type)) return;
  go_on(walk, size, load16(type) < kFirstEtherType ? kLlc : load16(type));
}

INLINE void ip_protocol(struct __sk_buff* frame, struct walk* walk, __u32 protocol) {
  if (protocol == kTcp || protocol == kUdp) {
    walk->pair = walk->candidate;
    walk->has_ports = 1;
  }
  switch (protocol) {
    case kUdp:
      return udp(frame, walk);
    case 4:
      return go_on(walk, 0, kIpByVersion);
    case 41:
      return go_on(walk, 0, kIpv6);
    case 47:
      return gre(frame, walk);
    case 1:
    case 58:
      return icmp(frame, walk, protocol);
    case 97:  // EtherIP: RFC 3378
      return go_on(walk, 2, kEthernet);
    case 137:
      return go_on(walk, 0, kMpls);
    case 143:  // RFC 8986 section 4.9
      return go_on(walk, 0, kEthernet);
    case 0:
    case 43:
    case 44:
    case 51:
    case 60:
    case 140:
      return extension(frame, walk, protocol);
  }
}

// One header; walk->next stays kDone when it is the last one that is understood.
INLINE void take(struct __sk_buff* frame, struct walk* walk) {
  const __u32 here = walk->next;
  walk->next = kDone;
  if (here >= kIpProtocol) return ip_protocol(frame, walk, here - kIpProtocol);
  switch (here) {
    case kIpv4:
      return ipv4(frame, walk);
    case kIpv6:
      return ipv6(frame, walk);
    case kEthernet:
    case kBridged:
      return tag(frame, walk, 14);
    case 0x8100:
    case 0x88a8:
    case 0x9100:
      return tag(frame, walk, 4);
    case 0x8909:  // Cisco metadata
    case 0x893f:  // 802.1BR
      return tag(frame, walk, 8);
    case 0x8926:  // VN-tag
      return tag(frame, walk, 6);
    case 0x88e7:  // 802.1ah
      return go_on(walk, 4, kEthernet);
    case 0x8903:  // FabricPath
      return go_on(walk, 2, kEthernet);
    case kIpByVersion:
      return ip_by_version(frame, walk);
    case 0x8847:
    case 0x8848:
    case kMpls:
      return mpls(frame, walk);
    case kPppoe:
      return pppoe(frame, walk);
    case kGeneve:
      return geneve(frame, walk);
    case kVxlanGpe:
      return vxlan_gpe(frame, walk);
    case kGtp:
      return gtp(frame, walk);
    case kGtpExtension:
      return gtp_extension(frame, walk);
    case kLlc:
      return llc(frame, walk);
  }
}

// True while there is more. Not inlined and not static: the verifier checks it once, not once for
// each call.
__attribute__((noinline)) int step(struct __sk_buff* frame, struct walk* walk) {
  if (walk == 0) return 0;  // cannot be; the verifier wants to see it
  take(frame, walk);
  return walk->next != kDone;
}

INLINE __u32 by_mac_pair(struct __sk_buff* frame) {
  __u8 addresses[12];
  if (!config.ethernet ||
      bpf_skb_load_bytes_relative(frame, 0, addresses, sizeof addresses, BPF_HDR_START_MAC) != 0) {
    return 0;
  }
  return weir_steer_pair(weir_steer_mac(config.seed, addresses) +
                         weir_steer_mac(config.seed, addresses + 6));
}

// Headers that are looked at, at most 24. No loop: without CAP_PERFMON the verifier does not find
// its end.
#define STEP &&step(frame, &walk)
#define STEPS STEP STEP STEP STEP STEP STEP

SEC("socket")
int steer(struct __sk_buff* frame) {
  struct walk walk = {};
  // What this host sends comes with its link header; from what it receives that has been taken.
  if (frame->pkt_type == PACKET_OUTGOING && config.ethernet) {
    walk.next = kEthernet;
  } else {
    const __u16 type = bpf_ntohs(frame->protocol);
    walk.next = type < kFirstEtherType ? kLlc : type;
  }
  (void)(1 STEPS STEPS STEPS STEPS);
  if (!walk.found) return by_mac_pair(frame);
  return weir_steer_pair(walk.pair);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
