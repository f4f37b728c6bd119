// One stream as a map from place to byte: slow, obvious, and made from the contract
// (engine/tcp/*.h) and the published overlap rules, not from the reassembler.
//
// It is told each operation before what the reassembler said of it: an operation changes what
// waits; each datum, hole and end that follows is checked against that and then settles bytes. So
// the model need not foresee when a limit gives a hole up, only judge whether it may be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tcp/stream_counters.h"
#include "engine/tcp/stream_options.h"
#include "engine/tcp/stream_sink.h"

namespace weir::test {

// A place where a segment said something else than what was there.
struct Difference {
  uint64_t offset = 0;
  bool new_wins = false;
  uint8_t loser = 0;
  bool sure = true;  // false: what was there may have been forgotten
  bool told = false;
};

class StreamModel {
 public:
  // `counters` is what the reassembler's should be; both outlive the model and its copies.
  StreamModel(const StreamOptions& options, bool midstream, StreamCounters& counters)
      : options_(&options),
        midstream_(midstream),
        depth_(options.depth == 0 ? UINT64_MAX : options.depth),
        counters_(&counters) {}

  struct Part {
    int64_t offset = 0;
    const uint8_t* bytes = nullptr;
    uint32_t length = 0;
    uint32_t wire_length = 0;
    bool fin = false;
    int64_t time_ns = 0;
    bool forgets = false;      // memory is short: the history may be gone
    bool first_stays = false;  // no room to hold bytes: what was there is settled
  };

  // What may be the reason that something is given up.
  struct Leave {
    bool closing = false;
    bool stream_limit = false;
    bool memory = false;
    bool timeout = false;
    bool any() const { return closing || stream_limit || memory || timeout; }
  };

  // Operations. Segment fills `differences`, in the order of their places, and gives the number of
  // bytes of which it is not sure that they are compared; they are not in the counters.
  uint64_t Segment(const Part& part, std::vector<Difference>& differences);
  void Acknowledge(int64_t offset, int64_t now_ns);
  void ForgetAcknowledgements() {  // nothing waits any more
    settled_to_ = -1;
    remembered_from_ = acknowledgements_.size();
  }
  void LimitDepth(uint64_t depth);
  void Stop();

  // The segment is the fourth that follows upon the others out of the window: the stream will go on
  // with it.
  bool WouldJump(const Part& part) const;

  // What the reassembler told: empty, or what is wrong with it.
  std::string Data(const StreamData& data, const Leave& leave);
  std::string Hole(const StreamHole& hole, const Leave& leave);
  std::string End(StreamEnd end, uint64_t offset);

  // After an operation's events: empty, or what should have come too.
  std::string Missing(int64_t now_ns, bool expired);

  void Keep(uint32_t size) { kept_ = size; }
  bool ended() const { return ended_; }
  bool waiting() const { return waiting_ != 0; }
  uint64_t next() const { return next_; }
  uint64_t buffered() const { return waiting_; }
  uint64_t run_end() const;  // where the first missing byte is
  const StreamTotals& totals() const { return totals_; }

 private:
  enum class State : uint8_t { kMissing, kWaiting, kDelivered, kLost };
  struct Cell {
    State state = State::kMissing;
    uint8_t byte = 0;
    bool truncated = false;  // a segment was cut here
    uint32_t owner = 0;      // the segment, by its number
    int64_t time_ns = 0;     // and its time
  };
  struct Acknowledgement {
    int64_t place;
    int64_t time_ns;
    bool matters;
  };
  struct Extent {
    uint64_t start;
    uint64_t end;
  };

  Cell& At(uint64_t offset);
  State StateAt(uint64_t offset) const;
  Extent RunOf(uint64_t offset) const;
  void Refuse(Refused reason, uint64_t bytes) {
    counters_->refused[static_cast<size_t>(reason)] += bytes;
  }
  bool OutOfWindow(const Part& part) const;
  void NoteStray(const Part& part);
  uint64_t TakeRepeated(const Part& part, uint64_t at, uint8_t byte,
                        std::vector<Difference>& differences);
  void NoteEnd(const Part& part);
  void Retransmitted(uint64_t bytes);

  const StreamOptions* options_;
  bool midstream_;
  uint64_t depth_;
  StreamCounters* counters_;
  StreamTotals totals_;
  std::vector<Cell> cells_;
  uint64_t next_ = 0;  // all before it is settled
  uint64_t moved_to_ = 0;
  int64_t moved_ns_ = 0;  // when next_ changed
  uint64_t waiting_ = 0;
  uint64_t fin_ = UINT64_MAX;
  uint64_t last_fin_ = UINT64_MAX;  // the latest one, wherever it was
  int64_t acknowledged_ = -1;       // ever
  int64_t settled_to_ = -1;  // while something waits: held bytes before it are to be delivered
  std::vector<Acknowledgement> acknowledgements_;
  size_t remembered_from_ = 0;  // those before are forgotten
  uint32_t segments_ = 0;
  uint32_t kept_ = 0;
  int strays_ = 0;
  int64_t stray_next_ = 0;
  bool beyond_depth_ = false;
  bool stopped_ = false;
  bool ended_ = false;
  StreamEnd end_ = StreamEnd::kFlow;
};

// Whether a new piece wins against an old one where both have bytes. Target-Based TCP Stream
// Reassembly (Novak and Sturges, 2007), with Suricata's names.
bool NewWins(OverlapPolicy policy, uint64_t new_start, uint64_t new_end, uint64_t old_start,
             uint64_t old_end);
// Whether it ever can.
bool NewCanWin(OverlapPolicy policy);

}  // namespace weir::test
