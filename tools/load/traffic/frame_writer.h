// From plans of packets to frames.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/packet_plan.h"

namespace weir::load {

class FrameWriter {
 public:
  static constexpr uint32_t kMostPieces = 3;

  FrameWriter(uint64_t seed, uint32_t most_frame_bytes)
      : seed_(seed), datagram_(most_frame_bytes) {}

  // One frame, at `to`, with room for the longest. Returns its bytes.
  uint32_t Write(uint8_t* to, const FlowIdentity& identity, uint32_t flow, const PacketPlan& plan);

  // Into how many pieces, at most kMostPieces, a packet may be cut: each but the last has
  // kLeastPieceBytes behind the IP header, so that the first bears all of the transport's.
  static uint32_t MostPieces(const FlowIdentity& identity, const PacketPlan& plan);
  // Then each of the pieces.
  void StartPieces(const FlowIdentity& identity, uint32_t flow, const PacketPlan& plan);
  uint32_t WritePiece(uint8_t* to, const FlowIdentity& identity, uint32_t flow,
                      const PacketPlan& plan, uint32_t piece, uint32_t pieces) const;

  // The first piece of a UDP datagram that is longer by one more.
  uint32_t WriteUnfinished(uint8_t* to, const FlowIdentity& identity, uint32_t flow,
                           PacketPlan plan);

  uint32_t WriteProbe(uint8_t* to, const FlowIdentity& identity, uint64_t number) const;

 private:
  static constexpr uint32_t kLeastPieceBytes = 24;

  const uint64_t seed_;
  std::vector<uint8_t> datagram_;  // what follows the IP header, whole
  uint32_t datagram_bytes_ = 0;
};

}  // namespace weir::load
