#include "rings/umem_source.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "rings/umem_writer.h"

namespace weir {

absl::StatusOr<std::unique_ptr<UmemSource>> UmemSource::Create(const UmemSourceOptions& options) {
  const size_t chunks = options.chunk_bytes == 0 ? 0 : options.ring_bytes / options.chunk_bytes;
  if ((options.chunk_bytes != 2048 && options.chunk_bytes != 4096) || chunks < kBatchFrames ||
      chunks > UINT32_MAX / 2) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a UMEM of %u bytes in chunks of %u: chunks are of 2048 or 4096 bytes, and "
                        "%d at least",
                        options.ring_bytes, options.chunk_bytes, kBatchFrames));
  }
  auto memory = HugeMemory::Create(chunks * options.chunk_bytes, "frames");
  if (!memory.ok()) return memory.status();
  auto reader = UmemReader::Create();
  if (!reader.ok()) return reader.status();
  return std::unique_ptr<UmemSource>(
      new UmemSource(options, *std::move(memory), *std::move(reader)));
}

UmemSource::UmemSource(const UmemSourceOptions& options, HugeMemory memory, UmemReader reader)
    : interface_{options.name, link_type::kEthernet, 0},
      memory_(std::move(memory)),
      chunks_(static_cast<uint32_t>(options.ring_bytes / options.chunk_bytes)),
      writer_(std::make_unique<UmemWriter>(memory_.data(), chunks_, options.chunk_bytes)),
      reader_(std::move(reader)),
      times_(writer_->ring_size()) {}

UmemSource::~UmemSource() = default;

size_t UmemSource::Refill(std::span<const Frame> frames) {
  size_t taken = 0;
  for (const Frame& frame : frames) {
    const uint32_t place = writer_->next_written();
    if (!writer_->Append(frame)) break;
    times_[place] = frame.timestamp_ns;
    ++taken;
  }
  writer_->Submit();
  return taken;
}

bool UmemSource::ready() const { return writer_->rings().ready(); }

int UmemSource::Receive(std::span<Frame> frames) {
  const int64_t time = times_[writer_->next_read()];
  const size_t count = reader_.Take(writer_->rings(), frames, time, UINT32_MAX);
  received_ += count;
  return static_cast<int>(count);
}

void UmemSource::Release() {
  writer_->rings().GiveBack();
  reader_.Release();
}

RingFill UmemSource::Fill() const { return {writer_->rings().used(), chunks_}; }

SourceCounters UmemSource::Counters() {
  SourceCounters counters;
  counters.received = received_;
  counters.ring_dropped = 0;
  return counters;
}

}  // namespace weir
