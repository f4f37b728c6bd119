#include "engine/export/metric_rows.h"

#include <array>
#include <optional>

namespace weir {
namespace {

using Values = std::vector<MetricValue>;

Values One(double value) { return {{{}, value}}; }
Values One(uint64_t value) { return One(static_cast<double>(value)); }
Values Known(const std::optional<uint64_t>& value) { return value ? One(*value) : Values(); }
Values Seconds(int64_t value_ns) { return One(static_cast<double>(value_ns) / 1e9); }
Values PositiveSeconds(int64_t value_ns) { return value_ns > 0 ? Seconds(value_ns) : Values(); }

template <typename Reason, size_t kCount>
Values Each(const std::array<uint64_t, kCount>& counts) {
  Values values;
  for (size_t i = 0; i < kCount; ++i) {
    values.push_back({Name(static_cast<Reason>(i)), static_cast<double>(counts[i])});
  }
  return values;
}

// The reasons for which flows really end.
Values Ends(const FlowCounters& flows) {
  Values values;
  for (const FlowEnd end :
       {FlowEnd::kFin, FlowEnd::kRst, FlowEnd::kIdle, FlowEnd::kEvicted, FlowEnd::kEnd}) {
    values.push_back({Name(end), static_cast<double>(flows.ended[static_cast<size_t>(end)])});
  }
  return values;
}

Values KernelFiltered(const SourceCounters& source) {
  return source.kernel_filtered ? Each<FilterReason>(*source.kernel_filtered) : Values();
}

using View = const ShardMetrics&;
const ShardCounters& CountersOf(View view) { return view.counters; }
const SourceCounters& SourceOf(View view) { return CountersOf(view).source; }
const Ledger& LedgerOf(View view) { return CountersOf(view).ledger; }
const StreamCounters& StreamsOf(View view) { return LedgerOf(view).streams; }
const FlowCounters& FlowsOf(View view) { return CountersOf(view).flows; }
const FragmentCounters& FragmentsOf(View view) { return CountersOf(view).fragments; }
const DedupCounters& DedupOf(View view) { return CountersOf(view).dedup; }

// Of sources that have a ring.
Values RingBlocks(View view, uint32_t blocks) {
  return CountersOf(view).ring.units > 0 ? One(uint64_t{blocks}) : Values();
}

constexpr MetricRow kRows[] = {
    // What was lost, and what must never happen.
    {"weir_ring_dropped_frames_total", "Frames that the kernel had and the ring had no room for",
     "", [](View view) { return Known(SourceOf(view).ring_dropped); }},
    {"weir_nic_missed_frames_total", "Frames that the device had no buffer for", "",
     [](View view) { return Known(SourceOf(view).nic_missed); }},
    {"weir_shed_frames_total", "Frames refused although they could have been tracked", "reason",
     [](View view) { return Each<Shed>(LedgerOf(view).shed); }},
    {"weir_ledger_errors_total", "Times that the ledger did not add up: a bug of weir", "",
     [](View view) { return One(LedgerOf(view).ledger_errors); }},
    {"weir_ring_freezes_total", "Times that the kernel found the ring full", "",
     [](View view) { return Known(SourceOf(view).ring_freezes); }},
    {"weir_ring_blocks", "Blocks of the ring that is shared with the kernel", "",
     [](View view) { return RingBlocks(view, CountersOf(view).ring.units); }},
    {"weir_ring_blocks_waiting", "Blocks of the ring that hold frames and were not given back yet",
     "", [](View view) { return RingBlocks(view, CountersOf(view).ring.used); }},
    {"weir_ring_broken_blocks_total", "Blocks of the ring whose frame chain pointed outside", "",
     [](View view) { return One(SourceOf(view).broken_blocks); }},
    {"weir_kernel_filtered_frames_total", "Frames rejected by a filter in the kernel", "reason",
     [](View view) { return KernelFiltered(SourceOf(view)); }},
    {"weir_left_to_host_frames_total", "Frames that our XDP program passed up to the host", "",
     [](View view) { return One(SourceOf(view).left_to_host); }},
    // The ledger: received is the sum of what follows up to tracked.
    {"weir_received_frames_total", "Frames received", "",
     [](View view) { return One(LedgerOf(view).received); }},
    {"weir_received_bytes_total", "Bytes of the frames received, as on the wire", "",
     [](View view) { return One(LedgerOf(view).received_bytes); }},
    {"weir_filtered_frames_total", "Frames that the filter did not select", "reason",
     [](View view) { return Each<FilterReason>(LedgerOf(view).filtered); }},
    {"weir_duplicate_frames_total", "Second copies of a frame", "",
     [](View view) { return One(LedgerOf(view).duplicate); }},
    {"weir_not_ip_frames_total", "Frames that carry no IP", "",
     [](View view) { return One(LedgerOf(view).not_ip); }},
    {"weir_malformed_frames_total", "Frames that no flow key could be read from", "reason",
     [](View view) { return Each<Malformed>(LedgerOf(view).malformed); }},
    {"weir_fragment_held_frames", "Fragments of datagrams that are not complete yet", "",
     [](View view) { return One(LedgerOf(view).fragment_held); }},
    {"weir_fragment_dropped_frames_total", "Fragments of datagrams that were given up", "reason",
     [](View view) { return Each<FragmentDrop>(LedgerOf(view).fragment_dropped); }},
    {"weir_tracked_frames_total", "Frames counted in a flow", "",
     [](View view) { return One(LedgerOf(view).tracked); }},
    {"weir_tracked_bytes_total", "Bytes of the frames counted in a flow, as on the wire", "",
     [](View view) { return One(LedgerOf(view).tracked_bytes); }},
    {"weir_anomalies_total", "Faults behind the ports of frames that were tracked all the same",
     "reason", [](View view) { return Each<Anomaly>(LedgerOf(view).anomaly); }},
    // Flows.
    {"weir_flows_alive", "Flows in the table", "",
     [](View view) { return One(uint64_t{CountersOf(view).flows_alive}); }},
    {"weir_flows_capacity", "Flows that the table has room for", "",
     [](View view) { return One(uint64_t{CountersOf(view).flow_capacity}); }},
    {"weir_flows_started_total", "Flows started", "",
     [](View view) { return One(FlowsOf(view).started); }},
    {"weir_flows_established_total",
     "Flows whose both sides were heard, TCP: whose handshake was done", "",
     [](View view) { return One(FlowsOf(view).established); }},
    {"weir_flows_ended_total", "Flows ended; evicted: the table was full", "reason",
     [](View view) { return Ends(FlowsOf(view)); }},
    {"weir_flows_evicted_total", "Flows ended because the table was full, by what they were",
     "reason", [](View view) { return Each<Evicted>(FlowsOf(view).evicted); }},
    {"weir_flow_interim_records_total", "Records of long flows that go on", "",
     [](View view) { return One(FlowsOf(view).ended[static_cast<size_t>(FlowEnd::kActive)]); }},
    {"weir_flows_ended_frames_total", "Frames of the flows that ended", "",
     [](View view) { return One(FlowsOf(view).ended_packets); }},
    {"weir_flows_ended_bytes_total", "Bytes of the flows that ended", "",
     [](View view) { return One(FlowsOf(view).ended_bytes); }},
    {"weir_tcp_resets_ignored_total", "Resets outside of any window (RFC 5961)", "",
     [](View view) { return One(FlowsOf(view).resets_ignored); }},
    {"weir_tcp_resets_doubted_total",
     "Resets near, but not at, the expected sequence number (RFC 5961)", "",
     [](View view) { return One(FlowsOf(view).resets_doubted); }},
    {"weir_tcp_ports_reused_total", "Flows ended by the SYN of a new connection", "",
     [](View view) { return One(FlowsOf(view).ports_reused); }},
    {"weir_tunnels_in_use", "Tunnel identities that need an entry of their own", "",
     [](View view) { return One(uint64_t{CountersOf(view).tunnels_in_use}); }},
    // Streams: payload is the sum of delivered, retransmitted, refused and buffered.
    {"weir_stream_payload_bytes_total", "TCP payload seen where streams are put together", "",
     [](View view) { return One(StreamsOf(view).payload); }},
    {"weir_stream_delivered_bytes_total", "TCP payload delivered in order", "",
     [](View view) { return One(StreamsOf(view).delivered); }},
    {"weir_stream_retransmitted_bytes_total", "TCP payload that was repeated", "",
     [](View view) { return One(StreamsOf(view).retransmitted); }},
    {"weir_stream_refused_bytes_total", "TCP payload neither delivered nor a repetition", "reason",
     [](View view) { return Each<Refused>(StreamsOf(view).refused); }},
    {"weir_stream_buffered_bytes", "TCP payload that waits for what is missing before it", "",
     [](View view) { return One(StreamsOf(view).buffered); }},
    {"weir_stream_lost_bytes_total", "Bytes missing in streams, announced as holes", "reason",
     [](View view) { return Each<HoleReason>(StreamsOf(view).lost); }},
    {"weir_stream_holes_total", "Holes in streams", "reason",
     [](View view) { return Each<HoleReason>(StreamsOf(view).holes); }},
    {"weir_stream_segments_total", "TCP segments with payload", "",
     [](View view) { return One(StreamsOf(view).segments); }},
    {"weir_stream_out_of_order_segments_total", "TCP segments that came early", "",
     [](View view) { return One(StreamsOf(view).out_of_order); }},
    {"weir_stream_conflicts_total", "Overlaps of segments that contradicted each other", "",
     [](View view) { return One(StreamsOf(view).conflicts); }},
    {"weir_stream_conflicting_bytes_total", "Bytes that contradicted what was there", "",
     [](View view) { return One(StreamsOf(view).conflicting); }},
    {"weir_stream_uncompared_bytes_total", "Bytes repeated after they had left the history", "",
     [](View view) { return One(StreamsOf(view).uncompared); }},
    {"weir_stream_memory_bytes", "Memory of the reassembly in use", "",
     [](View view) { return One(StreamsOf(view).memory_bytes); }},
    {"weir_stream_memory_limit_bytes",
     "Memory that the reassembly has; 0: streams are not put together", "",
     [](View view) { return One(CountersOf(view).stream_memory_limit_bytes); }},
    // Fragments and second copies.
    {"weir_datagrams_reassembled_total", "Datagrams put together from fragments", "",
     [](View view) { return One(FragmentsOf(view).completed); }},
    {"weir_fragment_overlaps_total", "Fragments that covered a place that was filled", "",
     [](View view) { return One(FragmentsOf(view).overlaps); }},
    {"weir_fragment_conflicts_total",
     "Fragments that brought other bytes for a place that was filled", "",
     [](View view) { return One(FragmentsOf(view).conflicts); }},
    {"weir_dedup_seen_frames_total", "Frames that were compared with those before them", "",
     [](View view) { return One(DedupOf(view).seen); }},
    {"weir_dedup_depth_exceeded_total",
     "Frames at which the depth covered less time than the window", "",
     [](View view) { return One(DedupOf(view).depth_exceeded); }},
    {"weir_dedup_covered_window_seconds", "Time that the depth of the dedup covers now", "",
     [](View view) { return PositiveSeconds(DedupOf(view).covered_window_ns); }},
    {"weir_dedup_least_covered_window_seconds",
     "Least time that the depth of the dedup has covered", "",
     [](View view) { return PositiveSeconds(DedupOf(view).least_covered_window_ns); }},
    // The shard itself.
    {"weir_backend_info", "1; the label says how the interface is received, and where filters run",
     "backend",
     [](View view) {
       return view.backend.empty() ? Values() : Values{{view.backend, 1}};
     }},
    {"weir_shard_heartbeat_timestamp_seconds",
     "When the shard was last heard of; what else it says is of then", "",
     [](View view) { return PositiveSeconds(view.shown_ns); }},
    {"weir_shard_packet_timestamp_seconds", "Time of the shard as its packets tell it", "",
     [](View view) { return PositiveSeconds(CountersOf(view).time_ns); }},
    {"weir_shard_cpu_seconds_total", "Processor time that the shard has used", "",
     [](View view) { return Seconds(view.cpu_ns); }},
    {"weir_split_check_flows_total",
     "Flows looked at by sample for parts that came to another shard", "",
     [](View view) { return One(view.split.sampled); }},
    {"weir_split_flows_total", "Flows of that sample that were cut: parts came to another shard",
     "", [](View view) { return One(view.split.split); }},
    {"weir_snapshot_lag_seconds",
     "Time that the last snapshot took from the shard to the totals, or that the merger has been "
     "at work",
     "",
     [](View view) { return view.snapshot_lag_ns ? Seconds(*view.snapshot_lag_ns) : Values(); }},
    {"weir_snapshot_joined_intervals_total",
     "Intervals counted together with the one before: the merger was slow", "",
     [](View view) { return One(CountersOf(view).joined_intervals); }},
};

}  // namespace

std::span<const MetricRow> MetricRows() { return kRows; }

}  // namespace weir
