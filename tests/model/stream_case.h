// A case of the reassembler's model test: what it is made with and what it is told, one operation
// after the other. Small enough to print, and a part of it is a case again.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/tcp/stream_options.h"

namespace weir::test {

inline constexpr int kCaseConnections = 2;

struct StreamOp {
  enum class Kind : uint8_t {
    kSegment,      // offset, length, wire_length, variant, fin
    kAcknowledge,  // offset: all before it
    kExpire,
    kRelease,
    kKeep,   // length bytes of the last data
    kDepth,  // offset: the new depth
    kStop,
    kClose,
  };
  Kind kind = Kind::kSegment;
  uint8_t connection = 0;
  uint8_t side = 0;
  uint8_t variant = 0;  // of the bytes: 0 is the true one
  bool fin = false;
  int64_t offset = 0;        // from the stream's first byte; may be negative
  uint32_t length = 0;       // captured
  uint32_t wire_length = 0;  // sent
  int64_t step_ns = 0;       // before it
};

struct StreamCase {
  StreamOptions options;
  uint32_t start[kCaseConnections][2] = {};  // sequence number of the first byte
  bool midstream[kCaseConnections][2] = {};
  std::vector<StreamOp> ops;
};

// The byte of a variant at a place: few letters, so that variants agree in most places.
uint8_t ByteAt(uint8_t side, uint8_t variant, int64_t offset);

// As C++ that makes it again.
std::string Print(const StreamCase& test_case);

// What random cases look like.
struct StreamMix {
  uint32_t stream_bytes = 200;  // how far offsets go
  uint32_t segment_bytes = 40;  // longest segment
  int operations = 24;
  int connections = 1;
  bool both_sides = false;
  int lies = 30;          // in a hundred segments, that have other bytes
  int in_order = 30;      // in a hundred segments, the next one
  int acknowledges = 15;  // in a hundred operations
  int odd = 6;            // in a hundred operations: keep, depth, stop, expire
  bool truncation = true;
  bool fins = true;
};

StreamCase RandomCase(const StreamOptions& options, const StreamMix& mix, std::mt19937_64& random);

}  // namespace weir::test
