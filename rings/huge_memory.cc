#include "rings/huge_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace weir {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t RoundUp(size_t value) { return (value + kHugePage - 1) / kHugePage * kHugePage; }

uint8_t* Map(size_t bytes, int flags) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<uint8_t*>(memory);
}

// Starts where a huge page could.
uint8_t* MapAligned(size_t bytes) {
  uint8_t* const start = Map(bytes + kHugePage, MAP_NORESERVE);
  if (start == nullptr) return nullptr;
  const size_t before = RoundUp(reinterpret_cast<size_t>(start)) - reinterpret_cast<size_t>(start);
  if (before > 0) munmap(start, before);
  munmap(start + before + bytes, kHugePage - before);
  return start + before;
}

}  // namespace

absl::StatusOr<HugeMemory> HugeMemory::Create(size_t bytes, const char* what) {
  HugeMemory memory;
  memory.bytes_ = RoundUp(bytes);
  memory.data_ = Map(memory.bytes_, MAP_HUGETLB | MAP_POPULATE);
  if (memory.data_ != nullptr) {
    memory.pages_ = Pages::kHuge;
    return memory;
  }
  memory.data_ = MapAligned(memory.bytes_);
  if (memory.data_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "cannot take %u MiB for %s: %s", memory.bytes_ >> 20, what, strerror(errno)));
  }
  if (madvise(memory.data_, memory.bytes_, MADV_HUGEPAGE) == 0) {
    memory.pages_ = Pages::kTransparent;
  }
  std::memset(memory.data_, 0, memory.bytes_);
  return memory;
}

HugeMemory::HugeMemory(HugeMemory&& other) noexcept { *this = std::move(other); }

HugeMemory& HugeMemory::operator=(HugeMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(pages_, other.pages_);
  return *this;
}

HugeMemory::~HugeMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace weir
