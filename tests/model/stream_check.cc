#include "tests/model/stream_check.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace weir::test {

StreamCheck::StreamCheck(const StreamOptions& options) : options_(options) {
  StreamOptions made = options;
  made.max_connections = kCaseConnections;
  reassembler_ = *Reassembler::Create(made, *this);
}

std::optional<std::string> StreamCheck::Run(const StreamCase& test_case) {
  failure_.reset();
  payloads_.clear();
  Start(test_case);
  for (size_t i = 0; i < test_case.ops.size() && !failure_; ++i) {
    Apply(test_case, test_case.ops[i]);
    if (failure_) return "operation " + std::to_string(i) + ": " + *failure_;
  }
  Finish();
  if (failure_) return "at the end: " + *failure_;
  return std::nullopt;
}

void StreamCheck::Start(const StreamCase& test_case) {
  now_ns_ += 1'000'000'000;
  start_ns_ = now_ns_;
  // Far more than the case can need: a chunk or two and three pieces for each segment.
  uint64_t bytes = 0, pieces = 0;
  for (const StreamOp& op : test_case.ops) {
    bytes += 2 * op.length + 8192;
    pieces += 3 + op.length / 1024;
  }
  may_limit_ = (options_.stream_bytes != 0 && bytes > options_.stream_bytes) ||
               (options_.stream_pieces != 0 && pieces > options_.stream_pieces);
  may_relieve_ = 4 * bytes > options_.memory_bytes;
  for (uint32_t owner = 0; owner < kCaseConnections; ++owner) {
    Connection& connection = connections_[owner];
    for (int side = 0; side < 2; ++side) {
      Side& fresh = connection.side[side];
      fresh.model.emplace(options_, test_case.midstream[owner][side], expected_);
      fresh.start = test_case.start[owner][side];
      fresh.begun = fresh.waiting = false;
      fresh.last = {};
    }
    Open(connection, owner);
  }
}

void StreamCheck::Open(Connection& connection, uint32_t owner) {
  connection.number = reassembler_->Open(owner);
  connection.open = true;
  if (connection.number == kNoConnection) Fail("no connection");
}

void StreamCheck::Apply(const StreamCase& test_case, const StreamOp& op) {
  now_ns_ += op.step_ns;
  Connection& connection = connections_[op.connection];
  Side& side = connection.side[op.side];
  const bool live = connection.open && side.begun;
  switch (op.kind) {
    case StreamOp::Kind::kSegment:
      if (connection.open) ApplySegment(test_case, op);
      return;
    case StreamOp::Kind::kAcknowledge:
      if (!live) return;
      side.model->Acknowledge(op.offset, now_ns_);
      reassembler_->Acknowledge(connection.number, op.side,
                                side.start + static_cast<uint32_t>(op.offset), now_ns_);
      return Judge(false);
    case StreamOp::Kind::kExpire:
      reassembler_->Expire(now_ns_);
      return Judge(true);
    case StreamOp::Kind::kRelease:
      return Release();
    case StreamOp::Kind::kKeep: {
      if (!live || side.last.size == 0 || side.model->ended()) return;
      const uint32_t size = std::min({op.length, side.last.size, Reassembler::kMostKept});
      if (reassembler_->Keep(connection.number, op.side, side.last, size)) side.model->Keep(size);
      return Judge(false);
    }
    case StreamOp::Kind::kDepth:
      if (!connection.open) return;
      side.model->LimitDepth(static_cast<uint64_t>(op.offset));
      reassembler_->LimitDepth(connection.number, op.side, static_cast<uint64_t>(op.offset));
      return Judge(false);
    case StreamOp::Kind::kStop:
      if (!connection.open) return;
      side.model->Stop();
      reassembler_->Stop(connection.number, op.side);
      return Judge(false);
    case StreamOp::Kind::kClose:
      if (connection.open) Close(connection, op.length == 0 ? StreamEnd::kFlow : StreamEnd::kRst);
      return;
  }
}

void StreamCheck::ApplySegment(const StreamCase& test_case, const StreamOp& op) {
  Connection& connection = connections_[op.connection];
  Side& side = connection.side[op.side];
  if (!side.begun) {
    side.begun = true;
    reassembler_->Begin(connection.number, op.side, side.start,
                        test_case.midstream[op.connection][op.side]);
    if (!reassembler_->begun(connection.number, op.side)) return Fail("has not begun");
  }
  std::vector<uint8_t>& payload = payloads_.emplace_back(op.length);
  for (uint32_t i = 0; i < op.length; ++i) payload[i] = ByteAt(op.side, op.variant, op.offset + i);
  const auto sequence = side.start + static_cast<uint32_t>(op.offset);
  const StreamModel::Part part{op.offset,      payload.data(), op.length,
                               op.wire_length, op.fin,         now_ns_};
  if (side.model->WouldJump(part) && op.offset < static_cast<int64_t>(side.model->next())) {
    return;  // the stream would go on 2^32 bytes ahead
  }
  uint64_t offset = 0;
  const bool whole = op.length != 0 && op.length == op.wire_length && !op.fin;
  if (whole && reassembler_->InOrder(connection.number, op.side, sequence, op.length, &offset)) {
    OnData(op.connection, op.side, {.offset = offset, .data = payload.data(), .size = op.length});
  } else {
    reassembler_->Segment(connection.number, op.side,
                          {.sequence = sequence,
                           .payload = payload.data(),
                           .length = op.length,
                           .wire_length = op.wire_length,
                           .fin = op.fin,
                           .time_ns = now_ns_});
  }
  JudgeSegment(op, part);
}

void StreamCheck::Close(Connection& connection, StreamEnd end) {
  closing_ = true;
  reassembler_->Close(connection.number, end, now_ns_);
  connection.open = false;
  Judge(false);
  closing_ = false;
  for (Side& side : connection.side) {
    if (side.begun && !side.model->ended()) Fail("closed, and not ended");
    if (!side.begun && side.waiting) Fail("closed, and still waiting");
  }
}

void StreamCheck::Finish() {
  for (Connection& connection : connections_) {
    if (connection.open && !failure_) Close(connection, StreamEnd::kFlow);
  }
  if (!failure_) Release();
  const StreamCounters& counters = reassembler_->counters();
  if (counters.memory_bytes != 0) Fail("memory that does not come back");
  if (counters.buffered != 0) Fail("bytes that still wait");
}

void StreamCheck::Release() {
  for (const Lent& lent : lent_) {
    if (std::memcmp(lent.data, copies_.data() + lent.copy, lent.size) != 0) {
      return Fail("bytes of an event changed before Release");
    }
  }
  lent_.clear();
  copies_.clear();
  for (Connection& connection : connections_) {
    for (Side& side : connection.side) side.last = {};
  }
  reassembler_->Release();
  Judge(false);
}

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

void StreamCheck::Fail(const std::string& what) {
  if (!failure_) failure_ = what;
}

void StreamCheck::Lend(const uint8_t* data, uint32_t size) {
  if (data == nullptr) return;
  lent_.push_back({data, copies_.size(), size});
  copies_.insert(copies_.end(), data, data + size);
}

void StreamCheck::OnData(uint32_t owner, int side, const StreamData& data) {
  Lend(data.data, data.size);
  told_.push_back({.kind = Told::Kind::kData, .owner = owner, .side = side, .data = data});
  connections_[owner].side[side].last = data;
}

void StreamCheck::OnHole(uint32_t owner, int side, const StreamHole& hole) {
  told_.push_back({.kind = Told::Kind::kHole, .owner = owner, .side = side, .hole = hole});
}

void StreamCheck::OnConflict(uint32_t owner, int side, const StreamConflict& conflict) {
  Lend(conflict.data, conflict.size);
  told_.push_back(
      {.kind = Told::Kind::kConflict, .owner = owner, .side = side, .conflict = conflict});
}

void StreamCheck::OnEnd(uint32_t owner, int side, StreamEnd end, uint64_t offset, int64_t) {
  told_.push_back(
      {.kind = Told::Kind::kEnd, .owner = owner, .side = side, .end = end, .offset = offset});
}

void StreamCheck::OnWaiting(uint32_t owner, int side, bool waiting) {
  Side& of = connections_[owner].side[side];
  if (of.waiting == waiting) Fail("says that it waits, or not, twice");
  of.waiting = waiting;
  of.waited_no_more |= !waiting;
}

}  // namespace weir::test
