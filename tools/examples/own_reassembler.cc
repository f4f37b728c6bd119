// Another reassembler in place of ours: the shard decodes, tracks and hands out raw segments, in
// the order of the wire, with their flow, direction and sequence number.
//
//   example_own_reassembler [CAPTURE]
//
// This one is plain: the first copy of a byte stays, and nothing is delivered behind a hole.
#include <cstdio>
#include <map>
#include <utility>

#include "engine/shard.h"
#include "tools/examples/common.h"

namespace {

// A map of bytes by their place in the stream: slow, and plainly right.
class Stream {
 public:
  void Take(const weir::Packet& packet) {
    const uint32_t sequence = packet.tcp_seq + ((packet.tcp_flags & weir::tcp_flag::kSyn) != 0);
    if (!begun_) first_ = sequence;
    begun_ = true;
    const auto ahead = static_cast<int32_t>(sequence - (first_ + static_cast<uint32_t>(next_)));
    const int64_t place = next_ + ahead;
    for (uint32_t i = 0; i < packet.payload_length; ++i) {
      if (place + i >= next_) early_.try_emplace(place + i, packet.payload[i]);
    }
    for (; !early_.empty() && early_.begin()->first == next_; ++next_) early_.erase(early_.begin());
  }
  int64_t in_order() const { return next_; }

 private:
  std::map<int64_t, uint8_t> early_;
  uint32_t first_ = 0;  // sequence number of place 0
  int64_t next_ = 0;
  bool begun_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  weir::ShardOptions options;
  options.events = weir::event_mask::kSegments | weir::event_mask::kRecords;
  const auto shard = weir::examples::MakeShard(argc, argv, options);
  std::map<std::pair<uint32_t, int>, Stream> streams;  // by slot and direction
  weir::examples::Totals totals;
  while (!shard->done()) {
    for (const weir::Event& event : shard->Poll()) {
      if (event.kind == weir::EventKind::kSegment)
        streams[{event.flow.slot, event.direction}].Take(*event.packet);
      if (event.kind != weir::EventKind::kFlowEnded) continue;
      totals.Add(*event.record);
      for (const int direction : {0, 1}) {
        const auto stream = streams.find({event.flow.slot, direction});
        if (stream == streams.end()) continue;
        std::printf("%s %s: %lld bytes in order\n", weir::examples::Ends(event.record->key).c_str(),
                    direction == 0 ? "to the server" : "to the client",
                    static_cast<long long>(stream->second.in_order()));
        streams.erase(stream);
      }
    }
    if (!shard->Wait().ok()) return 1;
  }
  return shard->status().ok() ? weir::examples::Verdict(totals, shard->ledger(), argc < 2) : 1;
}
