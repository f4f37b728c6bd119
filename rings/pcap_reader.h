// Reads pcap files. libpcap judges the file header; the records behind it are walked where they
// lie, because pcap_next_ex copies every frame into a buffer that the next call overwrites.
//
// Format: pcap-savefile(5), https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/. Microseconds
// and nanoseconds, both byte orders, Kuznetsov's patched records (magic a1b2cd34), lengths that old
// versions swapped.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "rings/capture_reader.h"

namespace weir {

class PcapReader : public CaptureReader {
 public:
  // Takes the file header from the window. InvalidArgument with libpcap's words when it refuses it.
  static absl::StatusOr<std::unique_ptr<PcapReader>> Create(FileWindow& window);

 private:
  enum class Lengths : uint8_t { kInOrder, kSwapped, kMaybeSwapped };

  explicit PcapReader(FileWindow& window) : CaptureReader(window) {}
  bool Next(Frame& frame) override;
  void SetVersion(int major, int minor);

  uint16_t link_type_ = link_type::kEthernet;
  bool cooked_ = false;
  bool patched_ = false;
  uint8_t record_header_bytes_ = 16;
  uint32_t ns_per_unit_ = 1000;
  Lengths lengths_ = Lengths::kInOrder;
};

}  // namespace weir
