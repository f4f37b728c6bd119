// The streams of TCP: prints the first line of what each side said, wherever its segments were cut,
// and then wants no more of that stream.
//
//   example_read_lines [CAPTURE]
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "tools/examples/common.h"

namespace {

// What of the flow was read is remembered in the flow's own room for us: a bit for each direction.
void Read(weir::FlowTracker& flows, const weir::Event& event) {
  uint64_t* const read = flows.User(event.flow);
  const uint64_t mine = 1u << event.direction;
  if (read == nullptr || (*read & mine) != 0) return;
  const std::string_view bytes(reinterpret_cast<const char*>(event.data), event.size);
  const size_t line = bytes.find('\n');
  if (line == std::string_view::npos) {
    // The rest of the line comes with the next event, behind what is kept of this one.
    if (flows.Keep(event, static_cast<uint32_t>(event.size))) return;
  } else {
    const int printed = static_cast<int>(std::min<size_t>(line, 70));
    std::printf("%s %.*s\n", event.direction == 0 ? ">" : "<", printed, bytes.data());
  }
  *read |= mine;
  flows.StopStream(event.flow, event.direction);
}

}  // namespace

int main(int argc, char** argv) {
  weir::ShardOptions options;
  options.flow.streams.emplace();
  options.events = weir::event_mask::kStreams | weir::event_mask::kRecords;
  const auto shard = weir::examples::MakeShard(argc, argv, options);
  weir::examples::Totals totals;
  while (!shard->done()) {
    for (const weir::Event& event : shard->Poll()) {
      if (event.kind == weir::EventKind::kStreamData) Read(shard->flows(), event);
      if (event.kind == weir::EventKind::kFlowEnded) totals.Add(*event.record);
    }
    if (!shard->Wait().ok()) return 1;
  }
  return shard->status().ok() ? weir::examples::Verdict(totals, shard->ledger(), argc < 2) : 1;
}
