#include "engine/tcp/stream_queue.h"

#include <bit>
#include <new>

namespace weir {

void QueuePool::Init(Arena& arena, uint32_t queues) {
  queues_ = arena.Take<StreamQueue>(queues);
  for (uint32_t queue = queues; queue > 0; --queue) {
    new (&queues_[queue - 1]) StreamQueue;
    queues_[queue - 1].stream = free_;
    free_ = queue - 1;
  }
}

uint32_t QueuePool::Take(uint32_t stream) {
  const uint32_t queue = free_;
  if (queue == StreamQueue::kNone) return queue;
  free_ = queues_[queue].stream;
  new (&queues_[queue]) StreamQueue;
  queues_[queue].stream = stream;
  return queue;
}

void QueuePool::Return(uint32_t queue) {
  NoWait(queue);
  LeaveGrace(queue);
  queues_[queue].chunks = 0;
  Classify(queue);
  queues_[queue].stream = free_;
  free_ = queue;
}

void QueuePool::Wait(uint32_t queue) {
  NoWait(queue);
  waiting_.PushBack(queues_, queue);
  queues_[queue].in_waiting = true;
}

void QueuePool::NoWait(uint32_t queue) {
  if (!queues_[queue].in_waiting) return;
  waiting_.Remove(queues_, queue);
  queues_[queue].in_waiting = false;
}

void QueuePool::EnterGrace(uint32_t queue) {
  LeaveGrace(queue);
  grace_.PushBack(queues_, queue);
  queues_[queue].in_grace = true;
}

void QueuePool::LeaveGrace(uint32_t queue) {
  if (!queues_[queue].in_grace) return;
  grace_.Remove(queues_, queue);
  queues_[queue].in_grace = false;
}

void QueuePool::Classify(uint32_t queue) {
  StreamQueue& entry = queues_[queue];
  const uint8_t wanted = entry.chunks < kManyChunks
                             ? StreamQueue::kNoClass
                             : static_cast<uint8_t>(std::bit_width(entry.chunks) - 1);
  if (wanted == entry.size_class) return;
  if (entry.size_class != StreamQueue::kNoClass) {
    classes_[entry.size_class].Remove(queues_, queue);
    if (classes_[entry.size_class].first() == StreamQueue::kNone) {
      classes_used_ &= ~(1u << entry.size_class);
    }
  }
  entry.size_class = wanted;
  if (wanted == StreamQueue::kNoClass) return;
  classes_[wanted].PushBack(queues_, queue);
  classes_used_ |= 1u << wanted;
}

uint32_t QueuePool::Largest() const {
  if (classes_used_ == 0) return waiting_.first();
  return classes_[std::bit_width(classes_used_) - 1].first();
}

}  // namespace weir
