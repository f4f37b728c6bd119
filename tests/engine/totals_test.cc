// Ten million packets of a million flows through a table of a hundred thousand: what the records
// say sums to what was sent, exactly.

#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <array>
#include <cstring>
#include <random>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/memory_source.h"

namespace weir {
namespace {

constexpr uint32_t kFlows = 1'000'000;
constexpr uint64_t kPackets = 10'000'000;

// Headers only: the wire length says how long the payload was.
struct HeaderFrame {
  std::array<uint8_t, 54> bytes{};
};

uint32_t Fill(HeaderFrame& frame, std::mt19937_64& random) {
  const auto flow = static_cast<uint32_t>(random() % kFlows);
  const bool reply = random() % 3 == 0;
  const uint32_t payload = std::array<uint32_t, 3>{64, 576, 1448}[random() % 3];
  uint8_t* ip = frame.bytes.data() + 14;
  frame.bytes[12] = 0x08;
  ip[0] = 0x45;
  const uint16_t length = htons(static_cast<uint16_t>(40 + payload));
  std::memcpy(ip + 2, &length, 2);
  ip[9] = flow % 4 == 0 ? ip_protocol::kUdp : ip_protocol::kTcp;
  const uint32_t client = htonl(0x0a00'0000 + flow), server = htonl(0xc0a8'0001);
  std::memcpy(ip + 12, reply ? &server : &client, 4);
  std::memcpy(ip + 16, reply ? &client : &server, 4);
  const uint16_t high = htons(40'000), low = htons(443);
  std::memcpy(ip + 20, reply ? &low : &high, 2);
  std::memcpy(ip + 22, reply ? &high : &low, 2);
  ip[32] = 0x50;
  ip[33] = tcp_flag::kAck;
  return 54 + payload;
}

TEST(Totals, RecordsOfAnOverfullTableSumToWhatWasSent) {
  MemorySourceOptions ring;
  ring.block_count = 16;
  auto owned = *MemorySource::Create(ring);
  MemorySource& source = *owned;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(owned));
  ShardOptions options;
  options.flow.max_flows = 100'000;
  auto shard = *Shard::Create(options, std::move(sources));

  uint64_t sent_packets = 0, sent_bytes = 0, packets = 0, bytes = 0, records = 0, evicted = 0;
  const auto take = [&] {
    for (const Event& event : shard->Poll()) {
      ++records;
      evicted += event.record->end == FlowEnd::kEvicted;
      packets += event.record->packets[0] + event.record->packets[1];
      bytes += event.record->bytes[0] + event.record->bytes[1];
    }
  };
  std::mt19937_64 random(7);
  std::array<HeaderFrame, 4096> headers;
  std::array<Frame, 4096> frames;
  while (sent_packets < kPackets) {
    const size_t chunk = std::min<uint64_t>(headers.size(), kPackets - sent_packets);
    for (size_t i = 0; i < chunk; ++i) {
      frames[i].data = headers[i].bytes.data();
      frames[i].captured_length = 54;
      frames[i].wire_length = Fill(headers[i], random);
      frames[i].timestamp_ns =
          1'700'000'000'000'000'000 + static_cast<int64_t>(sent_packets + i) * 200;
      sent_bytes += frames[i].wire_length;
    }
    sent_packets += chunk;
    for (size_t next = 0; next < chunk;) {
      next += source.Refill(std::span(frames).first(chunk).subspan(next));
      while (source.ready()) take();
    }
    if (sent_packets % (1 << 20) < chunk) {
      const FlowCounters& counters = shard->flows().counters();
      ASSERT_EQ(counters.ended_packets + shard->flows().AlivePackets(), shard->ledger().tracked);
    }
  }
  source.End();
  while (!shard->done()) take();

  EXPECT_EQ(shard->ledger().received, sent_packets);
  EXPECT_EQ(shard->ledger().tracked, sent_packets);
  EXPECT_EQ(packets, sent_packets);
  EXPECT_EQ(bytes, sent_bytes);
  EXPECT_EQ(shard->flows().counters().started, records);
  EXPECT_GT(evicted, kFlows);
}

}  // namespace
}  // namespace weir
