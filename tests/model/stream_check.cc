// Doing a case's operations, and keeping what the reassembler tells. Judging: stream_judge.cc.
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
