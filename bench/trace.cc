#include "bench/trace.h"

#include <cstdlib>
#include <cstring>
#include <random>

#include "engine/packet/checksum.h"

namespace weir::bench {
namespace {

void Store16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void Store32(uint8_t* at, uint32_t value) {
  Store16(at, value >> 16);
  Store16(at + 2, value & 0xffff);
}

}  // namespace

void WriteHeaders(uint8_t* frame, const SegmentFields& segment) {
  std::memset(frame, 0, kHeaderBytes);
  frame[0] = frame[6] = 2;
  Store32(frame + 8, segment.number & 0xffffff);
  Store16(frame + 12, 0x0800);
  uint8_t* ip = frame + 14;
  ip[0] = 0x45;
  Store16(ip + 2, 40 + segment.payload);
  ip[6] = 0x40;
  ip[8] = 64;
  ip[9] = ip_protocol::kTcp;
  uint8_t* tcp = ip + 20;
  const size_t server = segment.from_server ? 0 : 1, client = 1 - server;
  Store32(ip + 12 + 4 * client, 0x0a00'0000 | (segment.identity & 0xffffff));
  Store32(ip + 12 + 4 * server, 0xc0a8'0001 + segment.identity % 251);
  Store16(tcp + 2 * client, 1024 + segment.identity % 50'000);
  Store16(tcp + 2 * server, 443);
  Store32(tcp + 4, segment.sequence);
  Store32(tcp + 8, segment.acknowledgement);
  tcp[12] = 0x50;
  tcp[13] = segment.flags;
  Store16(tcp + 14, 65'535);
  // Sums are of words in memory order.
  const uint16_t ip_checksum = ChecksumFold(ChecksumAdd(ip, 20));
  std::memcpy(ip + 10, &ip_checksum, 2);
  const uint32_t size = 20 + segment.payload;
  const uint16_t checksum = ChecksumFold(
      ChecksumAdd(tcp, size, PseudoHeaderSum(ip + 12, ip + 16, 4, ip_protocol::kTcp, size)));
  std::memcpy(tcp + 16, &checksum, 2);
}

bool SmallRun() { return std::getenv("WEIR_BENCH_SMALL") != nullptr; }

Trace::Trace(const TraceOptions& options) {
  std::vector<uint32_t> sizes;
  for (const auto& [payload, share] : options.mix) sizes.insert(sizes.end(), share, payload);
  const uint32_t packets = SmallRun() ? 1u << 14 : options.packets;
  std::mt19937 random(1);
  std::vector<uint32_t> order(packets);
  for (uint32_t i = 0; i < packets; ++i) order[i] = i % options.flows;
  if (options.random_order) std::shuffle(order.begin(), order.end(), random);
  std::vector<uint32_t> payloads(packets);
  size_t total = 0;
  for (uint32_t& payload : payloads) {
    payload = sizes[random() % sizes.size()];
    total += kHeaderBytes + payload;
  }
  bytes_.resize(total);
  frames_.reserve(packets);
  std::vector<uint32_t> sequences(options.flows, 1);
  uint8_t* at = bytes_.data();
  for (uint32_t i = 0; i < packets; ++i) {
    const uint32_t flow = order[i];
    WriteHeaders(at, {.identity = flow,
                      .number = flow,
                      .payload = payloads[i],
                      .sequence = sequences[flow],
                      .acknowledgement = 1,
                      .flags = tcp_flag::kAck});
    sequences[flow] += payloads[i];
    Frame frame;
    frame.data = at;
    frame.captured_length = frame.wire_length = kHeaderBytes + payloads[i];
    frame.timestamp_ns = 1'700'000'000'000'000'000 + int64_t{i} * 50;
    frames_.push_back(frame);
    at += frame.captured_length;
  }
}

}  // namespace weir::bench
