// The plain way: a thread of its own that polls, and sleeps when there is nothing to do.
//
//   example_poll_loop [CAPTURE]
#include "engine/shard.h"
#include "tools/examples/common.h"

int main(int argc, char** argv) {
  const auto shard = weir::examples::MakeShard(argc, argv);
  weir::examples::Totals totals;
  for (;;) {
    for (const weir::Event& event : shard->Poll()) {
      if (event.kind != weir::EventKind::kFlowEnded) continue;  // the default mask: records only
      weir::examples::Print(*event.record);
      totals.Add(*event.record);
    }
    if (shard->done()) break;
    if (!shard->Wait().ok()) return 1;
  }
  return shard->status().ok() ? weir::examples::Verdict(totals, shard->ledger(), argc < 2) : 1;
}
