#include "tools/weir/shard_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/placement.h"
#include "tools/weir/human.h"

namespace weir {

void WrittenStreams::Add(const WrittenStreams& other) {
  if (folder.empty()) folder = other.folder;
  files += other.files;
  bytes += other.bytes;
}

std::string ShardFailure(const ShardReport& report) {
  const std::string which = absl::StrCat("shard ", report.shard, " (", report.interface, ")");
  const std::string why(report.status.message());
  if (report.state != ShardState::kFailed) return absl::StrCat(which, " goes on: ", why);
  const std::string lost = HumanCount(report.counters.source.ring_dropped.value_or(0));
  return absl::StrCat(which, " has failed: ", why, "; ", lost,
                      " packets of its share were lost so far");
}

std::string ShardTable(const ReportInput& input) {
  if (input.shards.size() < 2) return "";
  size_t width = 14;
  for (const ShardReport& shard : input.shards) {
    width = std::max(width, shard.interface.size() + 5);
  }
  std::string text = absl::StrCat("\n", Left("Shards", width), Right("cpu", 8),
                                  Right("packets", 14), Right("share", 8), Right("lost", 12),
                                  Right("flows", 12), Right("busy", 9), "  state\n");
  for (const ShardReport& shard : input.shards) {
    const auto elapsed = static_cast<double>(std::max<int64_t>(input.last.elapsed_ns, 1));
    const std::string cpus = shard.cpus.empty() ? "any" : CpuListText(shard.cpus);
    absl::StrAppend(
        &text, Left(absl::StrFormat("%4u %s", shard.shard, shard.interface), width), Right(cpus, 8),
        Right(HumanCount(shard.counters.ledger.received), 14),
        Right(HumanShare(shard.counters.ledger.received,
                         std::max<uint64_t>(1, input.last.ledger.received)),
              8),
        Right(HumanCount(shard.counters.lost()), 12),
        Right(HumanCount(shard.counters.flows.started), 12),
        Right(absl::StrFormat("%.1f %%", 100 * static_cast<double>(shard.cpu_ns) / elapsed), 9),
        "  ", std::string(Name(shard.state)), "\n");
  }
  return text;
}

std::string ShardHints(const ReportInput& input) {
  std::string text;
  SplitCounters split;
  if (input.shards.size() < 2) return text;
  for (const ShardReport& shard : input.shards) {
    if (!shard.status.ok()) absl::StrAppend(&text, "! ", ShardFailure(shard), "\n");
    split.Add(shard.split);
  }
  if (split.split > 0) {
    absl::StrAppend(&text, "! ", HumanCount(split.split), " of ", HumanCount(split.sampled),
                    " flows that were looked at came to several shards, in parts: use --fanout "
                    "ebpf, or hash, or qm with a symmetric RSS hash\n");
  }
  return text;
}

}  // namespace weir
