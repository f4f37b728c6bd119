// Frames laid out in TPACKET_V3 blocks in plain memory, read by the code that reads the kernel's
// ring: for tests, for benchmarks, and for embedders who already hold their frames.
//
// Tests:       auto source = MemorySource::FromFrames(frames);     // ends after the last frame
// Benchmarks:  auto source = MemorySource::Create({.block_count = 32});
//              for (;;) {
//                trace.remove_prefix(source->Refill(trace));  // not timed: writes the free blocks
//                while (source->ready()) shard.Poll();        // timed
//              }
//              source->End();
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "rings/block_ring.h"
#include "rings/refilled_source.h"

namespace weir {

struct MemorySourceOptions {
  size_t block_bytes = size_t{256} << 10;  // multiple of the page size
  uint32_t block_count = 32;               // 8 MiB: stays in the L3 cache. 1,024: 256 MiB, cold
  uint16_t link_type = link_type::kEthernet;
  std::string name = "memory";
};

class MemorySource final : public RefilledSource {
 public:
  // An empty ring. Fails when there is no memory for it.
  static absl::StatusOr<std::unique_ptr<MemorySource>> Create(const MemorySourceOptions& options);

  // A ring with as many blocks as `frames` need; ends after the last. All frames have the link
  // type of the first. Only block_bytes and name of `options` count.
  static absl::StatusOr<std::unique_ptr<MemorySource>> FromFrames(std::span<const Frame> frames,
                                                                  MemorySourceOptions options = {});

  ~MemorySource() override;

  // Copies frames, in order, into the blocks that are free, and returns how many it took. Stops
  // when the ring is full or at a frame that is longer than a block. The reader sees full blocks
  // and, at the end of `frames`, a last block that may be partly full.
  size_t Refill(std::span<const Frame> frames) override;
  void End() override { ending_ = true; }

  int Receive(std::span<Frame> frames) override;
  void Release() override { ring_.Release(); }
  bool ready() const override { return ring_.ready(); }
  bool ended() const override { return ending_ && !ring_.ready(); }
  absl::Status status() const override { return absl::OkStatus(); }
  SourceCounters Counters() override;
  RingFill Fill() const override { return ring_.Fill(); }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }

 private:
  MemorySource(const MemorySourceOptions& options, uint8_t* memory);
  bool Writable() const;

  SourceInterface interface_;
  FrameDefaults defaults_;
  size_t block_bytes_;
  uint32_t block_count_;
  uint8_t* memory_;  // owned: mmap(2)
  BlockRing ring_;
  uint64_t blocks_written_ = 0;
  uint64_t received_ = 0;
  bool ending_ = false;
};

}  // namespace weir
