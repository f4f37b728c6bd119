// What became of a frame, and why: the names behind the ledger's counters, declared in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

// Where a frame ends, in the ledger's order of precedence. kTracked is what decoding hopes for.
enum class Verdict : uint8_t {
  kTracked,
  kFiltered,  // Packet::reason is a FilterReason
  kDuplicate,
  kNotIp,
  kMalformed,        // Packet::reason is a Malformed
  kShed,             // Packet::reason is a Shed
  kFragmentHeld,     // waits for the rest of its datagram
  kFragmentDropped,  // Packet::reason is a FragmentDrop
};

// Why no flow key could be read from a frame.
enum class Malformed : uint8_t {
  kLinkTruncated,       // ends inside the link header, a VLAN tag, a label or a tunnel header
  kIpTruncated,         // ends inside the IP header or an extension header
  kIpVersion,           // the version is neither 4 nor 6, or not what the link header said
  kIpHeaderLength,      // IPv4 IHL below 5, or beyond the total length
  kIpTotalLength,       // total length smaller than the header
  kTransportTruncated,  // ends before the ports
  kExtensionHeaders,    // more IPv6 extension headers than we follow
  kTunnelDepth,         // more encapsulations than we follow
  kLinkHeader,          // a link header that contradicts itself
  kCount,
};
inline constexpr size_t kMalformedReasons = static_cast<size_t>(Malformed::kCount);

// Why a frame was refused although it could have been tracked.
enum class Shed : uint8_t {
  kTunnelTable,  // no room for one more tunnel identity
  kOverload,     // of a flow not yet tracked, while the ring was nearly full
  kCount,
};
inline constexpr size_t kShedReasons = static_cast<size_t>(Shed::kCount);

// Why a fragment, with all that its datagram had, was given up.
enum class FragmentDrop : uint8_t {
  kTimeout,    // the rest did not come in time
  kMemory,     // byte or datagram limit; who goes: fragment_shares.h
  kOverlap,    // IPv6 overlap (RFC 5722), or an overlap the policy refuses
  kOversize,   // beyond 65,535 bytes, or wire lengths whose sum exceeds 32 bits
  kBadLength,  // a middle fragment whose length is not a multiple of 8
  kNesting,    // fragments within fragments, more deeply than we follow
  kTruncated,  // captured short, cannot complete
  kEnd,        // the source ended before the rest came
  kCount,
};
inline constexpr size_t kFragmentDropReasons = static_cast<size_t>(FragmentDrop::kCount);

// Faults behind the ports: the packet is tracked and counted here as well.
enum class Anomaly : uint8_t {
  kTcpHeaderTruncated,   // ports captured, the rest of the TCP header not
  kTcpDataOffset,        // data offset below 5 or beyond the packet
  kUdpLength,            // UDP length contradicts the IP length
  kIpLengthBeyondFrame,  // IP total length beyond the frame on the wire
  kIpv4HeaderChecksum,
  kTcpFlags,        // SYN+FIN, SYN+RST or no flags at all
  kTimeRegression,  // time went back by more than the clock tolerates
  kTransportChecksum,
  kCount,
};
inline constexpr size_t kAnomalies = static_cast<size_t>(Anomaly::kCount);

// Names as they stand in EVE, Prometheus and reports: lower case with underscores.
std::string_view Name(Malformed reason);
std::string_view Name(Shed reason);
std::string_view Name(FragmentDrop reason);
std::string_view Name(Anomaly anomaly);

}  // namespace weir
