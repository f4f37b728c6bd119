// What the reassembler told of an operation, beside what the model allows.
#include "tests/model/stream_check.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace weir::test {

// What was due when the segment came has been given up before the segment was looked at. How much
// of what was told that is, is not told: the most that leaves a rest which the segment explains.
void StreamCheck::JudgeSegment(const StreamOp& op, StreamModel::Part part) {
  const bool given_up_before = !told_.empty() && MayComeBefore(told_[0]);
  if (!given_up_before && !may_relieve_) {
    const std::string wrong = TrySegment(op, part, 0);
    if (!wrong.empty()) Fail(wrong);
    return Forget();
  }
  const Known known = Remember();
  const size_t most_before = given_up_before ? told_.size() : 0;
  std::string first_wrong;
  for (const bool first_stays : {false, true}) {
    part.first_stays = first_stays;
    for (size_t before = most_before + 1; before-- > 0;) {
      const std::string wrong = TrySegment(op, part, before);
      if (wrong.empty()) return Forget();
      if (before == 0 && first_wrong.empty()) first_wrong = wrong;
      Restore(known);
    }
    if (!may_relieve_) break;
  }
  Fail(first_wrong);
}

void StreamCheck::Forget() {
  told_.clear();
  expected_.uncompared = reassembler_->counters().uncompared;
  unsure_ = 0;
  for (Connection& connection : connections_) {
    for (Side& side : connection.side) side.waited_no_more = false;
  }
}

bool StreamCheck::MayComeBefore(const Told& told) const {
  if (told.kind == Told::Kind::kData) return LeaveNow().any() || options_.max_window < 1000;
  return told.kind == Told::Kind::kHole && told.hole.reason != HoleReason::kTruncated;
}

std::string StreamCheck::TrySegment(const StreamOp& op, const StreamModel::Part& part,
                                    size_t before) {
  std::string wrong = JudgeTold(0, before);
  if (!wrong.empty()) return wrong;
  differences_.clear();
  unsure_ = connections_[op.connection].side[op.side].model->Segment(part, differences_);
  wrong = JudgeConflicts(op.connection, op.side);
  if (wrong.empty()) wrong = JudgeTold(before, told_.size());
  if (wrong.empty()) wrong = JudgeState(false);
  return wrong;
}

void StreamCheck::Judge(bool expired) {
  std::string wrong = JudgeTold(0, told_.size());
  if (wrong.empty()) wrong = JudgeState(expired);
  if (!wrong.empty()) Fail(wrong);
  Forget();
}

StreamCheck::Known StreamCheck::Remember() const {
  Known known{{}, expected_};
  for (const Connection& connection : connections_) {
    for (const Side& side : connection.side) known.models.push_back(*side.model);
  }
  return known;
}

void StreamCheck::Restore(const Known& known) {
  expected_ = known.expected;
  size_t at = 0;
  for (Connection& connection : connections_) {
    for (Side& side : connection.side) *side.model = known.models[at++];
  }
}

StreamModel::Leave StreamCheck::LeaveNow() const {
  return {
      .closing = closing_,
      .stream_limit = may_limit_,
      .memory = may_relieve_,
      .timeout = options_.hole_timeout_ns != 0 && start_ns_ + options_.hole_timeout_ns <= now_ns_};
}

// The differences that the model found, and what was told of them.
std::string StreamCheck::JudgeConflicts(uint32_t owner, int side) {
  constexpr uint32_t kMostTold = 16;  // of one segment; the last one stands for all that follow
  uint32_t count = 0;
  uint64_t conflicting = 0;
  for (const Told& told : told_) {
    if (told.kind != Told::Kind::kConflict) continue;
    if (told.owner != owner || told.side != side) return "conflict of another stream";
    ++count;
    const StreamConflict& conflict = told.conflict;
    const uint64_t end = conflict.offset + conflict.size;
    auto difference = std::lower_bound(
        differences_.begin(), differences_.end(), conflict.offset,
        [](const Difference& left, uint64_t offset) { return left.offset < offset; });
    if (difference == differences_.end() || difference->offset != conflict.offset) {
      return "conflict at a wrong place";
    }
    uint64_t last = 0;
    for (; difference != differences_.end() && difference->offset < end; ++difference) {
      if (difference->told) return "conflict that was told before";
      difference->told = true;
      ++conflicting;
      last = difference->offset;
      if (count >= kMostTold) continue;
      if (difference->new_wins != conflict.new_wins) return "conflict with a wrong winner";
      if (conflict.data != nullptr &&
          conflict.data[difference->offset - conflict.offset] != difference->loser) {
        return "conflict with other bytes than those that lost";
      }
    }
    if (last + 1 != end) return "conflict that ends at a wrong place";
  }
  for (const Difference& difference : differences_) {
    if (difference.sure && !difference.told) return "a conflict was not told";
  }
  const uint64_t merged =
      count < kMostTold ? 0 : reassembler_->counters().conflicts - expected_.conflicts - count;
  expected_.conflicts += count + merged;
  expected_.conflicting += conflicting;
  return {};
}

std::string StreamCheck::JudgeTold(size_t from, size_t to) {
  const StreamModel::Leave leave = LeaveNow();
  std::string wrong;
  for (size_t i = from; i < to && wrong.empty(); ++i) {
    const Told& told = told_[i];
    StreamModel& model = *connections_[told.owner].side[told.side].model;
    switch (told.kind) {
      case Told::Kind::kData:
        wrong = model.Data(told.data, leave);
        break;
      case Told::Kind::kHole:
        wrong = model.Hole(told.hole, leave);
        break;
      case Told::Kind::kEnd:
        wrong = model.End(told.end, told.offset);
        break;
      case Told::Kind::kConflict:
        break;
    }
  }
  return wrong;
}

std::string StreamCheck::JudgeState(bool expired) {
  for (Connection& connection : connections_) {
    if (!connection.open) continue;
    for (int i = 0; i < 2; ++i) {
      Side& side = connection.side[i];
      if (!side.begun) continue;
      if (side.waited_no_more) side.model->ForgetAcknowledgements();
      if (std::string wrong = side.model->Missing(now_ns_, expired); !wrong.empty()) return wrong;
      if (side.model->waiting() && !side.waiting) return "waits, but does not say so";
      if (side.model->ended() && side.waiting) return "ended, and still waits";
      const StreamTotals told = reassembler_->totals(connection.number, i);
      const StreamTotals& own = side.model->totals();
      if (told.delivered != own.delivered || told.lost != own.lost ||
          told.retransmitted != own.retransmitted) {
        return "totals differ";
      }
    }
  }
  return JudgeCounters();
}

std::string StreamCheck::JudgeCounters() const {
  const StreamCounters& counters = reassembler_->counters();
  std::string wrong;
  const auto same = [&](std::string_view name, uint64_t is, uint64_t should) {
    if (is == should) return;
    wrong.append(name).append(" is ").append(std::to_string(is));
    wrong.append(", should be ").append(std::to_string(should)).append("; ");
  };
  same("payload", counters.payload, expected_.payload);
  same("delivered", counters.delivered, expected_.delivered);
  same("retransmitted", counters.retransmitted, expected_.retransmitted);
  same("buffered", counters.buffered, expected_.buffered);
  same("conflicting", counters.conflicting, expected_.conflicting);
  same("conflicts", counters.conflicts, expected_.conflicts);
  if (counters.uncompared < expected_.uncompared ||
      counters.uncompared > expected_.uncompared + unsure_) {
    same("uncompared", counters.uncompared, expected_.uncompared);
  }
  same("segments", counters.segments, expected_.segments);
  for (size_t i = 0; i < kRefusedReasons; ++i) {
    same(Name(static_cast<Refused>(i)), counters.refused[i], expected_.refused[i]);
  }
  for (size_t i = 0; i < kHoleReasons; ++i) {
    same(Name(static_cast<HoleReason>(i)), counters.lost[i], expected_.lost[i]);
    same("holes", counters.holes[i], expected_.holes[i]);
  }
  if (!counters.Balanced()) wrong += "the ledger does not balance; ";
  if (counters.memory_bytes > options_.memory_bytes) wrong += "more memory than there is; ";
  return wrong;
}

}  // namespace weir::test
