// peer_weir flows|streams SHAPE PACKETS
#include "bench/peers/peer_run.h"
#include "bench/stream_shard.h"
#include "engine/flow/flow_tracker.h"

namespace weir::bench {
namespace {

int Streams(const PeerRun& run) {
  StreamTraffic traffic(static_cast<StreamShape>(run.shape));
  StreamShard shard(traffic);
  RunStreams("weir", run, traffic, shard.source(), shard.delivered(),
             [&] { return shard.Step([](const Event&) {}); });
  const char* fault = shard.Fault(traffic.payload_bytes());
  if (fault != nullptr) std::fprintf(stderr, "weir: %s\n", fault);
  return fault != nullptr;
}

uint32_t Address(const FlowKey& key) {
  const auto& at = key.source;
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

int Flows(const PeerRun& run) {
  FlowTraffic traffic(static_cast<FlowShape>(run.shape));
  auto owned = *MemorySource::Create({});
  MemorySource& source = *owned;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(owned));
  ShardOptions options;
  options.flow.max_flows = traffic.flows() + traffic.flows() / 8;
  const auto shard = *Shard::Create(options, std::move(sources));
  RunFlows(
      "weir", run, traffic, source,
      [&] {
        const uint64_t before = shard->ledger().received;
        shard->Poll();
        return shard->ledger().received - before;
      },
      [&](FlowAnswers& answers) {
        shard->flows().ForEach([&](FlowHandle flow) {
          FlowRecord record;
          if (!shard->flows().Read(flow, record)) return;
          answers.push_back({Address(record.key), record.packets[0] + record.packets[1],
                             record.bytes[0] + record.bytes[1]});
        });
      });
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int, char** arguments) {
  const auto run = weir::bench::RunOf(arguments);
  return run.flows ? weir::bench::Flows(run) : weir::bench::Streams(run);
}
