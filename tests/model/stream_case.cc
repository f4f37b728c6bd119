#include "tests/model/stream_case.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace weir::test {
namespace {

constexpr std::array<const char*, 8> kKindNames = {
    "kSegment", "kAcknowledge", "kExpire", "kRelease", "kKeep", "kDepth", "kStop", "kClose"};

class Maker {
 public:
  Maker(const StreamMix& mix, std::mt19937_64& random) : mix_(mix), random_(random) {}

  StreamOp Next() {
    StreamOp op;
    op.connection = static_cast<uint8_t>(Below(mix_.connections));
    op.side = mix_.both_sides ? static_cast<uint8_t>(Below(2)) : 0;
    op.step_ns = Step();
    if (Percent(mix_.odd)) {
      MakeOdd(op);
    } else if (Percent(mix_.acknowledges)) {
      op.kind = StreamOp::Kind::kAcknowledge;
      op.offset = Percent(70) ? Below(Reach(op) + 1) : Below(mix_.stream_bytes);
    } else if (Percent(25)) {
      op.kind = StreamOp::Kind::kRelease;
    } else {
      MakeSegment(op);
    }
    return op;
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool Percent(int percent) { return static_cast<int>(Below(100)) < percent; }
  uint32_t& Reach(const StreamOp& op) { return reach_[op.connection][op.side]; }

  int64_t Step() {
    switch (Below(20)) {
      case 0:
        return 150'000'000;  // most of the grace
      case 1:
        return 2'000'000'000;
      case 2:
        return static_cast<int64_t>(Below(20)) * 1'000'000'000;
      default:
        return static_cast<int64_t>(Below(1'000'000));
    }
  }

  void MakeSegment(StreamOp& op) {
    const uint32_t longest = Percent(80) ? mix_.segment_bytes : std::min(mix_.segment_bytes, 4u);
    op.length = 1 + static_cast<uint32_t>(Below(longest));
    if (Percent(mix_.in_order)) {
      op.offset = Reach(op);
    } else if (Percent(50)) {  // near the others
      op.offset = static_cast<int64_t>(Reach(op)) + static_cast<int64_t>(Below(2 * longest)) -
                  static_cast<int64_t>(longest);
    } else {
      op.offset = static_cast<int64_t>(Below(mix_.stream_bytes));
    }
    if (Percent(4)) op.offset = -static_cast<int64_t>(Below(longest));
    op.variant = Percent(mix_.lies) ? static_cast<uint8_t>(1 + Below(3)) : 0;
    op.wire_length = op.length;
    if (mix_.truncation && Percent(4)) op.wire_length += 1 + static_cast<uint32_t>(Below(longest));
    if (mix_.fins && Percent(3)) {
      op.fin = true;
      if (Percent(30)) op.length = op.wire_length = 0;
    }
    if (Percent(1)) op.length = 0;  // nothing of it was captured
    const int64_t end = op.offset + op.wire_length;
    if (end > Reach(op) && end < Reach(op) + 2 * longest) Reach(op) = static_cast<uint32_t>(end);
  }

  void MakeOdd(StreamOp& op) {
    switch (Below(10)) {
      case 0:
        op.kind = StreamOp::Kind::kDepth;
        op.offset = static_cast<int64_t>(Below(mix_.stream_bytes));
        return;
      case 1:
        if (Percent(30)) op.kind = StreamOp::Kind::kStop;
        return;
      case 2:
      case 3:
      case 4:
        op.kind = StreamOp::Kind::kKeep;
        op.length = static_cast<uint32_t>(Below(mix_.segment_bytes) + 1);
        return;
      default:
        op.kind = StreamOp::Kind::kExpire;
    }
  }

  const StreamMix& mix_;
  std::mt19937_64& random_;
  uint32_t reach_[kCaseConnections][2] = {};
};

}  // namespace

uint8_t ByteAt(uint8_t side, uint8_t variant, int64_t offset) {
  uint64_t mixed = (static_cast<uint64_t>(offset) * 2 + side) * 0x9E37'79B9'7F4A'7C15;
  mixed ^= mixed >> 29;
  const auto truth = static_cast<uint8_t>(mixed >> 32 & 3);
  if (variant == 0) return 'a' + truth;
  uint64_t lie = (mixed + variant) * 0xBF58'476D'1CE4'E5B9;
  lie ^= lie >> 31;
  return (lie & 3) == 0 ? 'a' + ((truth + 1 + (lie >> 8) % 3) & 3) : 'a' + truth;
}

StreamCase RandomCase(const StreamOptions& options, const StreamMix& mix, std::mt19937_64& random) {
  StreamCase made;
  made.options = options;
  for (int connection = 0; connection < mix.connections; ++connection) {
    for (int side = 0; side < 2; ++side) {
      const uint32_t back = static_cast<uint32_t>(random() % (mix.stream_bytes + 1));
      constexpr uint32_t kNear[] = {0, 0, 0x8000'0000u, 0x4000'0000u};
      made.start[connection][side] =
          random() % 4 == 0 ? static_cast<uint32_t>(random()) : kNear[random() % 4] - back;
      made.midstream[connection][side] = random() % 3 == 0;
    }
  }
  Maker maker(mix, random);
  const int count = mix.operations / 2 + static_cast<int>(random() % mix.operations);
  for (int i = 0; i < count; ++i) made.ops.push_back(maker.Next());
  for (int connection = 0; connection < mix.connections; ++connection) {
    if (random() % 4 == 0) continue;  // closed by the runner
    StreamOp close;
    close.kind = StreamOp::Kind::kClose;
    close.connection = static_cast<uint8_t>(connection);
    close.length = static_cast<uint32_t>(random() % 2);
    made.ops.push_back(close);
  }
  return made;
}

std::string Print(const StreamCase& test_case) {
  std::ostringstream out;
  const StreamOptions& options = test_case.options;
  out << "overlap " << Name(options.overlap) << ", memory " << options.memory_bytes << ", stream "
      << options.stream_bytes << ", pieces " << options.stream_pieces << ", timeout "
      << options.hole_timeout_ns << ", grace " << options.acknowledged_grace_ns << ", history "
      << options.history_bytes << ", depth " << options.depth << ", window " << options.max_window
      << "\n";
  for (int connection = 0; connection < kCaseConnections; ++connection) {
    for (int side = 0; side < 2; ++side) {
      out << "  stream " << connection << "." << side << ": starts at "
          << test_case.start[connection][side]
          << (test_case.midstream[connection][side] ? " midstream" : "") << "\n";
    }
  }
  for (const StreamOp& op : test_case.ops) {
    out << "  {" << kKindNames[static_cast<size_t>(op.kind)] << ", " << int{op.connection} << "."
        << int{op.side} << ", offset " << op.offset << ", length " << op.length << ", wire "
        << op.wire_length << ", variant " << int{op.variant} << (op.fin ? ", fin" : "") << ", step "
        << op.step_ns << "}";
    if (op.kind == StreamOp::Kind::kSegment && op.length <= 80) {
      out << "  \"";
      for (uint32_t i = 0; i < op.length; ++i) out << ByteAt(op.side, op.variant, op.offset + i);
      out << "\"";
    }
    out << "\n";
  }
  return out.str();
}

}  // namespace weir::test
