// Reads snoop files (RFC 1761), which libpcap does not. Ethernet and FDDI only.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "rings/capture_reader.h"

namespace weir {

class SnoopReader : public CaptureReader {
 public:
  // Takes the file header from the window. Unimplemented for a version or link type that has no
  // LINKTYPE_ here.
  static absl::StatusOr<std::unique_ptr<SnoopReader>> Create(FileWindow& window);

 private:
  explicit SnoopReader(FileWindow& window);
  bool Next(Frame& frame) override;

  uint16_t link_type_ = link_type::kEthernet;
};

}  // namespace weir
