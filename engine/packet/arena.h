// Memory that is taken once, at start: one mapping, touched, huge pages where there are any.
//
// Ownership: the arena owns the mapping, arrays taken from it live as long as it does. Thread: any
// one. Errors: RESOURCE_EXHAUSTED with the size that was asked for, what for, and what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

class Arena {
 public:
  // Maps `bytes` (rounded up to pages) of zeroed memory and touches all of it. The message of an
  // error names what it is for ("the flow table") and the remedy ("lower --max-flows").
  static absl::StatusOr<Arena> Create(size_t bytes, std::string_view what = "the flow table",
                                      std::string_view remedy = "lower --max-flows");

  Arena() = default;
  Arena(Arena&& other) noexcept { *this = static_cast<Arena&&>(other); }
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  // The next `count` objects, on a cache line of their own. The sum must fit in what Create took:
  // CHECKed.
  template <typename T>
  T* Take(size_t count) {
    return static_cast<T*>(TakeBytes(count * sizeof(T)));
  }
  // What Take will use for `count` objects.
  template <typename T>
  static constexpr size_t Bytes(size_t count) {
    return (count * sizeof(T) + 63) / 64 * 64;
  }

  size_t size() const { return size_; }

 private:
  void* TakeBytes(size_t bytes);

  uint8_t* base_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace weir
