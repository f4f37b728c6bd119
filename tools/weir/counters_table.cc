#include "tools/weir/counters_table.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/export/text.h"
#include "tools/weir/human.h"

namespace weir {
namespace {

struct Line {
  std::string name;
  TrafficCounts counts;
};

std::string NameOf(const AddressRow& row) {
  return std::string(TextOfAddress(row.family, row.address.data()).view());
}

std::string NameOf(const FlowRow& row) {
  return absl::StrCat(std::string(TextOfProtocol(row.key.protocol).view()), " ",
                      HumanEndpoint(row.key, 0), " > ", HumanEndpoint(row.key, 1));
}

template <typename Row>
std::vector<Line> LinesOf(const TrafficTable<Row>& table, size_t most_rows) {
  std::vector<Line> lines;
  TrafficCounts other = table.Sum();
  for (const auto* entry : table.Top(most_rows)) {
    lines.push_back({NameOf(entry->first), entry->second});
    other.Subtract(entry->second);
  }
  if (!(other == TrafficCounts())) lines.push_back({"other", other});
  return lines;
}

std::string Clock(int64_t time_ns) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::FromUnixNanos(time_ns),
                          absl::LocalTimeZone());
}

std::string Cells(std::string_view name, size_t width, std::string_view packets_out,
                  std::string_view out, std::string_view packets_in, std::string_view in) {
  return absl::StrCat(Left(name, width), Right(packets_out, 14), Right(out, 11),
                      Right(packets_in, 14), Right(in, 11), "\n");
}

}  // namespace

std::string CountersTable(const CountersReport& report, size_t most_rows) {
  const bool ip = report.by == CountBy::kIp;
  const size_t count = ip ? report.addresses.rows().size() : report.flows.rows().size();
  const std::vector<Line> lines =
      ip ? LinesOf(report.addresses, most_rows) : LinesOf(report.flows, most_rows);
  size_t width = 30;
  for (const Line& line : lines) width = std::max(width, line.name.size());
  std::string text =
      absl::StrCat(Clock(report.start_ns), " to ", Clock(report.end_ns), "  ",
                   HumanCount(report.tracked_packets), " packets, ",
                   HumanBytes(report.tracked_bytes), report.complete ? "" : " (incomplete)", "\n");
  const std::string of = absl::StrCat(ip ? "Addresses (of " : "Flows (of ", HumanCount(count), ")");
  text += ip ? Cells(of, width, "packets sent", "bytes", "received", "bytes")
             : Cells(of, width, "to server", "bytes", "to client", "bytes");
  for (const Line& line : lines) {
    const TrafficCounts& counts = line.counts;
    text += Cells(line.name, width, HumanCount(counts.packets[0]), HumanBytes(counts.bytes[0]),
                  HumanCount(counts.packets[1]), HumanBytes(counts.bytes[1]));
  }
  return text + "\n";
}

}  // namespace weir
