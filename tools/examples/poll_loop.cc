// The plain way: a thread of its own that polls, and sleeps when there is nothing to do.
//
//   example_poll_loop [CAPTURE]
#include "engine/shard.h"
#include "tools/examples/common.h"

int main(int argc, char** argv) {
  using namespace weir;
  const auto shard = examples::MakeShard(argc, argv);
  examples::Totals totals;
  for (;;) {
    for (const Event& event : shard->Poll()) {
      if (event.kind != EventKind::kFlowEnded) continue;  // the default mask: records only
      examples::Print(*event.record);
      totals.Add(*event.record);
    }
    if (shard->done()) break;
    if (!shard->Wait().ok()) return 1;
  }
  return shard->status().ok() ? examples::Verdict(totals, shard->ledger(), argc < 2) : 1;
}
