// Flow records and counters as EVE JSON, one object per line, with Suricata's names, so that what
// reads Suricata's eve.json reads ours:
// https://docs.suricata.io/en/latest/output/eve/eve-json-format.html What Suricata has no name for
// stands under "weir".
//
// Ownership: collects whole lines in a buffer of its own until Clear; whoever drives it takes them
// to a file. Thread: one. Allocates only until the buffer has its size.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/export/line_buffer.h"
#include "engine/export/text.h"
#include "engine/flow/record.h"
#include "engine/packet/dedup.h"
#include "engine/packet/defragmenter.h"
#include "engine/stats/ledger.h"
#include "engine/stats/split_counters.h"
#include "rings/frame_source.h"

namespace weir {

class JsonLine;

struct EveOptions {
  std::string in_iface;       // live: the interface; empty = not printed
  std::string pcap_filename;  // file: its name; empty = not printed
  uint16_t shard = 0;         // stands in the upper 16 bits of flow_id, too: unique in a run
};

// What the last line says of each of several shards.
struct EveShardStats {
  uint32_t shard = 0;
  std::string in_iface;
  std::string state;  // Name(ShardState)
  Ledger ledger;
  SourceCounters source;
};

// What the last line says.
struct EveStats {
  int64_t time_ns = 0;    // packet time
  int64_t uptime_ns = 0;  // since start, by the clock
  Ledger ledger;
  SourceCounters source;
  DedupCounters dedup;
  FragmentCounters fragments;
  std::vector<EveShardStats> shards;  // empty where there is one
  SplitCounters split;                // printed with `shards`
};

// The files that hold a flow's streams, by direction; empty = none.
using StreamFileNames = std::array<std::string, 2>;

class EveWriter {
 public:
  explicit EveWriter(const EveOptions& options);
  ~EveWriter();
  EveWriter(const EveWriter&) = delete;
  EveWriter& operator=(const EveWriter&) = delete;

  // One line, event_type "flow". Its timestamp is the flow's last packet, so it does not depend on
  // when the engine looked.
  void Append(const FlowRecord& record, const StreamFileNames& files = {});

  // One line, event_type "stats", with every counter of the ledger by name. What the kernel does
  // not tell is null.
  void AppendStats(const EveStats& stats);

  // Whole lines since the last Clear. Valid until the next Append.
  std::string_view text() const { return buffer_.view(); }
  void Clear() { buffer_.Clear(); }

 private:
  EveOptions options_;
  size_t longest_line_;
  LineBuffer buffer_;
  std::unique_ptr<JsonLine> line_;  // writes into buffer_
  TimestampFormatter timestamps_;
};

}  // namespace weir
