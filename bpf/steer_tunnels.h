// The tunnels that steer.bpf.c looks into: GRE, and those over UDP that the decoder knows by their
// port. Each function stands at the tunnel's header and goes on to what is inside.
//
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#pragma once

#include "bpf/steer_walk.h"

// RFC 2784, RFC 2890. With source routes, or version 1 (PPTP): not looked into.
INLINE void gre(struct __sk_buff* frame, struct walk* walk) {
  __u8 header[4];
  if (!LOAD(0, &header)) return;
  if ((header[0] & 0x40) != 0 || (header[1] & 7) != 0) return;
  const __u8 has_sequence = header[0] >> 4 & 1;
  const __u32 size = 4 + (header[0] >> 7) * 4 + (header[0] >> 5 & 1) * 4 + has_sequence * 4;
  const __u32 type = ether_type(header + 2);
  if (type != 0x88be) return go_on(walk, size, type);
  go_on(walk, has_sequence ? size + 8 : size, kEthernet);  // ERSPAN types I and II
}

// Services whose clients use any port, a tunnel's too: as the decoder has it.
INLINE int is_other_service(__u16 port) {
  switch (port) {
    case 53:
    case 67:
    case 68:
    case 69:
    case 88:
    case 111:
    case 123:
    case 137:
    case 138:
    case 161:
    case 162:
    case 389:
    case 443:
    case 500:
    case 514:
    case 520:
    case 546:
    case 547:
    case 1701:
    case 2123:
    case 3386:
    case 3544:
    case 4500:
    case 5072:
    case 5247:
    case 37008:
      return 1;
    default:
      return 0;
  }
}

INLINE __u32 tunnel_of(__u16 port) {
  switch (port) {
    case 4789:
      return kBridged;  // VXLAN: RFC 7348
    case 4790:
      return kVxlanGpe;
    case 6081:
      return kGeneve;  // RFC 8926
    case 2152:
      return kGtp;
    case 4754:
      return kIpProtocol + 47;  // RFC 8086
    case 6635:
      return kMpls;  // RFC 7510
    case 4341:
      return kIpByVersion;  // LISP: RFC 9300
    default:
      return kDone;
  }
}

INLINE void udp(struct __sk_buff* frame, struct walk* walk) {
  __u8 ports[4];
  if (!LOAD(0, &ports)) return;
  const __u16 source = load16(ports), destination = load16(ports + 2);
  const __u16 low = source < destination ? source : destination;
  __u32 tunnel = tunnel_of(low);
  if (tunnel == kDone && !is_other_service(low)) {
    tunnel = tunnel_of(source < destination ? destination : source);
  }
  const __u32 has_header = tunnel == kBridged || tunnel == kIpByVersion;  // 8 bytes, VXLAN, LISP
  go_on(walk, has_header ? 16 : 8, tunnel);
}

INLINE void geneve(struct __sk_buff* frame, struct walk* walk) {
  __u8 header[4];
  if (!LOAD(0, &header) || header[0] >> 6 != 0) return;
  go_on(walk, 8 + (header[0] & 0x3f) * 4, ether_type(header + 2));
}

INLINE void vxlan_gpe(struct __sk_buff* frame, struct walk* walk) {
  __u8 header[4];
  if (!LOAD(0, &header)) return;
  const __u8 next = (header[0] & 4) != 0 ? header[3] : 3;
  go_on(walk, 8,
        next == 1   ? kIpv4
        : next == 2 ? kIpv6
        : next == 3 ? kEthernet
        : next == 5 ? kMpls
                    : kDone);
}

// 3GPP TS 29.281 section 5.1: a user packet, behind optional fields and extension headers.
INLINE void gtp(struct __sk_buff* frame, struct walk* walk) {
  __u8 header[12] = {};
  __u8 fixed[8];
  if (!LOAD(0, &fixed) || fixed[1] != 255 || (fixed[0] & 0x10) == 0) return;
  if (fixed[0] >> 5 == 0) return go_on(walk, 20, kIpByVersion);  // GSM 09.60
  if (fixed[0] >> 5 != 1) return;
  if ((fixed[0] & 7) == 0) return go_on(walk, 8, kIpByVersion);
  if (!LOAD(0, &header)) return;
  const __u8 has_extension = (fixed[0] & 4) != 0 && header[11] != 0;
  go_on(walk, 12, has_extension ? kGtpExtension : kIpByVersion);
}

INLINE void gtp_extension(struct __sk_buff* frame, struct walk* walk) {
  __u8 size, next;
  if (!LOAD(0, &size) || size == 0 || !LOAD(size * 4 - 1, &next)) return;
  go_on(walk, size * 4, next != 0 ? kGtpExtension : kIpByVersion);
}
