#include "engine/packet/arena.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"

namespace weir {
namespace {

constexpr size_t kHugePage = 2u << 20;
// Explicit huge pages round the size up to 2 MiB; below this the rounding would show in the memory
// used.
constexpr size_t kExplicitHugeFrom = 64u << 20;

size_t RoundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

void* MapExplicitHuge(size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
  return base == MAP_FAILED ? nullptr : base;
}

// A mapping that starts on a 2 MiB boundary, so that transparent huge pages can back all of it but
// the tail.
void* MapAligned(size_t bytes) {
  const size_t reserve = bytes + kHugePage;
  void* raw = mmap(nullptr, reserve, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto* start = static_cast<uint8_t*>(raw);
  auto* aligned = reinterpret_cast<uint8_t*>(RoundUp(reinterpret_cast<size_t>(start), kHugePage));
  if (aligned != start) munmap(start, static_cast<size_t>(aligned - start));
  uint8_t* end = aligned + bytes;
  if (end != start + reserve) munmap(end, static_cast<size_t>(start + reserve - end));
  madvise(aligned, bytes, MADV_HUGEPAGE);
  return aligned;
}

bool Touch(void* base, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  if (madvise(base, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;
#endif
  std::memset(base, 0, bytes);
  return true;
}

}  // namespace

absl::StatusOr<Arena> Arena::Create(size_t bytes, std::string_view what, std::string_view remedy) {
  Arena arena;
  bytes = RoundUp(bytes, 4096);
  void* base = bytes >= kExplicitHugeFrom ? MapExplicitHuge(RoundUp(bytes, kHugePage)) : nullptr;
  if (base != nullptr) {
    bytes = RoundUp(bytes, kHugePage);
  } else {
    base = MapAligned(bytes);
    if (base != nullptr && !Touch(base, bytes)) {
      munmap(base, bytes);
      base = nullptr;
    }
  }
  if (base == nullptr) {
    return absl::ResourceExhaustedError(absl::StrFormat("cannot take %.1f MiB for %s: %s; %s",
                                                        static_cast<double>(bytes) / (1 << 20),
                                                        what, strerror(errno), remedy));
  }
  arena.base_ = static_cast<uint8_t*>(base);
  arena.size_ = bytes;
  return arena;
}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(used_, other.used_);
  return *this;
}

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, size_);
}

void* Arena::TakeBytes(size_t bytes) {
  bytes = RoundUp(bytes, 64);
  if (bytes > size_ - used_) {
    std::fprintf(stderr, "weir: arena of %zu bytes is too small\n", size_);
    std::abort();
  }
  void* result = base_ + used_;
  used_ += bytes;
  return result;
}

}  // namespace weir
