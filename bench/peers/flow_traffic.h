// Packets of flows for other libraries, and which of a library's answers are wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/trace.h"

namespace weir::bench {

enum class FlowShape {
  kMix,    // 100,000 flows in random order, payload of 64, 576 and 1448 bytes, 7:4:1
  kSmall,  // 10,000 flows in random order, frames of 64 bytes with their check sequence
};

// What a library says of a flow. All packets are the client's, whose address names the flow.
struct FlowAnswer {
  uint32_t client = 0;  // IPv4 address, host order
  uint64_t packets = 0;
  uint64_t bytes = 0;  // from the link header on
};
using FlowAnswers = std::vector<FlowAnswer>;

class FlowTraffic {
 public:
  explicit FlowTraffic(FlowShape shape);

  void Refill(MemorySource& source) { feed_.Refill(source); }
  std::span<const Frame> frames() const { return trace_.frames(); }  // of one lap
  uint32_t flows() const { return flows_; }                          // with room for them all

  // Of the first so many packets.
  uint64_t Flows(uint64_t packets) const;
  // Flows that are missing or whose counters are wrong, and answers about no flow, or about one
  // that was told of before.
  uint64_t Wrong(const FlowAnswers& answers, uint64_t packets) const;

 private:
  struct Counts {
    uint64_t packets = 0, bytes = 0;
    bool operator==(const Counts&) const = default;
  };
  std::vector<Counts> Truth(uint64_t packets) const;

  uint32_t flows_;
  Trace trace_;
  Feed feed_;
};

}  // namespace weir::bench
