// Frames laid out as an AF_XDP socket has them, in chunks of a UMEM named by a fill ring and a
// receive ring, all in plain memory, and read by the code that reads the kernel's: umem_reader.h.
//
// As there, the frames of a batch have one time stamp, here that of the first; a tag that the
// kernel had taken out stands in the bytes; nothing is known of checksums. Ethernet only.
//
//   auto source = UmemSource::Create({});
//   for (;;) {
//     trace.remove_prefix(source->Refill(trace));
//     while (source->ready()) shard.Poll();
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/huge_memory.h"
#include "rings/refilled_source.h"
#include "rings/umem_reader.h"

namespace weir {

struct UmemSourceOptions {
  size_t ring_bytes = size_t{8} << 20;  // of the memory; the rings themselves come on top
  uint32_t chunk_bytes = 4096;          // 2048 or 4096, as AF_XDP takes them
  std::string name = "umem";
};

class UmemWriter;  // its header has the kernel's BPF, which libpcap's does not stand beside

class UmemSource final : public RefilledSource {
 public:
  static absl::StatusOr<std::unique_ptr<UmemSource>> Create(const UmemSourceOptions& options);
  ~UmemSource() override;

  size_t Refill(std::span<const Frame> frames) override;
  void End() override { ending_ = true; }

  int Receive(std::span<Frame> frames) override;
  void Release() override;
  bool ready() const override;
  bool ended() const override { return ending_ && !ready(); }
  absl::Status status() const override { return absl::OkStatus(); }
  SourceCounters Counters() override;
  RingFill Fill() const override;
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }

 private:
  UmemSource(const UmemSourceOptions& options, HugeMemory memory, UmemReader reader);

  SourceInterface interface_;
  HugeMemory memory_;
  uint32_t chunks_;
  std::unique_ptr<UmemWriter> writer_;
  UmemReader reader_;
  std::vector<int64_t> times_;  // by place in the receive ring
  uint64_t received_ = 0;
  bool ending_ = false;
};

}  // namespace weir
