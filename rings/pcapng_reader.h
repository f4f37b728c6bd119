// Reads pcapng files block by block: several sections, interfaces, link types, snap lengths and
// time resolutions in one file, in either byte order. libpcap 1.10 refuses most of that.
//
// Format: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/ (the section names below are
// its). Enhanced, Simple and the obsolete Packet Blocks become frames; unknown blocks are skipped.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/capture_reader.h"
#include "rings/pcapng_time.h"

namespace weir {

class PcapngReader : public CaptureReader {
 public:
  // Interfaces of one file, over all its sections.
  static constexpr size_t kMostInterfaces = UINT16_MAX;

  // Takes the first section header from the window.
  static absl::StatusOr<std::unique_ptr<PcapngReader>> Create(FileWindow& window);

 private:
  struct Interface {
    PcapngTime time;
    uint32_t snap_length = 0;
    uint16_t link_type = 0;
    bool cooked = false;
    uint64_t dropped = 0;  // as the last statistics block says
  };
  struct Block {
    const uint8_t* body;
    uint32_t bytes;  // of the body
  };
  enum class Progress : uint8_t { kFrame, kOther, kStop };

  explicit PcapngReader(FileWindow& window) : CaptureReader(window) {}
  bool Next(Frame& frame) override;
  Progress NextBlock(Frame& frame);
  Progress Section();
  Progress Describe(const Block& block);
  Progress Count(const Block& block);
  Progress Stamped(const Block& block, bool obsolete, Frame& frame);
  Progress Simple(const Block& block, Frame& frame);
  bool Begin(uint32_t interface, Frame& frame);
  void SetDirection(const Block& block, Frame& frame) const;
  Progress Bad(std::string_view what);

  size_t first_interface_ = 0;  // of this section, in interfaces_ and details_
  std::vector<Interface> details_;
  int64_t last_timestamp_ns_ = 0;
};

}  // namespace weir
