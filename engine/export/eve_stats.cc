#include <array>
#include <numeric>

#include "engine/export/eve_writer.h"
#include "engine/export/json_line.h"

namespace weir {
namespace {

// {"reason":count, ...}: every reason, the zeros too, so that a reader finds each name always.
template <typename Reason, size_t kCount>
void WriteReasons(JsonLine& line, std::string_view key,
                  const std::array<uint64_t, kCount>& counts) {
  line.StartObject(key);
  for (size_t i = 0; i < kCount; ++i) line.Number(Name(static_cast<Reason>(i)), counts[i]);
  line.EndObject();
}

void WriteStreams(JsonLine& line, const StreamCounters& streams) {
  line.StartObject("streams");
  line.Number("payload", streams.payload);
  line.Number("delivered", streams.delivered);
  line.Number("retransmitted", streams.retransmitted);
  WriteReasons<Refused>(line, "refused", streams.refused);
  line.Number("buffered", streams.buffered);
  WriteReasons<HoleReason>(line, "lost", streams.lost);
  WriteReasons<HoleReason>(line, "holes", streams.holes);
  line.Number("segments", streams.segments);
  line.Number("out_of_order", streams.out_of_order);
  line.Number("conflicts", streams.conflicts);
  line.Number("conflicting", streams.conflicting);
  line.Number("uncompared", streams.uncompared);
  line.EndObject();
}

void WriteLedger(JsonLine& line, const Ledger& ledger) {
  line.StartObject("ledger");
  line.Number("received", ledger.received);
  line.Number("received_bytes", ledger.received_bytes);
  line.Number("filtered", ledger.FilteredTotal());
  WriteReasons<FilterReason>(line, "filtered_reason", ledger.filtered);
  line.Number("duplicate", ledger.duplicate);
  line.Number("not_ip", ledger.not_ip);
  WriteReasons<Malformed>(line, "malformed", ledger.malformed);
  line.Number("shed", ledger.ShedTotal());
  WriteReasons<Shed>(line, "shed_reason", ledger.shed);
  line.Number("fragment_held", ledger.fragment_held);
  WriteReasons<FragmentDrop>(line, "fragment_dropped", ledger.fragment_dropped);
  line.Number("tracked", ledger.tracked);
  line.Number("tracked_bytes", ledger.tracked_bytes);
  WriteReasons<Anomaly>(line, "anomaly", ledger.anomaly);
  WriteStreams(line, ledger.streams);
  line.Number("ledger_errors", ledger.ledger_errors);
  line.EndObject();
}

// kernel_packets and kernel_drops are Suricata's names.
void WriteCapture(JsonLine& line, const SourceCounters& source) {
  line.StartObject("capture");
  line.Number("kernel_packets", source.received);
  line.Number("kernel_drops", source.ring_dropped);
  line.Number("ring_freezes", source.ring_freezes);
  line.Number("kernel_filtered", source.KernelFilteredTotal());
  if (source.kernel_filtered) {
    WriteReasons<FilterReason>(line, "kernel_filtered_reason", *source.kernel_filtered);
  }
  line.Number("left_to_host", source.left_to_host);
  line.Number("nic_missed", source.nic_missed);
  line.EndObject();
}

void WriteDedup(JsonLine& line, const DedupCounters& dedup) {
  line.StartObject("dedup");
  line.Number("seen", dedup.seen);
  line.Number("duplicates", dedup.duplicates);
  line.Number("depth_exceeded", dedup.depth_exceeded);
  line.Number("covered_window_ns", static_cast<uint64_t>(dedup.covered_window_ns));
  line.Number("least_covered_window_ns", static_cast<uint64_t>(dedup.least_covered_window_ns));
  line.EndObject();
}

// Beside the ledger, which tells what became of each fragment.
void WriteDefrag(JsonLine& line, const FragmentCounters& fragments) {
  line.StartObject("defrag");
  line.Number("reassembled", fragments.completed);
  line.Number("overlaps", fragments.overlaps);
  line.Number("conflicts", fragments.conflicts);
  line.EndObject();
}

void WriteSplit(JsonLine& line, const SplitCounters& split) {
  line.StartObject("split_check");
  line.Number("sampled", split.sampled);
  line.Number("split", split.split);
  line.EndObject();
}

// "shards":[{"shard":0,"in_iface":"eth0","state":"done","capture":{...},"ledger":{...}},...]
void WriteShards(JsonLine& line, const std::vector<EveShardStats>& shards) {
  line.StartArray("shards");
  for (const EveShardStats& shard : shards) {
    line.StartObject();
    line.Number("shard", uint64_t{shard.shard});
    line.Text("in_iface", shard.in_iface);
    line.Text("state", shard.state);
    WriteCapture(line, shard.source);
    WriteLedger(line, shard.ledger);
    line.EndObject();
  }
  line.EndArray();
}

}  // namespace

void EveWriter::AppendStats(const EveStats& stats) {
  buffer_.Reserve(longest_line_ * (1 + stats.shards.size()));
  JsonLine& line = *line_;
  line.Begin();
  line.Text("timestamp", timestamps_.Format(stats.time_ns).view());
  if (!options_.in_iface.empty()) line.Text("in_iface", options_.in_iface);
  if (!options_.pcap_filename.empty()) line.Text("pcap_filename", options_.pcap_filename);
  line.Text("event_type", "stats");
  line.StartObject("stats");
  line.Number("uptime", static_cast<uint64_t>(stats.uptime_ns / 1'000'000'000));
  WriteCapture(line, stats.source);
  WriteLedger(line, stats.ledger);
  WriteDedup(line, stats.dedup);
  WriteDefrag(line, stats.fragments);
  if (!stats.shards.empty()) {
    WriteSplit(line, stats.split);
    WriteShards(line, stats.shards);
  }
  line.EndObject();
  line.End();
}

}  // namespace weir
