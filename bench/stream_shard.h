// A shard that reassembles streams from a memory source, and counts what it tells.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bench/stream_traffic.h"
#include "engine/shard.h"

namespace weir::bench {

class StreamShard {
 public:
  // For `traffic`; its table has room for the flows that are open and those that linger closed.
  explicit StreamShard(const StreamTraffic& traffic) {
    auto source = *MemorySource::Create({});
    source_ = source.get();
    std::vector<std::unique_ptr<FrameSource>> sources;
    sources.push_back(std::move(source));
    ShardOptions options;
    options.flow.max_flows = 3 * traffic.flows();
    options.flow.streams.emplace();
    options.events = event_mask::kStreams;
    shard_ = *Shard::Create(options, std::move(sources));
  }

  // One batch: how many frames there were. Each event with stream data goes to `consume`.
  template <typename Consumer>
  uint64_t Step(Consumer consume) {
    const uint64_t before = shard_->ledger().received;
    for (const Event& event : shard_->Poll()) {
      if (event.kind != EventKind::kStreamData) continue;
      delivered_ += event.size;
      consume(event);
    }
    return shard_->ledger().received - before;
  }

  // Null: of `sent` bytes every one was delivered, or waits for one that was displaced.
  const char* Fault(uint64_t sent) const {
    const Ledger& ledger = shard_->ledger();
    if (ledger.anomaly[static_cast<size_t>(Anomaly::kTransportChecksum)] != 0)
      return "checksums were found wrong";
    if (ledger.streams.payload != sent) return "not all payload was seen";
    if (ledger.streams.delivered != delivered_) return "not all that was delivered was told";
    if (delivered_ + ledger.streams.buffered != sent) return "not all payload was delivered";
    return nullptr;
  }

  MemorySource& source() { return *source_; }
  const uint64_t& delivered() const { return delivered_; }

 private:
  MemorySource* source_;
  std::unique_ptr<Shard> shard_;
  uint64_t delivered_ = 0;
};

}  // namespace weir::bench
