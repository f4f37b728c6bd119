// Any frames through a whole shard: each is counted once, every flow's packets are the ledger's,
// and each stream's bytes and holes follow one another.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/memory_source.h"

namespace {

constexpr uint16_t kLinkTypes[] = {1, 1, 1, 0, 9, 101, 104, 105, 107, 113, 127, 192, 276};
constexpr int64_t kSecond = 1'000'000'000;

weir::ShardOptions OptionsOf(uint8_t bits, uint8_t policy) {
  weir::ShardOptions options;
  options.events = weir::event_mask::kRecords | weir::event_mask::kPackets;
  options.flow.max_flows = (bits & 1) != 0 ? 2 : 64;
  options.flow.bidirectional = (bits & 2) == 0;
  options.flow.max_tunnels = (bits & 4) != 0 ? 1 : 16;
  options.flow.timeouts.active = (bits & 8) != 0 ? kSecond : 0;
  options.decoder.decapsulate = (bits & 16) == 0;
  if ((bits & 32) != 0) options.dedup.mode = weir::DedupMode::kContent;
  if ((bits & 64) != 0) options.flow.key = weir::KeyKind::kMacPair;
  options.decoder.mac_addresses = (bits & 64) != 0;
  options.defragment = {
      .max_datagrams = 4,
      .max_bytes = 8192,
      .overlap = static_cast<weir::OverlapPolicy>(policy % weir::kOverlapPolicies)};
  options.dedup.depth = 16;
  options.flow.seed = 1;
  return options;
}

// Nothing to do with the bits above: streams, small enough for every limit to be met.
void ChooseStreams(uint8_t bits, weir::ShardOptions& options) {
  if ((bits & 0x80) != 0) return;
  weir::StreamOptions& streams = options.flow.streams.emplace();
  streams.overlap = static_cast<weir::OverlapPolicy>((bits & 0x0f) % weir::kOverlapPolicies);
  streams.memory_bytes = 256 << 10;
  streams.stream_bytes = (bits & 0x10) != 0 ? 4096 : 0;
  streams.stream_pieces = (bits & 0x10) != 0 ? 8 : 0;
  streams.history_bytes = (bits & 0x20) != 0 ? 4096 : 0;
  streams.max_connections = (bits & 0x40) != 0 ? 1 : 0;
  options.events |= weir::event_mask::kStreams | weir::event_mask::kSegments;
}

// The next offset of each stream, by flow and direction.
class Continuity {
 public:
  void Check(const weir::Event& event) {
    using weir::EventKind;
    const Key key = {event.flow.slot, event.flow.generation, event.direction};
    if (event.kind == EventKind::kStreamData) {
      uint64_t sum = 0;  // all of it can be read
      for (uint64_t i = 0; i < event.size; ++i) sum += event.data[i];
      sum_ = sum;
    }
    if (event.kind == EventKind::kStreamData || event.kind == EventKind::kStreamHole) {
      if (event.offset != next_[key]) std::abort();
      next_[key] += event.size;
    } else if (event.kind == EventKind::kStreamEnd) {
      if (event.offset != next_[key]) std::abort();
    }
  }

 private:
  using Key = std::tuple<uint32_t, uint32_t, int>;
  std::map<Key, uint64_t> next_;
  volatile uint64_t sum_ = 0;  // so that the reading is not left out
};

// Pieces, each behind its length, how much of it was captured, and the time since the last one.
std::vector<weir::Frame> FramesOf(const uint8_t* data, size_t size, uint16_t link_type) {
  std::vector<weir::Frame> frames;
  int64_t now_ns = kSecond;
  while (size >= 4) {
    const uint32_t length = std::min<uint32_t>(size - 4, data[0] << 8 | data[1]);
    now_ns += data[3] * (kSecond / 4);
    weir::Frame& frame = frames.emplace_back();
    frame.data = data + 4;
    frame.timestamp_ns = now_ns;
    frame.wire_length = length;
    frame.captured_length = data[2] < 128 ? length : std::min<uint32_t>(length, data[2] - 128);
    frame.link_type = link_type;
    data += 4 + length;
    size -= 4 + length;
  }
  return frames;
}

}  // namespace

// The first byte chooses the options, the second one the link type and the overlap policy of
// fragments, the third one the options of streams.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 7) return 0;
  const uint16_t link_type = kLinkTypes[data[1] % std::size(kLinkTypes)];
  auto source = weir::MemorySource::FromFrames(FramesOf(data + 3, size - 3, link_type));
  if (!source.ok()) return 0;
  std::vector<std::unique_ptr<weir::FrameSource>> sources;
  sources.push_back(*std::move(source));
  weir::ShardOptions options = OptionsOf(data[0], data[1] / std::size(kLinkTypes));
  ChooseStreams(data[2], options);
  auto shard = weir::Shard::Create(options, std::move(sources));
  if (!shard.ok()) std::abort();
  uint64_t packets = 0;
  Continuity continuity;
  while (!(*shard)->done()) {
    for (const weir::Event& event : (*shard)->Poll()) {
      if (event.kind == weir::EventKind::kFlowEnded) {
        packets += event.record->packets[0] + event.record->packets[1];
      }
      continuity.Check(event);
    }
  }
  const weir::Ledger& ledger = (*shard)->ledger();
  if (ledger.ledger_errors != 0 || packets != ledger.tracked) std::abort();
  return 0;
}
