#include "tests/model/stream_model.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace weir::test {
namespace {

template <typename... Parts>
std::string Say(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace

bool NewCanWin(OverlapPolicy policy) {
  return policy != OverlapPolicy::kFirst && policy != OverlapPolicy::kVista;
}

bool NewWins(OverlapPolicy policy, uint64_t new_start, uint64_t new_end, uint64_t old_start,
             uint64_t old_end) {
  switch (policy) {
    case OverlapPolicy::kLast:
      return true;
    case OverlapPolicy::kBsd:
    case OverlapPolicy::kBsdRight:
    case OverlapPolicy::kHpux10:
    case OverlapPolicy::kIrix:
    case OverlapPolicy::kMacos:
    case OverlapPolicy::kWindows:
    case OverlapPolicy::kWindows2k3:
      return new_start < old_start;
    case OverlapPolicy::kLinux:
      return new_start < old_start || (new_start == old_start && new_end > old_end);
    case OverlapPolicy::kOldLinux:
      return new_start < old_start || (new_start == old_start && new_end >= old_end);
    case OverlapPolicy::kSolaris:
    case OverlapPolicy::kOldSolaris:
    case OverlapPolicy::kHpux11:
      return new_start <= old_start ? new_end >= old_end : new_end > old_end;
    default:
      return false;
  }
}

StreamModel::Cell& StreamModel::At(uint64_t offset) {
  if (offset >= cells_.size()) cells_.resize(offset + 64);
  return cells_[offset];
}

StreamModel::State StreamModel::StateAt(uint64_t offset) const {
  return offset < cells_.size() ? cells_[offset].state : State::kMissing;
}

// The neighbours that wait and came with the same segment.
StreamModel::Extent StreamModel::RunOf(uint64_t offset) const {
  const uint32_t owner = cells_[offset].owner;
  const auto same = [&](uint64_t at) {
    return StateAt(at) == State::kWaiting && cells_[at].owner == owner;
  };
  Extent run{offset, offset + 1};
  while (run.start > 0 && same(run.start - 1)) --run.start;
  while (same(run.end)) ++run.end;
  return run;
}

uint64_t StreamModel::run_end() const {
  uint64_t at = next_;
  while (StateAt(at) == State::kWaiting) ++at;
  return at;
}

bool StreamModel::OutOfWindow(const Part& part) const {
  const int64_t window = options_->max_window;
  if (part.offset < static_cast<int64_t>(next_)) {
    return part.offset + part.wire_length < static_cast<int64_t>(next_) - window;
  }
  return part.offset > static_cast<int64_t>(next_) + window;
}

// Segments out there that follow upon each other.
void StreamModel::NoteStray(const Part& part) {
  if (part.wire_length == 0) return;
  strays_ = strays_ != 0 && part.offset == stray_next_ ? strays_ + 1 : 1;
  stray_next_ = part.offset + part.wire_length;
}

bool StreamModel::WouldJump(const Part& part) const {
  return OutOfWindow(part) && part.wire_length != 0 && strays_ >= 3 && part.offset == stray_next_;
}

void StreamModel::Retransmitted(uint64_t bytes) {
  counters_->retransmitted += bytes;
  totals_.retransmitted += bytes;
}

// The first FIN that is not behind the depth counts, unless bytes behind the depth were seen
// before.
void StreamModel::NoteEnd(const Part& part) {
  const int64_t end = part.offset + part.wire_length;
  if (end < static_cast<int64_t>(next_)) return;
  if (end > 0 && static_cast<uint64_t>(end) > depth_) {
    beyond_depth_ = true;
  } else if (part.fin) {
    last_fin_ = static_cast<uint64_t>(end);
    if (fin_ == UINT64_MAX && !beyond_depth_) fin_ = last_fin_;
  }
}

// A byte for a place that is settled. Gives 1 when it may or may not have been compared.
uint64_t StreamModel::TakeRepeated(const Part& part, uint64_t at, uint8_t byte,
                                   std::vector<Difference>& differences) {
  if (StateAt(at) == State::kLost) {
    Refuse(Refused::kLate, 1);
    return 0;
  }
  Retransmitted(1);
  if (part.length == 1 && at + 1 == next_) return 0;  // a keep-alive: its byte is any
  if (at + options_->history_bytes < next_ || ended_ || options_->history_bytes == 0) {
    ++counters_->uncompared;
    return 0;
  }
  if (cells_[at].byte != byte) differences.push_back({at, false, byte, !part.forgets});
  return part.forgets ? 1 : 0;
}

uint64_t StreamModel::Segment(const Part& part, std::vector<Difference>& differences) {
  counters_->payload += part.length;
  counters_->segments += part.length != 0;
  if (OutOfWindow(part)) {
    NoteStray(part);
    Refuse(Refused::kOutOfWindow, part.length);
    return 0;
  }
  strays_ = 0;
  if (!ended_) NoteEnd(part);
  const uint32_t owner = ++segments_;
  const uint64_t limit = std::min(fin_, depth_);
  const int64_t end = part.offset + part.length;
  // The new piece as a whole: what is neither settled nor behind the end.
  const uint64_t new_start = std::max<int64_t>(part.offset, next_);
  const uint64_t new_end = ended_ ? 0 : std::min<uint64_t>(std::max<int64_t>(end, 0), limit);
  std::vector<std::pair<uint64_t, bool>> judged;  // by the state before this segment
  for (uint64_t at = new_start; at < new_end; ++at) {
    if (StateAt(at) != State::kWaiting) continue;
    const Extent old = RunOf(at);
    const bool wins =
        !part.first_stays && NewWins(options_->overlap, new_start, new_end, old.start, old.end);
    for (; at < new_end && at < old.end; ++at) judged.emplace_back(at, wins);
    --at;
  }
  size_t judgement = 0;
  uint64_t unsure = 0;
  for (uint32_t i = 0; i < part.length; ++i) {
    const int64_t place = part.offset + i;
    const uint8_t byte = part.bytes[i];
    if (place < 0) {
      Refuse(midstream_ ? Refused::kBeforeStart : Refused::kOutOfWindow, 1);
      continue;
    }
    const auto at = static_cast<uint64_t>(place);
    if (at < next_) {
      unsure += TakeRepeated(part, at, byte, differences);
    } else if (ended_) {
      Refuse(end_ == StreamEnd::kStopped ? Refused::kStopped
             : end_ == StreamEnd::kDepth ? Refused::kDepth
                                         : Refused::kAfterEnd,
             1);
    } else if (at >= limit) {
      Refuse(fin_ <= depth_ ? Refused::kAfterEnd : Refused::kDepth, 1);
    } else if (StateAt(at) == State::kWaiting) {
      const bool wins = judged[judgement++].second;
      Cell& cell = At(at);
      if (cell.byte != byte) differences.push_back({at, wins, wins ? cell.byte : byte});
      if (wins) {
        cell.byte = byte;
        cell.owner = owner;
        cell.time_ns = part.time_ns;
      }
      Retransmitted(1);
    } else {
      At(at) = {State::kWaiting, byte, false, owner, part.time_ns};
      ++waiting_;
      ++counters_->buffered;
    }
  }
  if (ended_) return unsure;
  for (uint64_t at = std::max<int64_t>({end, 0, static_cast<int64_t>(next_)});
       static_cast<int64_t>(at) < part.offset + part.wire_length && at < limit; ++at) {
    if (StateAt(at) == State::kMissing) At(at).truncated = true;
  }
  return unsure;
}

// Acknowledgements matter only while something waits; others may be remembered.
void StreamModel::Acknowledge(int64_t offset, int64_t now_ns) {
  if (ended_ || offset > static_cast<int64_t>(next_) + options_->max_window) return;
  acknowledged_ = std::max(acknowledged_, offset);
  const bool end_known = fin_ != UINT64_MAX || beyond_depth_;
  const bool matters = waiting_ != 0 || end_known;
  if (matters) settled_to_ = std::max(settled_to_, offset);
  acknowledgements_.push_back({offset, now_ns, matters});
}

void StreamModel::LimitDepth(uint64_t depth) {
  if (ended_) return;
  if (beyond_depth_) depth = std::min(depth, depth_);
  depth_ = std::max(depth, next_);
  beyond_depth_ |= depth <= next_ || (fin_ != UINT64_MAX && fin_ > depth_);
  for (uint64_t at = depth_; at < cells_.size(); ++at) {
    beyond_depth_ |= cells_[at].state == State::kWaiting;
  }
}

void StreamModel::Stop() {
  if (!ended_) stopped_ = true;
}

std::string StreamModel::Data(const StreamData& data, const Leave& leave) {
  if (ended_) return Say("data at ", data.offset, " after the end");
  if (data.kept > kept_ || data.kept > data.size) return Say("kept ", data.kept, " of ", kept_);
  if (data.offset + data.kept != next_) {
    return Say("data at ", data.offset + data.kept, " instead of ", next_);
  }
  if (data.size == data.kept) return "data without bytes";
  kept_ = 0;
  for (uint32_t i = 0; i < data.size; ++i) {
    const uint64_t at = data.offset + i;
    const State wanted = i < data.kept ? State::kDelivered : State::kWaiting;
    if (StateAt(at) != wanted) return Say("data at ", at, " where there is none");
    if (cells_[at].byte != data.data[i]) {
      return Say("'", data.data[i], "' at ", at, " instead of '", cells_[at].byte, "'");
    }
    cells_[at].state = State::kDelivered;
  }
  const uint64_t end = data.offset + data.size;
  if (end > fin_ || end > depth_) return Say("data up to ", end, ", behind the end");
  if (NewCanWin(options_->overlap) && static_cast<int64_t>(end) > acknowledged_ && !leave.any() &&
      strays_ < 3) {
    return Say("data up to ", end, ", acknowledged up to ", acknowledged_);
  }
  const uint32_t fresh = data.size - data.kept;
  next_ += fresh;
  waiting_ -= fresh;
  counters_->buffered -= fresh;
  counters_->delivered += fresh;
  totals_.delivered += fresh;
  return {};
}

std::string StreamModel::Hole(const StreamHole& hole, const Leave& leave) {
  if (ended_) return Say("hole at ", hole.offset, " after the end");
  if (hole.offset != next_) return Say("hole at ", hole.offset, " instead of ", next_);
  if (hole.size == 0) return Say("hole without bytes at ", hole.offset);
  const uint64_t end = hole.offset + hole.size;
  kept_ = 0;
  bool all_truncated = true;
  for (uint64_t at = hole.offset; at < end; ++at) {
    if (StateAt(at) != State::kMissing) return Say("hole over the byte at ", at);
    all_truncated &= At(at).truncated;
    cells_[at].state = State::kLost;
  }
  if (end > fin_) return Say("hole up to ", end, ", behind the FIN at ", fin_);
  switch (hole.reason) {
    case HoleReason::kTruncated:
      if (!all_truncated) return Say("hole at ", hole.offset, ": nothing was truncated there");
      break;
    case HoleReason::kEnd:
      if (!leave.closing)
        return Say("hole at ", hole.offset, " because of an end that is not there");
      break;
    case HoleReason::kAcknowledged: {
      const auto covers = [&](const auto& ack) {
        return ack.place >= static_cast<int64_t>(end) &&
               ack.time_ns + options_->acknowledged_grace_ns <= hole.time_ns;
      };
      if (std::none_of(acknowledgements_.begin(), acknowledgements_.end(), covers)) {
        return Say("hole at ", hole.offset, " was not acknowledged long enough");
      }
      break;
    }
    case HoleReason::kStreamLimit:
      if (!leave.stream_limit) return Say("hole at ", hole.offset, " far below the stream's limit");
      break;
    case HoleReason::kMemory:
      if (!leave.memory) return Say("hole at ", hole.offset, " while there is memory");
      break;
    case HoleReason::kTimeout:
      if (!leave.timeout) return Say("hole at ", hole.offset, " before its time");
      break;
    case HoleReason::kWindow:
      if (strays_ < 3) return Say("hole at ", hole.offset, ": what came is within the window");
      break;
    default:
      break;
  }
  next_ = end;
  totals_.lost += hole.size;
  counters_->lost[static_cast<size_t>(hole.reason)] += hole.size;
  ++counters_->holes[static_cast<size_t>(hole.reason)];
  return {};
}

// What still waits is behind the end.
std::string StreamModel::End(StreamEnd end, uint64_t offset) {
  if (ended_) return "a second end";
  if (offset != next_) return Say("end at ", offset, " instead of ", next_);
  const bool at_fin = offset == fin_ || offset == last_fin_;
  if (end == StreamEnd::kFin && !at_fin) return Say("end at ", offset, ", FIN is at ", fin_);
  const bool at_depth = (beyond_depth_ || strays_ >= 3) && offset == depth_;
  if (end == StreamEnd::kDepth && !at_depth) return "not at the depth";
  if ((end == StreamEnd::kStopped) != stopped_) return "end for a wrong reason";
  const bool known_end = stopped_ || at_depth || at_fin;
  if (waiting_ != 0 && !known_end) return Say("end while ", waiting_, " bytes wait");
  for (Cell& cell : cells_) {
    if (cell.state != State::kWaiting) continue;
    cell.state = State::kMissing;
    Refuse(end == StreamEnd::kStopped ? Refused::kStopped
           : end == StreamEnd::kDepth ? Refused::kDepth
                                      : Refused::kAfterEnd,
           1);
  }
  counters_->buffered -= waiting_;
  waiting_ = 0;
  ended_ = true;
  end_ = end;
  return {};
}

// A hole, or what is held, need not be given up before its time; then, at the next Expire, it must.
std::string StreamModel::Missing(int64_t now_ns, bool expired) {
  if (ended_) return {};
  if (std::exchange(moved_to_, next_) != next_) moved_ns_ = now_ns;
  const uint64_t limit = std::min(fin_, beyond_depth_ ? depth_ : UINT64_MAX);
  const uint64_t run = std::min(run_end(), limit);
  const int64_t held = NewCanWin(options_->overlap) ? settled_to_ : INT64_MAX;
  if (run > next_ && static_cast<int64_t>(next_) < held) {
    return Say("the byte at ", next_, " should have been delivered");
  }
  if (next_ >= limit) return Say("the stream should have ended at ", limit);
  uint64_t front = next_;
  while (front < cells_.size() && cells_[front].state != State::kWaiting) ++front;
  if (!expired || front >= std::min<uint64_t>(limit, cells_.size())) return {};
  // A hole waits from when the stream came to it.
  const int64_t since = std::max(cells_[front].time_ns, moved_ns_);
  if (options_->hole_timeout_ns != 0 && since + options_->hole_timeout_ns <= now_ns) {
    return Say("what waits at ", front, " has waited for too long");
  }
  if (front == next_) return {};
  for (size_t i = remembered_from_; i < acknowledgements_.size(); ++i) {
    const auto& [place, time_ns, matters] = acknowledgements_[i];
    // The grace may begin anew when the hole before has been given up.
    if (matters && place >= static_cast<int64_t>(front) &&
        std::max(time_ns, since) + 3 * options_->acknowledged_grace_ns < now_ns) {
      return Say("the hole at ", next_, " has been acknowledged for long");
    }
  }
  return {};
}

}  // namespace weir::test
