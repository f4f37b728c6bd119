#include "bench/floor.h"

#include <linux/if_packet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/trace.h"
#include "rings/prefetch.h"

namespace weir::bench {

Floor::Floor(uint32_t flows)
    : arena_(*Arena::Create(Arena::Bytes<Line>(flows))), lines_(arena_.Take<Line>(flows)) {}

int Floor::Poll(FrameSource& source) {
  std::array<Frame, kBatchFrames> frames;
  std::array<uint64_t, kBatchFrames> sums;
  std::array<uint32_t, kBatchFrames> flows;
  source.Release();
  const int count = source.Receive(frames);
  for (int i = 0; i < count; ++i) {
    uint64_t words[8];
    // A shorter frame may be the last of the ring: what stands in front of it makes up the rest.
    const uint32_t missing = 64 - std::min(frames[i].captured_length, 64u);
    std::memcpy(words, frames[i].data - missing, sizeof words);
    sums[i] = words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ words[5] ^ words[6] ^ words[7];
    flows[i] = FlowOf(frames[i].data);
    PrefetchToWrite(&lines_[flows[i]]);
  }
  for (int i = 0; i < count; ++i) {
    Line& line = lines_[flows[i]];
    line.words[0] += 1;
    line.words[1] += frames[i].wire_length;
    line.words[2] ^= sums[i];
  }
  return count;
}

uint32_t Floor::WalkPlainly(const uint8_t* block) {
  const auto& descriptor = *reinterpret_cast<const tpacket_block_desc*>(block);
  const uint8_t* at = block + descriptor.hdr.bh1.offset_to_first_pkt;
  const uint32_t frames = descriptor.hdr.bh1.num_pkts;
  std::array<uint64_t, kBatchFrames> sums;
  std::array<uint32_t, kBatchFrames> flows, lengths;
  for (uint32_t done = 0; done < frames;) {
    const uint32_t count = std::min<uint32_t>(kBatchFrames, frames - done);
    for (uint32_t i = 0; i < count; ++i) {
      const auto& header = *reinterpret_cast<const tpacket3_hdr*>(at);
      const uint8_t* data = at + header.tp_mac;
      uint64_t words[8];
      std::memcpy(words, data, sizeof words);
      sums[i] =
          words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ words[5] ^ words[6] ^ words[7];
      flows[i] = FlowOf(data);
      lengths[i] = header.tp_len;
      PrefetchToWrite(&lines_[flows[i]]);
      at += header.tp_next_offset;
    }
    for (uint32_t i = 0; i < count; ++i) {
      Line& line = lines_[flows[i]];
      line.words[0] += 1;
      line.words[1] += lengths[i];
      line.words[2] ^= sums[i];
    }
    done += count;
  }
  return frames;
}

void Floor::Update(std::span<const uint32_t> flows) {
  for (const uint32_t flow : flows) PrefetchToWrite(&lines_[flow]);
  for (const uint32_t flow : flows) {
    lines_[flow].words[0] += 1;
    lines_[flow].words[1] += flow;
  }
}

}  // namespace weir::bench
