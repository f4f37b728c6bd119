// Reports of counters by interval as JSON lines, in the terms of EVE.
//
//   {"timestamp":..., "event_type":"counters", "start":..., "ip":"10.0.0.1",
//    "sent":{"pkts":1,"bytes":60}, "received":{...}}                    one per address, or
//   {..., "src_ip":..., "src_port":..., "dest_ip":..., "dest_port":..., "proto":...,
//    "flow":{"pkts_toserver":...}}                                      one per flow, source began;
//   what exceeded a limit: the same with "ip":"other", or "src_ip" and "dest_ip";
//   {..., "event_type":"counters_total", "complete":true, ...}          the sum, last
//
// `timestamp` is the interval's end. All rows of an interval add up to its packets and bytes: by
// address both sent and received do, by flow both directions together.
//
// Thread: one. Text is kept until Clear; memory grows to the largest report.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "engine/export/line_buffer.h"
#include "engine/export/text.h"
#include "engine/stats/counters_merger.h"

namespace weir {

class JsonLine;

class CountersWriter {
 public:
  // Only the `most_rows` busiest rows are written, busiest first, and the others join `other`; 0:
  // all, in no order.
  explicit CountersWriter(size_t most_rows);
  ~CountersWriter();
  CountersWriter(const CountersWriter&) = delete;
  CountersWriter& operator=(const CountersWriter&) = delete;

  void Append(const CountersReport& report);

  std::string_view text() const { return buffer_.view(); }
  void Clear() { buffer_.Clear(); }

 private:
  void Begin(const CountersReport& report, std::string_view type);
  void Write(const CountersReport& report, const AddressTable::Entry& entry);
  void Write(const CountersReport& report, const FlowRowTable::Entry& entry);
  void WriteOther(const CountersReport& report, const TrafficCounts& other);
  void WriteTotal(const CountersReport& report, size_t rows);
  template <typename Row>
  void AppendRows(const CountersReport& report, const TrafficTable<Row>& table);

  size_t most_rows_;
  LineBuffer buffer_;
  std::unique_ptr<JsonLine> line_;  // writes into buffer_
  TimestampFormatter timestamps_;
};

}  // namespace weir
