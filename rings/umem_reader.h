// Frames out of the rings of umem_rings.h: handed out where they were written; one that came in
// several pieces is put together in a buffer of the reader's own.
//
// Thread: the shard's own. Memory: taken in Create.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "rings/frame.h"
#include "rings/huge_memory.h"

namespace weir {

struct UmemRings;

class UmemReader {
 public:
  static absl::StatusOr<UmemReader> Create();
  UmemReader() = default;

  // Of a frame of several pieces: GRO's largest datagram with its headers, in whole cache lines.
  static constexpr size_t kLargestFrame = size_t{66} << 10;

  // At most frames.size() frames, all with one time stamp; returns how many. They stay until
  // UmemRings::GiveBack, and Release.
  size_t Take(UmemRings& rings, std::span<Frame> frames, int64_t timestamp_ns,
              uint32_t snap_length);
  // What was put together is no longer needed.
  void Release() { together_used_ = 0; }

 private:
  uint32_t PutTogether(const UmemRings& rings, uint32_t first, uint32_t available, Frame& frame);

  HugeMemory together_;  // frames of several pieces, one behind the other
  size_t together_used_ = 0;
};

}  // namespace weir
