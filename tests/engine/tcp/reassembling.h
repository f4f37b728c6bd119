// One connection in a Reassembler, and all that it told.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "engine/tcp/reassembler.h"
#include "rings/frame.h"

namespace weir::test {

// What was told, as short texts: "0 data 0:abc", "1 hole 3+4 timeout", "0 conflict 2:xy old",
// "0 end 7 fin". The first number is the owner, when it is not 7, and the side.
class Told final : public StreamSink {
 public:
  void OnData(uint32_t owner, int side, const StreamData& data) override {
    last = data;
    if (silent) return;
    const std::string bytes(reinterpret_cast<const char*>(data.data), data.size);
    Note(owner, side,
         "data " + std::to_string(data.offset) + ":" + bytes +
             (data.kept > 0 ? " kept " + std::to_string(data.kept) : ""));
  }
  void OnHole(uint32_t owner, int side, const StreamHole& hole) override {
    hole_time_ns = hole.time_ns;
    if (silent) return;
    Note(owner, side,
         "hole " + std::to_string(hole.offset) + "+" + std::to_string(hole.size) + " " +
             std::string(Name(hole.reason)));
  }
  void OnConflict(uint32_t owner, int side, const StreamConflict& conflict) override {
    if (silent) return;
    const std::string bytes(reinterpret_cast<const char*>(conflict.data), conflict.size);
    Note(owner, side,
         "conflict " + std::to_string(conflict.offset) + ":" + bytes +
             (conflict.new_wins ? " new" : " old"));
  }
  void OnEnd(uint32_t owner, int side, StreamEnd end, uint64_t offset, int64_t) override {
    if (silent) return;
    Note(owner, side, "end " + std::to_string(offset) + " " + std::string(Name(end)));
  }
  void OnWaiting(uint32_t, int, bool on) override { waiting = on; }

  // All since the last call.
  std::vector<std::string> Take() { return std::exchange(events_, {}); }

  StreamData last;
  int64_t hole_time_ns = 0;
  bool waiting = false;
  bool silent = false;

 private:
  void Note(uint32_t owner, int side, const std::string& what) {
    const std::string of = owner == 7 ? "" : std::to_string(owner) + "/";
    events_.push_back(of + std::to_string(side) + " " + what);
  }
  std::vector<std::string> events_;
};

class Reassembling : public ::testing::TestWithParam<uint32_t> {
 protected:
  static constexpr int64_t kSecond = 1'000'000'000;

  StreamOptions options_ = [] {
    StreamOptions options;
    options.max_connections = 4;
    options.memory_bytes = 1u << 20;
    return options;
  }();
  Told told_;
  std::unique_ptr<Reassembler> reassembler_;
  uint32_t connection_ = 0;
  uint32_t first_ = 1000;  // sequence number of offset 0
  int64_t now_ns_ = kSecond;

  // As in a ring: a payload outlives the call that hands it over. Allocates nothing up to 2 KB.
  std::vector<std::string> laid_ = [] {
    std::vector<std::string> places(kBatchFrames);
    for (std::string& place : places) place.reserve(2048);
    return places;
  }();
  size_t next_laid_ = 0;
  const std::string& Lay(const std::string& payload) {
    return laid_[next_laid_++ % laid_.size()].assign(payload);
  }

  // Both streams of connection_ begin with sequence number `first`.
  void Start(uint32_t first = 1000, bool midstream = false) {
    reassembler_ = *Reassembler::Create(options_, told_);
    connection_ = Another(7, first, midstream);
    first_ = first;
  }
  uint32_t Another(uint32_t owner, uint32_t first = 1000, bool midstream = false) {
    const uint32_t connection = reassembler_->Open(owner);
    reassembler_->Begin(connection, 0, first, midstream);
    reassembler_->Begin(connection, 1, first, midstream);
    return connection;
  }

  // A segment of side 0, as the tracker hands it over.
  void Feed(int64_t offset, const std::string& bytes, bool fin = false) {
    FeedTo(connection_, 0, offset, bytes, fin);
  }
  void FeedTo(uint32_t connection, int side, int64_t offset, const std::string& fed,
              bool fin = false) {
    const std::string& bytes = Lay(fed);
    const uint32_t sequence = first_ + static_cast<uint32_t>(offset);
    uint64_t at = 0;
    const auto size = static_cast<uint32_t>(bytes.size());
    if (!fin && size > 0 && reassembler_->InOrder(connection, side, sequence, size, &at)) {
      StreamData data;
      data.offset = at;
      data.data = reinterpret_cast<const uint8_t*>(bytes.data());
      data.size = size;
      told_.OnData(7, side, data);
    } else {
      FeedSegment(connection, side, offset, fed, size, fin);
    }
    ExpectBalanced();
  }
  void FeedSegment(uint32_t connection, int side, int64_t offset, const std::string& fed,
                   uint32_t wire_length, bool fin = false) {
    const std::string& bytes = Lay(fed);
    StreamSegment segment;
    segment.sequence = first_ + static_cast<uint32_t>(offset);
    segment.payload = reinterpret_cast<const uint8_t*>(bytes.data());
    segment.length = static_cast<uint32_t>(bytes.size());
    segment.wire_length = wire_length;
    segment.fin = fin;
    segment.time_ns = now_ns_;
    reassembler_->Segment(connection, side, segment);
    ExpectBalanced();
  }
  void FeedCut(int64_t offset, const std::string& captured, uint32_t wire_length) {
    FeedSegment(connection_, 0, offset, captured, wire_length);
  }
  void Acknowledge(uint64_t offset) {
    reassembler_->Acknowledge(connection_, 0, first_ + static_cast<uint32_t>(offset), now_ns_);
    ExpectBalanced();
  }
  void Pass(int64_t time_ns) {
    now_ns_ += time_ns;
    reassembler_->Release();
    reassembler_->Expire(now_ns_);
    ExpectBalanced();
  }
  void Close(StreamEnd end = StreamEnd::kFlow) {
    reassembler_->Close(connection_, end, now_ns_);
    ExpectBalanced();
  }
  void ExpectBalanced() {
    const StreamCounters& counters = reassembler_->counters();
    EXPECT_TRUE(counters.Balanced())
        << counters.payload << " = " << counters.delivered << " + " << counters.retransmitted
        << " + " << counters.RefusedTotal() << " + " << counters.buffered;
  }
  uint64_t Refused(Refused reason) const {
    return reassembler_->counters().refused[static_cast<size_t>(reason)];
  }
  const StreamCounters& counters() const { return reassembler_->counters(); }
  using Events = std::vector<std::string>;
};

}  // namespace weir::test
