// The newest of a series of values, from one thread to another: the writer never waits and never
// fails, the reader sees a whole value, those in between are lost.
//
//   writer: Fill(value.back()); value.Publish();      reader: if (value.Update())
//   Use(value.front());
//
// Three places: one is being written, one is being read, one holds the newest that was published.
// Both sides exchange theirs for the third with one atomic operation (wait-free).
//
// Ordering. What the writer did before Publish is seen by the reader after the Update that gave it
// the value; what the reader did with a place before Update is seen by the writer that gets it
// back.
//
// Memory: in the object, 3 T. Thread: back and Publish on the writer's, Update and front on the
// reader's; both may change when something else orders the old thread's last call before the new
// one's first.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weir {

template <typename T>
class LatestValue {
 public:
  LatestValue() = default;
  LatestValue(const LatestValue&) = delete;
  LatestValue& operator=(const LatestValue&) = delete;

  // The writer's own; holds some older value until it is filled.
  T& back() { return places_[back_].value; }

  // back() becomes the newest value, and back() another place.
  void Publish() {
    // Release: the value is whole before the reader may take its place. Acquire: the reader has
    // left the place that we get before we write there.
    back_ = newest_.exchange(back_ | kFresh, std::memory_order_acq_rel) & kPlace;
  }

  // Makes the newest value front(). False: none was published since the last time.
  bool Update() {
    if ((newest_.load(std::memory_order_relaxed) & kFresh) == 0) return false;
    // As in Publish, the other way round.
    front_ = newest_.exchange(front_, std::memory_order_acq_rel) & kPlace;
    return true;
  }

  // The reader's own; a T() before the first Update.
  const T& front() const { return places_[front_].value; }

 private:
  static constexpr uint32_t kPlace = 3;
  static constexpr uint32_t kFresh = 4;  // published, not yet taken by the reader
  // Two lines: processors fetch the neighbour of a line along with it.
  static constexpr size_t kApart = 128;

  struct alignas(kApart) Place {
    T value{};
  };

  std::array<Place, 3> places_;
  alignas(kApart) uint32_t back_ = 0;
  alignas(kApart) uint32_t front_ = 1;
  alignas(kApart) std::atomic<uint32_t> newest_{2};
};

}  // namespace weir
