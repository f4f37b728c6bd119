// Runs a case through a reassembler and through the model, and compares after every operation.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/tcp/reassembler.h"
#include "tests/model/stream_case.h"
#include "tests/model/stream_model.h"

namespace weir::test {

class StreamCheck final : public StreamSink {
 public:
  // All cases that are run have these options.
  explicit StreamCheck(const StreamOptions& options);

  // Of all cases so far.
  const StreamCounters& counters() const { return reassembler_->counters(); }

  // Nothing, or the first difference and where it was. After a difference the object is of no use.
  std::optional<std::string> Run(const StreamCase& test_case);

  void OnData(uint32_t owner, int side, const StreamData& data) override;
  void OnHole(uint32_t owner, int side, const StreamHole& hole) override;
  void OnConflict(uint32_t owner, int side, const StreamConflict& conflict) override;
  void OnEnd(uint32_t owner, int side, StreamEnd end, uint64_t offset, int64_t time_ns) override;
  void OnWaiting(uint32_t owner, int side, bool waiting) override;

 private:
  // What the reassembler told during one operation.
  struct Told {
    enum class Kind : uint8_t { kData, kHole, kConflict, kEnd } kind;
    uint32_t owner;
    int side;
    StreamData data = {};
    StreamHole hole = {};
    StreamConflict conflict = {};
    StreamEnd end = StreamEnd::kFlow;
    uint64_t offset = 0;
  };
  // Bytes that must stay what they are until Release.
  struct Lent {
    const uint8_t* data;
    size_t copy;  // in copies_
    uint32_t size;
  };
  struct Side {
    std::optional<StreamModel> model;
    uint32_t start = 0;
    bool begun = false;
    bool waiting = false;
    bool waited_no_more = false;  // during this operation
    StreamData last;              // data; `data` lives until Release
  };
  struct Connection {
    uint32_t number = kNoConnection;
    bool open = false;
    Side side[2];
  };

  // What the models know, to take a judgement back.
  struct Known {
    std::vector<StreamModel> models;
    StreamCounters expected;
  };

  void Start(const StreamCase& test_case);
  void Open(Connection& connection, uint32_t owner);
  void Apply(const StreamCase& test_case, const StreamOp& op);
  void ApplySegment(const StreamCase& test_case, const StreamOp& op);
  void Close(Connection& connection, StreamEnd end);
  void Release();
  void Finish();

  void Judge(bool expired);
  void JudgeSegment(const StreamOp& op, StreamModel::Part part);
  std::string TrySegment(const StreamOp& op, const StreamModel::Part& part, size_t before);
  std::string JudgeTold(size_t from, size_t to);
  std::string JudgeConflicts(uint32_t owner, int side);
  std::string JudgeState(bool expired);
  std::string JudgeCounters() const;
  StreamModel::Leave LeaveNow() const;
  bool MayComeBefore(const Told& told) const;
  Known Remember() const;
  void Restore(const Known& known);

  void Forget();
  void Fail(const std::string& what);
  void Lend(const uint8_t* data, uint32_t size);

  const StreamOptions options_;
  std::unique_ptr<Reassembler> reassembler_;
  StreamCounters expected_;
  Connection connections_[kCaseConnections];
  std::vector<Told> told_;
  std::vector<Difference> differences_;
  std::vector<Lent> lent_;
  std::vector<uint8_t> copies_;
  std::deque<std::vector<uint8_t>> payloads_;
  int64_t now_ns_ = 1'000'000'000;
  uint64_t unsure_ = 0;  // bytes of this operation that may have been compared
  int64_t start_ns_ = 0;
  bool closing_ = false;
  bool may_limit_ = false;    // the case has enough bytes to reach a stream's limit,
  bool may_relieve_ = false;  // or that of the memory
  std::optional<std::string> failure_;
};

}  // namespace weir::test
