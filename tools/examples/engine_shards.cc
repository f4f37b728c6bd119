// Several shards, each on a thread of its own with a consumer of its own: no locks, the sums are
// made at the end. For network interfaces, EngineOptions::interfaces stands instead of `sources`.
//
//   example_engine_shards [CAPTURE...]     one shard for each file; without: two, made-up traffic
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "tools/examples/common.h"

namespace {

using weir::Event;
using weir::EventKind;
using weir::Shard;
using weir::examples::Totals;

class Count final : public weir::ShardConsumer {
 public:
  explicit Count(Totals& totals) : totals_(totals) {}

  absl::Status OnBatch(Shard&, std::span<const Event> events) override {
    for (const Event& event : events) {
      if (event.kind == EventKind::kFlowEnded) totals_.Add(*event.record);
    }
    return absl::OkStatus();
  }

 private:
  Totals& totals_;  // of this shard: nobody else touches them before Join
};

}  // namespace

int main(int argc, char** argv) {
  weir::EngineOptions options;
  options.sources = weir::examples::SourcesOfShards(argc, argv);
  std::vector<Totals> totals(options.sources.size());
  auto engine = weir::Engine::Create(std::move(options), [&](const weir::ShardPlace& place) {
    return std::make_unique<Count>(totals[static_cast<size_t>(place.shard)]);
  });
  absl::Status status = engine.status();
  if (status.ok()) status = (*engine)->Start();
  if (status.ok()) status = (*engine)->Join();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  Totals sum;
  for (const weir::ShardReport& shard : (*engine)->Reports()) {
    const Totals& own = totals[shard.shard];
    std::printf("shard %u (%s): %llu flows, %llu packets\n", shard.shard, shard.interface.c_str(),
                static_cast<unsigned long long>(own.flows),
                static_cast<unsigned long long>(own.packets));
    sum.Add(own);
  }
  return weir::examples::Verdict(sum, (*engine)->Counters().ledger, argc < 2);
}
