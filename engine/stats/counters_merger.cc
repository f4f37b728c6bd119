#include "engine/stats/counters_merger.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace weir {
namespace {

constexpr size_t kMostOpen = 4;  // reports that wait for a shard
constexpr size_t kAtOnce = 16;   // rows that are asked for before they are added to

size_t AddressBytes(AddressFamily family) {
  return family == AddressFamily::kIpv4 ? 4 : family == AddressFamily::kIpv6 ? 16 : 6;
}

std::array<uint8_t, 16> AddressOf(const IntervalDeltas& deltas, uint32_t place, size_t side) {
  const FlowDelta& delta = deltas.flows()[place];
  std::array<uint8_t, 16> address{};
  const FlowAddresses& wide = deltas.addresses(place);
  const void* from = side == 0 ? wide.a : wide.b;
  if (delta.family == AddressFamily::kIpv4) from = side == 0 ? &delta.key.a : &delta.key.b;
  std::memcpy(address.data(), from, AddressBytes(delta.family));
  return address;
}

// As the sender `side` sees it.
TrafficCounts CountsFrom(const FlowDelta& delta, size_t side) {
  TrafficCounts counts;
  counts.packets = {delta.packets[side], delta.packets[1 - side]};
  counts.bytes = {delta.bytes[side], delta.bytes[1 - side]};
  return counts;
}

FlowRow FlowRowOf(const IntervalDeltas& deltas, uint32_t place) {
  const FlowDelta& delta = deltas.flows()[place];
  const size_t from = delta.initiator;
  const std::array<uint16_t, 2> ports = {delta.key.port_a, delta.key.port_b};
  FlowRow row;
  row.key.source = AddressOf(deltas, place, from);
  row.key.destination = AddressOf(deltas, place, 1 - from);
  row.key.source_port = ports[from];
  row.key.destination_port = ports[1 - from];
  row.key.protocol = delta.protocol;
  row.key.family = delta.family;
  if (delta.key.tunnel != 0) {
    const TunnelPath& path = deltas.tunnel(place);
    row.tunnel.assign(reinterpret_cast<const char*>(path.bytes), path.length);
  }
  return row;
}

// Adds rows some at a time: their lines are asked for together.
template <typename Row>
class Batch {
 public:
  explicit Batch(TrafficTable<Row>& table) : table_(table) {}
  ~Batch() { Flush(); }
  void Add(Row row, const TrafficCounts& counts) {
    table_.Prefetch(row);
    rows_[size_] = {std::move(row), counts};
    if (++size_ == kAtOnce) Flush();
  }

 private:
  void Flush() {
    for (size_t i = 0; i < size_; ++i) table_.Add(rows_[i].first, rows_[i].second);
    size_ = 0;
  }

  TrafficTable<Row>& table_;
  std::array<std::pair<Row, TrafficCounts>, kAtOnce> rows_;
  size_t size_ = 0;
};

void AddAddresses(const IntervalDeltas& deltas, AddressTable& table) {
  Batch<AddressRow> batch(table);
  for (uint32_t place = 0; place < deltas.flows().size(); ++place) {
    const FlowDelta& delta = deltas.flows()[place];
    for (const size_t side : {0, 1}) {
      batch.Add({delta.family, AddressOf(deltas, place, side)}, CountsFrom(delta, side));
    }
  }
  for (const AddressDelta& delta : deltas.address_places()) {
    if (delta.family != AddressFamily::kNone)
      batch.Add({delta.family, delta.address}, delta.counts);
  }
}

void AddFlows(const IntervalDeltas& deltas, FlowRowTable& table) {
  Batch<FlowRow> batch(table);
  for (uint32_t place = 0; place < deltas.flows().size(); ++place) {
    const FlowDelta& delta = deltas.flows()[place];
    batch.Add(FlowRowOf(deltas, place), CountsFrom(delta, delta.initiator));
  }
}

bool Overlap(const CountersReport& report, const Snapshot& snapshot) {
  return report.first_epoch <= snapshot.last_epoch && snapshot.first_epoch <= report.last_epoch;
}

// Two reports that turn out to be about the same time.
void Join(CountersReport& to, const CountersReport& from) {
  to.first_epoch = std::min(to.first_epoch, from.first_epoch);
  to.last_epoch = std::max(to.last_epoch, from.last_epoch);
  to.start_ns = std::min(to.start_ns, from.start_ns);
  to.end_ns = std::max(to.end_ns, from.end_ns);
  to.complete = false;
  to.addresses.Add(from.addresses);
  to.flows.Add(from.flows);
  to.tracked_packets += from.tracked_packets;
  to.tracked_bytes += from.tracked_bytes;
  for (size_t i = 0; i < to.shards.size(); ++i) {
    if (from.shards[i].shards != 0) to.shards[i] = from.shards[i];  // `from` is the later one
  }
}

}  // namespace

bool CountersReport::Balanced() const {
  if (by == CountBy::kFlow) {
    const TrafficCounts sum = flows.Sum();
    return sum.packets[0] + sum.packets[1] == tracked_packets &&
           sum.bytes[0] + sum.bytes[1] == tracked_bytes;
  }
  TrafficCounts each;  // every packet was sent once and received once
  each.packets = {tracked_packets, tracked_packets};
  each.bytes = {tracked_bytes, tracked_bytes};
  return addresses.Sum() == each;
}

CountersMerger::CountersMerger(const MergerOptions& options)
    : options_(options),
      progress_(options.shards),
      address_totals_(options.total_rows),
      flow_totals_(options.total_rows) {}

// The open report that the snapshot belongs to, in place and ready to be added to.
CountersReport& CountersMerger::ReportOf(const Snapshot& snapshot) {
  auto at = std::find_if(open_.begin(), open_.end(), [&](const auto& report) {
    return report->last_epoch >= snapshot.first_epoch;
  });
  if (at == open_.end() || !Overlap(**at, snapshot)) {
    at = open_.insert(at, std::make_unique<CountersReport>(options_));
    CountersReport& fresh = **at;
    fresh.first_epoch = snapshot.first_epoch;
    fresh.last_epoch = snapshot.last_epoch;
    fresh.start_ns = snapshot.start_ns;
    fresh.end_ns = snapshot.end_ns;
    return fresh;
  }
  CountersReport& report = **at;
  while (at + 1 != open_.end() && Overlap(**(at + 1), snapshot)) {
    Join(report, **(at + 1));
    at = open_.erase(at + 1) - 1;
  }
  if (report.first_epoch != snapshot.first_epoch || report.last_epoch != snapshot.last_epoch) {
    report.complete = false;
  }
  report.first_epoch = std::min(report.first_epoch, snapshot.first_epoch);
  report.last_epoch = std::max(report.last_epoch, snapshot.last_epoch);
  report.start_ns = std::min(report.start_ns, snapshot.start_ns);
  report.end_ns = std::max(report.end_ns, snapshot.end_ns);
  return report;
}

void CountersMerger::Add(const Snapshot& snapshot) {
  CountersReport& report = ReportOf(snapshot);
  if (options_.by == CountBy::kIp) {
    AddAddresses(*snapshot.deltas, report.addresses);
    report.addresses.AddOther(snapshot.deltas->other());
  } else {
    AddFlows(*snapshot.deltas, report.flows);
    report.flows.AddOther(snapshot.deltas->other());
  }
  report.complete &= snapshot.complete;
  report.tracked_packets += snapshot.tracked_packets;
  report.tracked_bytes += snapshot.tracked_bytes;
  report.shards[snapshot.shard] = snapshot.counters;
  Progress& progress = progress_[snapshot.shard];
  progress.last_epoch =
      progress.heard ? std::max(progress.last_epoch, snapshot.last_epoch) : snapshot.last_epoch;
  progress.heard = true;
  progress.ended |= snapshot.last;
}

bool CountersMerger::Finished(const CountersReport& report) const {
  return std::all_of(progress_.begin(), progress_.end(), [&](const Progress& progress) {
    return progress.ended || (progress.heard && progress.last_epoch >= report.last_epoch);
  });
}

void CountersMerger::EndShards() {
  for (Progress& progress : progress_) progress.ended = true;
}

std::unique_ptr<CountersReport> CountersMerger::Take() {
  if (open_.empty() || (open_.size() <= kMostOpen && !Finished(*open_.front()))) return nullptr;
  std::unique_ptr<CountersReport> report = std::move(open_.front());
  open_.pop_front();
  for (const ShardCounters& shard : report->shards) report->complete &= shard.shards != 0;
  report->last = open_.empty() && std::all_of(progress_.begin(), progress_.end(),
                                              [](const Progress& shard) { return shard.ended; });
  if (options_.total_rows > 0) {
    address_totals_.Add(report->addresses);
    flow_totals_.Add(report->flows);
  }
  return report;
}

}  // namespace weir
