#include "tools/weir/traffic_tally.h"

#include <algorithm>

namespace weir {
namespace {

uint64_t BytesOf(const FlowRecord& record) { return record.bytes[0] + record.bytes[1]; }

bool Busier(const FlowRecord& a, const FlowRecord& b) {
  if (BytesOf(a) != BytesOf(b)) return BytesOf(a) > BytesOf(b);
  if (a.start_ns != b.start_ns) return a.start_ns < b.start_ns;
  return a.flow_id < b.flow_id;
}

}  // namespace

void TrafficTally::Add(const FlowRecord& record) {
  if (record.end == FlowEnd::kActive) return;
  ++flows_;
  first_ns_ = std::min(first_ns_, record.start_ns);
  last_ns_ = std::max(last_ns_, record.end_ns);
  KeepIfBusy(record);
  CountTalkers(record);
}

void TrafficTally::Add(const TrafficTally& other) {
  flows_ += other.flows_;
  first_ns_ = std::min(first_ns_, other.first_ns_);
  last_ns_ = std::max(last_ns_, other.last_ns_);
  for (const FlowRecord& record : other.heap_) KeepIfBusy(record);
  for (const Talker& talker : other.talkers_.Top(SIZE_MAX)) talkers_.Add(talker);
}

void TrafficTally::KeepIfBusy(const FlowRecord& record) {
  if (heap_.size() == wanted_) {
    if (wanted_ == 0 || !Busier(record, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), Busier);
    heap_.pop_back();
  }
  heap_.push_back(record);
  std::push_heap(heap_.begin(), heap_.end(), Busier);
}

void TrafficTally::CountTalkers(const FlowRecord& record) {
  const bool to_itself = record.key.source == record.key.destination;
  for (const size_t side : {0, 1}) {
    Talker talker;
    talker.family = record.key.family;
    talker.address = side == 0 ? record.key.source : record.key.destination;
    talker.flows = to_itself && side == 1 ? 0 : 1;
    talker.sent_packets = record.packets[side];
    talker.sent_bytes = record.bytes[side];
    talker.received_packets = record.packets[1 - side];
    talker.received_bytes = record.bytes[1 - side];
    talkers_.Add(talker);
  }
}

std::vector<FlowRecord> TrafficTally::Busiest() const {
  std::vector<FlowRecord> busiest = heap_;
  std::sort(busiest.begin(), busiest.end(), Busier);
  return busiest;
}

}  // namespace weir
