// Memory that is taken once, at start, zeroed and touched: huge pages where there are any
// (mmap(2), MAP_HUGETLB), else pages that the kernel may make huge (madvise(2), MADV_HUGEPAGE),
// else plain ones.
//
// Ownership: the mapping is freed with the object. Cold path, any thread; on the NUMA node of the
// calling thread's policy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace weir {

class HugeMemory {
 public:
  enum class Pages : uint8_t { kHuge, kTransparent, kPlain };

  // `what`: for the message of an error, with what to do about it.
  static absl::StatusOr<HugeMemory> Create(size_t bytes, const char* what);
  HugeMemory() = default;
  HugeMemory(HugeMemory&& other) noexcept;
  HugeMemory& operator=(HugeMemory&& other) noexcept;
  ~HugeMemory();

  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }  // at least as many as were asked for
  Pages pages() const { return pages_; }

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
  Pages pages_ = Pages::kPlain;
};

}  // namespace weir
