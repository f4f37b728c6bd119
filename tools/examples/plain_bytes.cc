// Without a shard: bytes in hand, decoded, freed of duplicates and tracked by the three classes
// that do it. For programs that have frames already and a loop of their own.
//
//   example_plain_bytes [CAPTURE]
#include <array>
#include <cstdio>

#include "engine/flow/event_buffer.h"
#include "engine/flow/flow_tracker.h"
#include "engine/packet/decoder.h"
#include "engine/packet/dedup.h"
#include "tools/examples/common.h"

namespace weir {
namespace {

class Pipeline {
 public:
  explicit Pipeline(std::unique_ptr<FlowTracker> tracker) : tracker_(std::move(tracker)) {}

  // At most kBatchFrames frames; their bytes must last until this returns.
  void Push(std::span<const Frame> frames) {
    const std::span<Packet> packets(packets_.data(), frames.size());
    decoder_.DecodeBatch(frames, packets, {paths_.data(), frames.size()});
    dedup_.Apply(frames, packets);
    for (const Packet& packet : packets) Account(packet);
    tracker_->Track(frames, packets, events_);
    Drain();
  }

  // Ends what is left.
  void Finish() {
    bool more = true;
    while (more) {
      more = tracker_->Flush(events_);
      Drain();
    }
  }

  const examples::Totals& totals() const { return totals_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  void Account(const Packet& packet) {
    ++ledger_.received;
    switch (packet.verdict) {
      case Verdict::kTracked:
        ++ledger_.tracked;
        ledger_.tracked_bytes += packet.wire_length;
        break;
      case Verdict::kDuplicate:
        ++ledger_.duplicate;
        break;
      case Verdict::kMalformed:
        ++ledger_.malformed[packet.reason];
        break;
      case Verdict::kFragmentHeld:  // a Defragmenter would take these; here they stay
        ++ledger_.fragment_held;
        break;
      default:
        ++ledger_.not_ip;
    }
  }

  void Drain() {
    for (const Event& event : events_.events()) {
      if (event.kind != EventKind::kFlowEnded) continue;
      examples::Print(*event.record);
      totals_.Add(*event.record);
    }
    events_.Clear();
  }

  Decoder decoder_;
  Dedup dedup_{DedupOptions{.mode = DedupMode::kContent}};
  std::unique_ptr<FlowTracker> tracker_;
  EventBuffer events_{event_mask::kRecords};
  std::array<Packet, kBatchFrames> packets_{};
  std::array<TunnelPath, kBatchFrames> paths_{};
  examples::Totals totals_;
  Ledger ledger_;
};

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  auto tracker = weir::FlowTracker::Create(weir::FlowOptions{.max_flows = 10'000});
  if (!tracker.ok()) {
    std::fprintf(stderr, "%s\n", tracker.status().ToString().c_str());
    return 1;
  }
  weir::Pipeline pipeline(*std::move(tracker));
  const auto sources = weir::examples::Sources(argc, argv);
  weir::FrameSource& source = *sources.front();
  std::array<weir::Frame, weir::kBatchFrames> frames;
  while (!source.ended()) {
    const int count = source.Receive(frames);
    pipeline.Push({frames.data(), static_cast<size_t>(count)});
    source.Release();
  }
  pipeline.Finish();
  return weir::examples::Verdict(pipeline.totals(), pipeline.ledger(), argc < 2);
}
