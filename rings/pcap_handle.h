// libpcap handles that have no capture behind them, for its compiler and its dump functions.
//
// Frames carry LINKTYPE_ values, libpcap's calls want DLT_ values, which differ (raw IP is 101 and
// 12). libpcap keeps its map to itself but applies it to file headers, so a handle is opened on one
// in memory.
#pragma once

#include <pcap/pcap.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace weir {

struct PcapCloser {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};
using PcapHandle = std::unique_ptr<pcap_t, PcapCloser>;

// libpcap's opinion of a pcap file header of 24 bytes: a handle with its link type, byte order and
// version, or InvalidArgument in libpcap's words. The bytes must outlive the handle.
absl::StatusOr<PcapHandle> OpenPcapHeader(const uint8_t* header);
inline constexpr size_t kPcapHeaderBytes = 24;

// The DLT_ value of a LINKTYPE_ value.
int DltOf(uint16_t link_type);

// A handle for pcap_compile and pcap_dump_fopen, with time stamps in nanoseconds.
absl::StatusOr<PcapHandle> OpenDeadPcap(uint16_t link_type, int snap_length);

}  // namespace weir
