// Segments whose turn has been and that have not come yet: of each flow a short list, all in one
// pool.
//
// Thread: one. Memory grows to the most that were displaced at once.
#pragma once

#include <cstdint>
#include <vector>

namespace weir::load {

struct DisplacedSegment {
  uint64_t offset = 0;
  uint32_t bytes = 0;
  uint32_t due = 0;  // in packets of the flow
  uint8_t direction = 0;
  uint32_t next = 0;
};

inline constexpr uint32_t kNoSegment = UINT32_MAX;

class DisplacedSegments {
 public:
  // `head` is the flow's list.
  void Add(uint32_t& head, const DisplacedSegment& segment) {
    uint32_t index = free_;
    if (index == kNoSegment) {
      index = static_cast<uint32_t>(segments_.size());
      segments_.emplace_back();
    } else {
      free_ = segments_[index].next;
    }
    segments_[index] = segment;
    segments_[index].next = head;
    head = index;
    ++count_;
  }

  // The segment that is due first; of two, the one that was displaced first. The list is not empty.
  const DisplacedSegment& First(uint32_t head) const { return segments_[IndexOfFirst(head)]; }

  DisplacedSegment TakeFirst(uint32_t& head) {
    const uint32_t index = IndexOfFirst(head);
    uint32_t* link = &head;
    while (*link != index) link = &segments_[*link].next;
    const DisplacedSegment taken = segments_[index];
    *link = taken.next;
    segments_[index].next = free_;
    free_ = index;
    --count_;
    return taken;
  }

  // Where the first byte of one direction is that has not come; `otherwise`, if there is none.
  uint64_t FirstMissing(uint32_t head, uint8_t direction, uint64_t otherwise) const {
    for (; head != kNoSegment; head = segments_[head].next) {
      const DisplacedSegment& segment = segments_[head];
      if (segment.direction == direction && segment.offset < otherwise) otherwise = segment.offset;
    }
    return otherwise;
  }

  uint64_t count() const { return count_; }  // of all flows

 private:
  uint32_t IndexOfFirst(uint32_t head) const {
    uint32_t first = head;
    for (uint32_t at = head; at != kNoSegment; at = segments_[at].next) {
      if (segments_[at].due <= segments_[first].due) first = at;
    }
    return first;
  }

  std::vector<DisplacedSegment> segments_;
  uint32_t free_ = kNoSegment;
  uint64_t count_ = 0;
};

}  // namespace weir::load
