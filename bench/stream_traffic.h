// TCP streams for benchmarks. Frames are made as they are needed, outside the time, so there is no
// end and no lap: sequence numbers go on, and a flow that has ended is followed by a new one with
// other addresses and ports.
//
// Ethernet, IPv4, TCP without options; every checksum is right. The packet after this one is of any
// flow, chosen at random with a fixed seed, so two objects of one shape make the same frames.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "rings/memory_source.h"

namespace weir::bench {

enum class StreamShape : int64_t {
  // 1,000 flows, each SYN, SYN+ACK, then segments of 1448 bytes from the client, in order, without
  // end.
  kInOrder,
  // The same, and 5 % of the segments of each flow come 1 to 8 of its segments later than they
  // should.
  kDisplaced,
  // 100,000 flows open at any time, of five packets each: SYN; SYN+ACK; 300 bytes and FIN from the
  // client; 1,000 bytes and FIN from the server; ACK. Whole connections, so that flows open and
  // close; as many again linger closed, since packets are 20 us apart and time-outs the usual ones.
  kShort,
};

class StreamTraffic {
 public:
  explicit StreamTraffic(StreamShape shape,
                         ChecksumStatus status = ChecksumStatus::kValid);  // of each frame

  // The next frames, valid until the next call; at most kMostFrames.
  static constexpr size_t kMostFrames = 8192;
  std::span<const Frame> Make(size_t count);

  // Fills the free blocks of a ring.
  void Refill(MemorySource& source);

  // Flows that are open at once; the numbers of FlowOf are below this.
  uint32_t flows() const { return static_cast<uint32_t>(flows_.size()); }
  // Payload bytes of the frames in the ring so far.
  uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  static constexpr size_t kMostDisplaced = 8;
  struct Displaced {
    uint32_t sequence;
    uint32_t due;  // in Flow::sent
  };
  struct Flow {
    uint32_t identity = 0;
    uint32_t step = 0;  // packets so far
    uint32_t sent = 0;  // segments so far
    std::array<uint32_t, 2> next{};
    uint32_t displaced_count = 0;
    std::array<Displaced, kMostDisplaced> displaced;
  };

  void Start(Flow& flow);
  uint32_t NextSegment(Flow& flow);
  void WriteNext(uint32_t number, uint8_t* bytes, Frame& frame);

  StreamShape shape_;
  std::mt19937 random_{1};
  std::vector<Flow> flows_;
  uint32_t next_identity_ = 0;
  int64_t time_ns_ = 1'700'000'000'000'000'000;
  std::vector<uint8_t> bytes_;
  std::vector<Frame> frames_;
  std::span<const Frame> pending_;
  uint64_t payload_bytes_ = 0;
};

}  // namespace weir::bench
