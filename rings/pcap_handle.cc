#include "rings/pcap_handle.h"

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace weir {

absl::StatusOr<PcapHandle> OpenPcapHeader(const uint8_t* header) {
  FILE* file = fmemopen(const_cast<uint8_t*>(header), kPcapHeaderBytes, "rb");
  if (file == nullptr) return absl::ErrnoToStatus(errno, "fmemopen");
  char error[PCAP_ERRBUF_SIZE] = "";
  PcapHandle pcap(
      pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error));
  if (pcap == nullptr) {
    fclose(file);
    return absl::InvalidArgumentError(absl::StrCat("libpcap refuses the file header: ", error));
  }
  return pcap;
}

int DltOf(uint16_t link_type) {
  const uint32_t header[] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65535, link_type};
  static_assert(sizeof header == kPcapHeaderBytes);
  absl::StatusOr<PcapHandle> pcap = OpenPcapHeader(reinterpret_cast<const uint8_t*>(header));
  return pcap.ok() ? pcap_datalink(pcap->get()) : link_type;
}

absl::StatusOr<PcapHandle> OpenDeadPcap(uint16_t link_type, int snap_length) {
  PcapHandle pcap(pcap_open_dead_with_tstamp_precision(DltOf(link_type), snap_length,
                                                       PCAP_TSTAMP_PRECISION_NANO));
  if (pcap == nullptr) {
    return absl::ResourceExhaustedError("libpcap has no memory for a handle");
  }
  return pcap;
}

}  // namespace weir
