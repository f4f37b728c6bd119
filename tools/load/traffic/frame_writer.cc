#include "tools/load/traffic/frame_writer.h"

#include <algorithm>
#include <cstring>

#include "engine/packet/packet.h"
#include "tools/load/traffic/network_writer.h"
#include "tools/load/traffic/payload.h"
#include "tools/load/traffic/store.h"
#include "tools/load/traffic/transport_writer.h"

namespace weir::load {

uint32_t FrameWriter::Write(uint8_t* to, const FlowIdentity& identity, uint32_t flow,
                            const PacketPlan& plan) {
  const uint32_t network = NetworkHeaderBytes(identity);
  const uint32_t size =
      WriteTransport(to + network, identity, plan, PayloadPattern(seed_, flow, plan.direction));
  WriteNetworkHeaders(to, identity, flow, plan.direction, plan.identification, size);
  return network + size;
}

uint32_t FrameWriter::MostPieces(const FlowIdentity& identity, const PacketPlan& plan) {
  if (plan.payload == 0) return 1;
  const uint32_t size = TransportHeaderBytes(identity.protocol) + plan.payload;
  return std::clamp(size / kLeastPieceBytes, 1u, kMostPieces);
}

void FrameWriter::StartPieces(const FlowIdentity& identity, uint32_t flow, const PacketPlan& plan) {
  datagram_bytes_ =
      WriteTransport(datagram_.data(), identity, plan, PayloadPattern(seed_, flow, plan.direction));
}

uint32_t FrameWriter::WritePiece(uint8_t* to, const FlowIdentity& identity, uint32_t flow,
                                 const PacketPlan& plan, uint32_t piece, uint32_t pieces) const {
  const uint32_t each = datagram_bytes_ / pieces & ~7u;
  const bool more = piece + 1 < pieces;
  const uint32_t offset = piece * each, size = more ? each : datagram_bytes_ - offset;
  const uint32_t network =
      WriteNetworkHeaders(to, identity, flow, plan.direction, plan.identification, size,
                          {.whole = false, .more = more, .offset = offset});
  std::memcpy(to + network, datagram_.data() + offset, size);
  return network + size;
}

uint32_t FrameWriter::WriteUnfinished(uint8_t* to, const FlowIdentity& identity, uint32_t flow,
                                      PacketPlan plan) {
  plan.payload &= ~7u;
  StartPieces(identity, flow, plan);
  const uint32_t network =
      WriteNetworkHeaders(to, identity, flow, plan.direction, plan.identification, datagram_bytes_,
                          {.whole = false, .more = true});
  std::memcpy(to + network, datagram_.data(), datagram_bytes_);
  Store16(to + network + 4, 2 * datagram_bytes_);  // UDP's length
  return network + datagram_bytes_;
}

uint32_t FrameWriter::WriteProbe(uint8_t* to, const FlowIdentity& identity, uint64_t number) const {
  const ProbePayload probe = {.mark = kProbeMark, .number = number, .sent_ns = 0};
  const uint32_t network = WriteNetworkHeaders(
      to, identity, kProbeFlow, 0, static_cast<uint16_t>(number), kUdpBytes + sizeof probe);
  uint8_t* udp = to + network;
  Store16(udp, identity.ports[0]);
  Store16(udp + 2, identity.ports[1]);
  Store16(udp + 4, kUdpBytes + sizeof probe);
  Store16(udp + 6, 0);
  std::memcpy(udp + kUdpBytes, &probe, sizeof probe);
  return kProbeFrameBytes;
}

}  // namespace weir::load
