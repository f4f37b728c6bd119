#include "rings/memory_source.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "rings/block_writer.h"

namespace weir {
namespace {

uint8_t* BlockAt(uint8_t* memory, size_t block_bytes, uint64_t index) {
  return memory + block_bytes * index;
}

// How many blocks of `block_bytes` hold all frames; 0 when one frame is longer than a block.
uint32_t BlocksFor(std::span<const Frame> frames, size_t block_bytes) {
  uint32_t blocks = 1;
  size_t used = BlockWriter::OverheadBytes();
  for (const Frame& frame : frames) {
    const size_t bytes = BlockWriter::BytesFor(frame);
    if (BlockWriter::OverheadBytes() + bytes > block_bytes) return 0;
    if (used + bytes > block_bytes) {
      ++blocks;
      used = BlockWriter::OverheadBytes();
    }
    used += bytes;
  }
  return blocks;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemorySource>> MemorySource::Create(
    const MemorySourceOptions& options) {
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  if (options.block_count == 0 || options.block_bytes == 0 ||
      options.block_bytes % page_bytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("memory ring of %u blocks of %u bytes: needs at least one block, of whole "
                        "pages of %u bytes",
                        options.block_count, options.block_bytes, page_bytes));
  }
  const size_t bytes = options.block_bytes * options.block_count;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(errno,
                               absl::StrFormat("cannot map a memory ring of %u bytes", bytes));
  }
  // The kernel's ring is mapped in small pages: this one costs the same.
  (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
  return std::unique_ptr<MemorySource>(new MemorySource(options, static_cast<uint8_t*>(memory)));
}

absl::StatusOr<std::unique_ptr<MemorySource>> MemorySource::FromFrames(
    std::span<const Frame> frames, MemorySourceOptions options) {
  if (!frames.empty()) options.link_type = frames.front().link_type;
  for (const Frame& frame : frames) {
    if (frame.link_type != options.link_type) {
      return absl::InvalidArgumentError("frames of a memory source must have one link type");
    }
  }
  options.block_count = BlocksFor(frames, options.block_bytes);
  if (options.block_count == 0) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "a frame is longer than a block of %u bytes: make blocks larger", options.block_bytes));
  }
  auto source = Create(options);
  if (!source.ok()) return source;
  (*source)->Refill(frames);
  (*source)->End();
  return source;
}

MemorySource::MemorySource(const MemorySourceOptions& options, uint8_t* memory)
    : interface_{options.name, options.link_type, 0},
      defaults_{options.link_type, 0},
      block_bytes_(options.block_bytes),
      block_count_(options.block_count),
      memory_(memory),
      ring_(memory, options.block_bytes, options.block_count) {}

MemorySource::~MemorySource() { munmap(memory_, block_bytes_ * block_count_); }

bool MemorySource::Writable() const {
  uint8_t* block = BlockAt(memory_, block_bytes_, blocks_written_ % block_count_);
  auto& status = reinterpret_cast<tpacket_block_desc*>(block)->hdr.bh1.block_status;
  return (std::atomic_ref<uint32_t>(status).load(std::memory_order_acquire) & TP_STATUS_USER) == 0;
}

size_t MemorySource::Refill(std::span<const Frame> frames) {
  size_t taken = 0;
  while (taken < frames.size() && Writable()) {
    BlockWriter writer(BlockAt(memory_, block_bytes_, blocks_written_ % block_count_), block_bytes_,
                       blocks_written_ + 1);
    while (taken < frames.size() && writer.Append(frames[taken])) ++taken;
    if (writer.frames() == 0) break;
    writer.Close();
    ++blocks_written_;
  }
  return taken;
}

int MemorySource::Receive(std::span<Frame> frames) {
  const int count = ring_.Receive(frames, defaults_);
  received_ += static_cast<uint64_t>(count);
  return count;
}

SourceCounters MemorySource::Counters() {
  SourceCounters counters;
  counters.received = received_;
  counters.ring_dropped = 0;
  counters.broken_blocks = ring_.broken_blocks();
  return counters;
}

}  // namespace weir
