// What is given up, and when: acknowledged holes after a grace, old ones, and those of streams that
// hold too much.
#include <algorithm>

#include "engine/tcp/reassembler.h"

namespace weir {

// Where the first bytes that wait begin, or the stream ends: what lies before is a hole.
uint64_t Reassembler::Front(const StreamQueue& queue) const {
  return queue.pieces.empty() ? queue.end
                              : std::min(queue.end, pieces_.At(queue.pieces.first).offset);
}

// The first hole, if the stream has one, and the bytes in order behind it, up to `up_to`.
void Reassembler::GiveUpFirst(StreamLine& line, HoleReason reason, int64_t time_ns,
                              uint64_t up_to) {
  const uint64_t front = Front(QueueOf(line));
  if (front > line.offset) GiveUpHole(line, front, reason, time_ns);
  Drain(line, up_to);
}

void Reassembler::GiveUpAll(StreamLine& line, HoleReason reason, int64_t time_ns) {
  while (line.queued() && QueueOf(line).waits()) GiveUpFirst(line, reason, time_ns, kAll);
}

// Until the stream is settled up to `offset`, which lies before its end.
void Reassembler::GiveUpBefore(StreamLine& line, uint64_t offset, HoleReason reason,
                               int64_t time_ns) {
  while (line.offset < offset) {
    const uint64_t front = line.queued() ? Front(QueueOf(line)) : StreamQueue::kNoEnd;
    if (front > line.offset) {
      GiveUpHole(line, std::min(front, offset), reason, time_ns);
    } else {
      Drain(line, offset);
    }
  }
}

// What is due for one stream; holes are given up at the time when they were due, not when that was
// found out.
void Reassembler::GiveUpDue(StreamLine& line, int64_t now_ns) {
  while (line.queued()) {
    StreamQueue& queue = QueueOf(line);
    if (queue.in_grace && queue.grace_due_ns <= now_ns) {
      GiveUpAcknowledged(line);
    } else if (options_.hole_timeout_ns > 0 && queue.in_waiting &&
               queue.waits_since_ns + options_.hole_timeout_ns <= now_ns) {
      const int64_t due = queue.waits_since_ns + options_.hole_timeout_ns;
      GiveUpFirst(line, HoleReason::kTimeout, due, kAll);
      Settle(line, due);
    } else {
      return;
    }
  }
}

void Reassembler::GiveUpAcknowledged(StreamLine& line) {
  const StreamQueue& queue = QueueOf(line);
  const uint64_t up_to = queue.grace_up_to;
  const int64_t due = queue.grace_due_ns;
  queues_.LeaveGrace(line.queue);
  while (line.queued() && queue.waits()) {
    const uint64_t front = Front(queue);
    if (front <= line.offset || front > up_to) break;
    GiveUpFirst(line, HoleReason::kAcknowledged, due, holds_ ? queue.acknowledged : kAll);
  }
  Settle(line, due);
}

void Reassembler::KeepWithinLimits(StreamLine& line, int64_t time_ns) {
  while (line.queued()) {
    const StreamQueue& queue = QueueOf(line);
    const bool bytes = options_.stream_bytes > 0 &&
                       uint64_t{queue.chunks} * ChunkPool::kBytes > options_.stream_bytes;
    const bool pieces = options_.stream_pieces > 0 && queue.pieces.size > options_.stream_pieces;
    if (!bytes && !pieces) break;
    GiveUpFirst(line, HoleReason::kStreamLimit, time_ns, kAll);
  }
  Relieve(time_ns);
  counters_.memory_bytes = chunks_.bytes_in_use();
}

// False when there is none. A queue that is not needed any more is returned, except `but_queue`.
bool Reassembler::GiveUpOldestHistory(uint32_t but_queue) {
  const uint32_t queue = history_.GiveUpOldest();
  if (queue == StreamHistory::kNone) return false;
  if (queue != but_queue && queues_.At(queue).idle()) {
    ReturnQueue(lines_[queues_.At(queue).stream]);
  }
  return true;
}

// Keeps enough free for what comes until the next Release.
void Reassembler::Relieve(int64_t time_ns) {
  while (chunks_.free() + chunks_.leaving() < reserve_chunks_ || pieces_.free() < reserve_chunks_) {
    if (GiveUpOldestHistory(StreamQueue::kNone)) continue;
    const uint32_t queue = queues_.Largest();
    if (queue == StreamQueue::kNone) return;
    StreamLine& line = lines_[queues_.At(queue).stream];
    GiveUpFirst(line, HoleReason::kMemory, time_ns, kAll);
    Settle(line, time_ns);
  }
}

// After anything that moved a stream: whether it still waits, and for what.
void Reassembler::Settle(StreamLine& line, int64_t time_ns) {
  if (!line.queued()) return;
  StreamQueue& queue = QueueOf(line);
  if (!queue.waits()) {
    queue.waits_at = UINT64_MAX;
    queues_.NoWait(line.queue);
    queues_.LeaveGrace(line.queue);
    queues_.Classify(line.queue);
    if (queue.idle()) ReturnQueue(line);
    return SetWaiting(line, false);
  }
  SetWaiting(line, true);
  queues_.Classify(line.queue);
  if (queue.waits_at != line.offset) {
    queue.waits_at = line.offset;
    queue.waits_since_ns = queue.pieces.empty() ? time_ns : pieces_.At(queue.pieces.first).time_ns;
    queues_.Wait(line.queue);
  }
  const uint64_t front = Front(queue);
  if (!queue.in_grace && front > line.offset && front <= queue.acknowledged) {
    queue.grace_up_to = queue.acknowledged;
    queue.grace_due_ns = time_ns + options_.acknowledged_grace_ns;
    queues_.EnterGrace(line.queue);
  }
}

// Each of the two lists is in the order in which waiting began.
void Reassembler::Expire(int64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  for (uint32_t queue = queues_.FirstInGrace();
       queue != StreamQueue::kNone && queues_.At(queue).grace_due_ns <= now_ns;
       queue = queues_.FirstInGrace()) {
    GiveUpDue(lines_[queues_.At(queue).stream], now_ns);
  }
  if (options_.hole_timeout_ns == 0) return;
  for (uint32_t queue = queues_.FirstWaiting();
       queue != StreamQueue::kNone &&
       queues_.At(queue).waits_since_ns + options_.hole_timeout_ns <= now_ns;
       queue = queues_.FirstWaiting()) {
    GiveUpDue(lines_[queues_.At(queue).stream], now_ns);
  }
}

int64_t Reassembler::NextExpiry() const {
  int64_t next = INT64_MAX;
  if (const uint32_t queue = queues_.FirstInGrace(); queue != StreamQueue::kNone)
    next = queues_.At(queue).grace_due_ns;
  if (const uint32_t queue = queues_.FirstWaiting();
      queue != StreamQueue::kNone && options_.hole_timeout_ns > 0) {
    next = std::min(next, queues_.At(queue).waits_since_ns + options_.hole_timeout_ns);
  }
  return next;
}

}  // namespace weir
