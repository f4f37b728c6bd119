#include "engine/export/counters_writer.h"

#include <cstring>

#include "engine/export/directions.h"
#include "engine/export/eve_tunnel.h"
#include "engine/export/json_line.h"

namespace weir {
namespace {

constexpr size_t kBufferBytes = 128 * 1024;
constexpr size_t kLongestLine = 4 * 1024;

void WriteWay(JsonLine& line, std::string_view key, const TrafficCounts& counts, size_t way) {
  line.StartObject(key);
  line.Number("pkts", counts.packets[way]);
  line.Number("bytes", counts.bytes[way]);
  line.EndObject();
}

void WriteWays(JsonLine& line, const TrafficCounts& counts) {
  WriteWay(line, "sent", counts, 0);
  WriteWay(line, "received", counts, 1);
}

void WriteFlow(JsonLine& line, const TrafficCounts& counts) {
  line.StartObject("flow");
  WriteDirections(line, counts.packets, counts.bytes);
  line.EndObject();
}

void WriteTunnelOf(JsonLine& line, const FlowRow& row) {
  if (row.tunnel.empty()) return;
  TunnelPath path;
  path.length = static_cast<uint16_t>(row.tunnel.size());
  std::memcpy(path.bytes, row.tunnel.data(), row.tunnel.size());
  WriteTunnel(line, path);
}

}  // namespace

CountersWriter::CountersWriter(size_t most_rows)
    : most_rows_(most_rows), buffer_(kBufferBytes), line_(std::make_unique<JsonLine>(buffer_)) {}

CountersWriter::~CountersWriter() = default;

void CountersWriter::Begin(const CountersReport& report, std::string_view type) {
  buffer_.Reserve(kLongestLine);
  line_->Begin();
  line_->Text("timestamp", timestamps_.Format(report.end_ns).view());
  line_->Text("event_type", type);
  line_->Text("start", timestamps_.Format(report.start_ns).view());
}

void CountersWriter::Write(const CountersReport& report, const AddressTable::Entry& entry) {
  const AddressRow& row = entry.first;
  Begin(report, "counters");
  line_->Text(row.family == AddressFamily::kMac ? "mac" : "ip",
              TextOfAddress(row.family, row.address.data()).view());
  WriteWays(*line_, entry.second);
  line_->End();
}

void CountersWriter::Write(const CountersReport& report, const FlowRowTable::Entry& entry) {
  const FlowKey& key = entry.first.key;
  const bool mac = key.family == AddressFamily::kMac;
  Begin(report, "counters");
  line_->Text(mac ? "src_mac" : "src_ip", TextOfAddress(key.family, key.source.data()).view());
  if (!mac) line_->Number("src_port", uint64_t{key.source_port});
  line_->Text(mac ? "dest_mac" : "dest_ip",
              TextOfAddress(key.family, key.destination.data()).view());
  if (!mac) {
    line_->Number("dest_port", uint64_t{key.destination_port});
    line_->Text("proto", TextOfProtocol(key.protocol).view());
  }
  WriteTunnelOf(*line_, entry.first);
  WriteFlow(*line_, entry.second);
  line_->End();
}

void CountersWriter::WriteOther(const CountersReport& report, const TrafficCounts& other) {
  if (other == TrafficCounts()) return;
  Begin(report, "counters");
  if (report.by == CountBy::kIp) {
    line_->Text("ip", "other");
    WriteWays(*line_, other);
  } else {
    line_->Text("src_ip", "other");
    line_->Text("dest_ip", "other");
    WriteFlow(*line_, other);
  }
  line_->End();
}

void CountersWriter::WriteTotal(const CountersReport& report, size_t rows) {
  ShardCounters sum;
  for (const ShardCounters& shard : report.shards) sum.Add(shard);
  Begin(report, "counters_total");
  line_->Text("by", report.by == CountBy::kIp ? "ip" : "flow");
  line_->Bool("complete", report.complete);
  line_->Number("intervals", static_cast<uint64_t>(report.last_epoch - report.first_epoch + 1));
  line_->Bool("last", report.last);
  line_->Number("shards", uint64_t{sum.shards});
  line_->Number("rows", uint64_t{rows});
  line_->Number("pkts", report.tracked_packets);
  line_->Number("bytes", report.tracked_bytes);
  line_->StartObject("since_start");
  line_->Number("received", sum.ledger.received);
  line_->Number("tracked", sum.ledger.tracked);
  line_->Number("tracked_bytes", sum.ledger.tracked_bytes);
  line_->Number("kernel_drops", sum.source.ring_dropped);
  line_->EndObject();
  line_->End();
}

template <typename Row>
void CountersWriter::AppendRows(const CountersReport& report, const TrafficTable<Row>& table) {
  if (most_rows_ == 0) {
    for (const auto& entry : table.rows()) Write(report, entry);
    WriteOther(report, table.other());
    WriteTotal(report, table.rows().size());
    return;
  }
  TrafficCounts other = table.Sum();
  const auto top = table.Top(most_rows_);
  for (const auto* entry : top) {
    Write(report, *entry);
    other.Subtract(entry->second);
  }
  WriteOther(report, other);
  WriteTotal(report, top.size());
}

void CountersWriter::Append(const CountersReport& report) {
  if (report.by == CountBy::kIp) {
    AppendRows(report, report.addresses);
  } else {
    AppendRows(report, report.flows);
  }
}

}  // namespace weir
