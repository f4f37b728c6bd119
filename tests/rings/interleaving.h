// Runs two threads through every interleaving of their atomic operations, and through everything
// that the C++ memory model lets their loads return (std::memory_order, relaxed to acq/rel; no
// read-modify-write).
//
// The threads are fibers of the calling one: each of a ModelAtomic's operations is a point where
// the other may go on, and a load may return any value that is not older than what its thread must
// already have seen. Every execution is run from its start with the next choices (depth first).
// Accesses of a ModelDatum that no synchronization orders are a data race.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace weir::test {

// Clock[t]: how far the owner knows thread t; see "happens before".
struct VectorClock {
  uint32_t at[2] = {0, 0};
  void Join(const VectorClock& other);
};

// What is taken away from the program, to prove that its loss would be noticed.
enum class Weakened : uint8_t { kNothing, kReleaseStores, kAcquireLoads };

class Interleaving {
 public:
  // One execution: fresh state, the two threads, and what must hold when both have ended.
  struct Program {
    std::function<void()> threads[2];
    std::function<void()> after;
  };
  struct Result {
    uint64_t executions = 0;
    uint64_t racy = 0;   // executions with a data race
    uint64_t stale = 0;  // loads that returned an old value
  };

  // Calls `make` for every execution until all have been run, or `limit` have.
  static Result RunAll(const std::function<Program()>& make, Weakened weakened,
                       uint64_t limit = UINT64_MAX);
};

// For ModelAtomic and ModelDatum: the execution that runs.
namespace model {
struct Message {
  uint64_t value = 0;
  bool released = false;
  int thread = -1;    // -1: before both
  VectorClock clock;  // the writer's
};
// What thread t may still see of an atomic's history.
struct History {
  std::vector<Message> messages;
  size_t seen[2] = {0, 0};
};
uint64_t Load(History& history, std::memory_order order);
void Store(History& history, uint64_t value, std::memory_order order);
void Access(uint32_t (&accessed)[2]);
}  // namespace model

// The part of std::atomic that is modelled. One thread writes it.
template <typename T>
class ModelAtomic {
 public:
  ModelAtomic(T value) { history_.messages.push_back({static_cast<uint64_t>(value)}); }  // NOLINT
  T load(std::memory_order order) const { return static_cast<T>(model::Load(history_, order)); }
  void store(T value, std::memory_order order) {
    model::Store(history_, static_cast<uint64_t>(value), order);
  }

 private:
  mutable model::History history_;
};

// Plain memory. To move it writes both sides, as it does for a std::unique_ptr.
class ModelDatum {
 public:
  ModelDatum() = default;
  explicit ModelDatum(int value) : value_(value) {}
  ModelDatum(ModelDatum&& other) noexcept { *this = std::move(other); }
  ModelDatum& operator=(ModelDatum&& other) noexcept {
    model::Access(accessed_);
    model::Access(other.accessed_);
    value_ = other.value_;
    other.value_ = 0;
    return *this;
  }
  int value() const { return value_; }

 private:
  int value_ = 0;
  uint32_t accessed_[2] = {0, 0};  // by each thread: its clock then
};

}  // namespace weir::test
