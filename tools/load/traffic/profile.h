// What traffic is made: every knob of the model. Two models of one profile make the same frames, on
// any machine.
//
// Truth and engine agree as long as no flow is silent for longer than the engine's time-outs, and
// no displaced segment comes later than it waits for holes: a round of all flows takes flows *
// gap_ns (longer for the unpopular ones).
#pragma once

#include <cstdint>
#include <vector>

namespace weir::load {

enum class Popularity : uint8_t {
  kRoundRobin,  // flows take turns
  kUniform,     // each packet is of any flow
  kZipf,        // flow k has the share 1 / k^exponent
};

enum class SizeUnit : uint8_t {
  kPayload,  // bytes behind the transport header
  kFrame,    // bytes from the link header on, without the frame check sequence; frames that have
             // less room than their headers need get no payload
};

struct SizeShare {
  uint32_t bytes = 0;
  uint32_t weight = 1;
};

enum class TunnelKind : uint8_t { kNone, kVxlan, kGre, kIpInIp };

// A share is of packets (impairments, floods) or of flows (families, protocols), 0 to 1.
struct TrafficProfile {
  uint64_t seed = 1;
  uint64_t packets = 1'000'000;  // frames in all; the model ends after them

  // Flows.
  uint32_t flows = 1'000;  // open at once
  Popularity popularity = Popularity::kUniform;
  double zipf_exponent = 1.0;
  // Churn: a flow ends after so many packets of its own (about: each between half of it and one and
  // a half) and another takes its place. 0: no flow ends before the last frame.
  uint32_t flow_packets = 0;
  double udp = 0;
  double icmp = 0;  // the rest is TCP
  double ipv6 = 0;
  std::vector<uint16_t> vlans;      // flow n bears the id vlans[n % size]; empty: no tag
  std::vector<TunnelKind> tunnels;  // likewise; empty: none

  // TCP.
  bool handshake = true;     // else flows start in the middle, and do not close
  double from_server = 0.8;  // of data segments
  uint32_t ack_every = 2;    // data segments of the other side; 0: no packet is an ACK alone
  double reset = 0;          // of flows end by RST, the others by FIN
  // Of data segments and datagrams; the latter carry 8 bytes at least, to tell their place.
  std::vector<SizeShare> sizes = {{64, 7}, {576, 4}, {1448, 1}};
  SizeUnit size_unit = SizeUnit::kPayload;

  // Impairments.
  double reorder = 0;             // data segments that come later than they should
  uint32_t reorder_distance = 8;  // by one to so many of the flow's packets
  double duplicate = 0;           // frames that come twice, one right behind the other
  double loss = 0;                // data segments that are acknowledged but never come
  double overlap = 0;             // data segments that start with bytes that were sent before
  double fragment = 0;            // data segments and datagrams that come as IP fragments

  // Floods: frames beside the flows' own, a flow or datagram of its own each.
  double syn_flood = 0;
  double fragment_flood = 0;   // first fragments whose others never come
  double collision_flood = 0;  // UDP flows whose addresses and ports have one XOR and one sum

  // Each N-th frame is a probe, which bears its send time: see payload.h. 0: none.
  uint32_t probe_every = 0;

  int64_t start_ns = 1'700'000'000'000'000'000;  // time stamps of the frames
  int64_t gap_ns = 1'000;                        // between two of them
};

}  // namespace weir::load
