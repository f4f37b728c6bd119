// peer_weir SHAPE PACKETS
#include "bench/peers/peer_run.h"
#include "bench/stream_shard.h"

int main(int, char** arguments) {
  using namespace weir::bench;
  const PeerRun run = RunOf(arguments);
  StreamTraffic traffic(run.shape);
  StreamShard shard(traffic);
  RunPeer("weir", run, traffic, shard.source(), shard.delivered(),
          [&] { return shard.Step([](const weir::Event&) {}); });
  const char* fault = shard.Fault(traffic.payload_bytes());
  if (fault != nullptr) std::fprintf(stderr, "weir: %s\n", fault);
  return fault != nullptr;
}
