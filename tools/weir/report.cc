#include "tools/weir/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/export/text.h"
#include "tools/weir/human.h"
#include "tools/weir/ledger_rows.h"
#include "tools/weir/shard_table.h"

namespace weir {
namespace {

constexpr size_t kCountWidth = 14;

std::string Title(const ReportInput& input, const TrafficTally& tally) {
  const RunSample& last = input.last;
  const double seconds = std::max(1e-6, static_cast<double>(last.elapsed_ns) / 1e9);
  const auto packets = static_cast<double>(last.ledger.received);
  const auto bits = 8 * static_cast<double>(last.ledger.received_bytes);
  std::string text = absl::StrFormat(
      "%s: %s packets, %s, %s flows\n", input.source, HumanCount(last.ledger.received),
      HumanBytes(last.ledger.received_bytes), HumanCount(tally.flows()));
  absl::StrAppendFormat(&text, "%s %s, %s packets/s, %s", input.live ? "received in" : "read in",
                        HumanDuration(last.elapsed_ns), HumanRate(packets / seconds),
                        HumanBitRate(bits / seconds));
  if (!input.live && tally.last_ns() > tally.first_ns()) {
    absl::StrAppend(&text, "; ", HumanDuration(tally.last_ns() - tally.first_ns()), " of traffic");
  }
  return text + "\n";
}

std::string BusiestFlows(const TrafficTally& tally) {
  const std::vector<FlowRecord> flows = tally.Busiest();
  if (flows.empty()) return "";
  size_t width = 30;
  for (const FlowRecord& flow : flows) width = std::max(width, HumanFlow(flow).size());
  std::string text =
      absl::StrCat("\n", Left("Busiest flows", width), Right("packets", 10), Right("to server", 11),
                   Right("to client", 11), Right("lasted", 14), "  end\n");
  for (const FlowRecord& flow : flows) {
    absl::StrAppend(&text, Left(HumanFlow(flow), width),
                    Right(HumanCount(flow.packets[0] + flow.packets[1]), 10),
                    Right(HumanBytes(flow.bytes[0]), 11), Right(HumanBytes(flow.bytes[1]), 11),
                    Right(HumanDuration(std::max<int64_t>(0, flow.end_ns - flow.start_ns)), 14),
                    "  ", std::string(Name(flow.end)), "\n");
  }
  return text;
}

std::string Talkers(const TrafficTally& tally) {
  const std::vector<Talker> talkers = tally.talkers().Top(10);
  if (talkers.empty()) return "";
  const std::string of = absl::StrCat("Talkers (of ", HumanCount(tally.talkers().addresses()), ")");
  std::vector<std::string> names;
  size_t width = std::max<size_t>(30, of.size());
  for (const Talker& talker : talkers) {
    names.emplace_back(TextOfAddress(talker.family, talker.address.data()).view());
    width = std::max(width, names.back().size());
  }
  std::string text = absl::StrCat("\n", Left(of, width), Right("flows", 10), Right("sent", 11),
                                  Right("received", 11), "\n");
  for (size_t i = 0; i < talkers.size(); ++i) {
    absl::StrAppend(&text, Left(names[i], width), Right(HumanCount(talkers[i].flows), 10),
                    Right(HumanBytes(talkers[i].sent_bytes), 11),
                    Right(HumanBytes(talkers[i].received_bytes), 11), "\n");
  }
  return text;
}

std::string Rows(const std::vector<LedgerRow>& rows, uint64_t whole) {
  std::string text;
  for (const LedgerRow& row : rows) {
    absl::StrAppend(&text, Left(absl::StrCat(row.reason ? "    " : "  ", row.name), 30),
                    Right(HumanCount(row.count), kCountWidth));
    if (!row.reason && whole > 0) absl::StrAppend(&text, "  ", HumanShare(row.count, whole));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

// A counter the kernel does not have is named as unknown: it is not zero.
std::string WireRow(std::string_view name, const std::optional<uint64_t>& count) {
  const std::string value = count ? HumanCount(*count) : "unknown";
  return absl::StrCat(Left(absl::StrCat("  ", std::string(name)), 30), Right(value, kCountWidth),
                      "\n");
}

std::string Wire(const ReportInput& input) {
  if (!input.live) return "";
  const SourceCounters& source = input.last.source;
  return absl::StrCat("\nBefore they reached us\n", WireRow("ring_dropped", source.ring_dropped),
                      WireRow("kernel_filtered", source.KernelFilteredTotal()),
                      Rows(FilterRows(source.kernel_filtered.value_or(FilterCounts{})), 0),
                      source.left_to_host > 0 ? WireRow("left_to_host", source.left_to_host) : "",
                      WireRow("nic_missed", source.nic_missed));
}

std::string LedgerTable(const Ledger& ledger) {
  std::string text = absl::StrCat("\n", Left("Where the frames went", 30),
                                  Right(HumanCount(ledger.received), kCountWidth), "  received\n",
                                  Rows(LedgerRows(ledger), ledger.received));
  const std::vector<LedgerRow> anomalies = AnomalyRows(ledger);
  if (!anomalies.empty()) {
    absl::StrAppend(&text, "\nOdd, but tracked\n", Rows(anomalies, 0));
  }
  return text;
}

std::string StreamTable(const StreamCounters& streams) {
  if (streams.payload == 0) return "";
  std::string text = absl::StrCat("\n", Left("Where the TCP payload went", 30),
                                  Right(HumanCount(streams.payload), kCountWidth), "  bytes\n",
                                  Rows(StreamRows(streams), streams.payload));
  if (streams.LostTotal() > 0) {
    absl::StrAppend(&text, "\n", Left("Lost: not in the capture", 30),
                    Right(HumanCount(streams.LostTotal()), kCountWidth), "  bytes\n",
                    Rows(LostRows(streams), 0));
  }
  return text;
}

std::string StreamFilesLine(const WrittenStreams& written) {
  if (written.folder.empty()) return "";
  return absl::StrCat("\nStreams: ", HumanCount(written.files), " files, ",
                      HumanBytes(written.bytes), ", in ", written.folder, "\n");
}

std::string StreamHints(const StreamCounters& streams) {
  const auto holes = [&](HoleReason reason) { return streams.holes[static_cast<size_t>(reason)]; };
  std::string text;
  if (const uint64_t short_of = holes(HoleReason::kMemory); short_of > 0) {
    absl::StrAppend(&text, "! ", HumanCount(short_of),
                    " holes in streams were given up early, memory was short: raise "
                    "--stream-memory\n");
  }
  if (const uint64_t limited = holes(HoleReason::kStreamLimit); limited > 0) {
    absl::StrAppend(&text, "! ", HumanCount(limited),
                    " holes in streams were given up early, too much waited behind them: raise "
                    "--stream-limit\n");
  }
  if (const uint64_t bytes = streams.refused[static_cast<size_t>(Refused::kNoConnection)];
      bytes > 0) {
    absl::StrAppend(&text, "! ", HumanCount(bytes),
                    " bytes of TCP were in no stream, there was no room for the connection: raise "
                    "--max-flows\n");
  }
  if (streams.conflicts > 0) {
    absl::StrAppend(
        &text, "! ", HumanCount(streams.conflicts),
        " overlaps in streams contradicted what was there, in ", HumanCount(streams.conflicting),
        " bytes: weir.stream.*.conflicts in --eve names the flows, --overlap chooses\n");
  }
  return text;
}

std::string FragmentHints(const FragmentCounters& fragments) {
  if (fragments.conflicts == 0) return {};
  return absl::StrCat("! ", HumanCount(fragments.conflicts),
                      " IP fragments contradicted what was there: --overlap chooses\n");
}

std::string Ends(const FlowCounters& flows) {
  std::string text;
  for (size_t i = 0; i < flows.ended.size(); ++i) {
    const auto end = static_cast<FlowEnd>(i);
    if (flows.ended[i] == 0 || end == FlowEnd::kActive || end == FlowEnd::kNone) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", std::string(Name(end)), " ",
                    HumanCount(flows.ended[i]));
  }
  return text.empty() ? text : absl::StrCat("\nFlows ended: ", text, "\n");
}

}  // namespace

std::string Report(const ReportInput& input, const TrafficTally& tally) {
  std::string text = absl::StrCat(
      Title(input, tally), BusiestFlows(tally), Talkers(tally), LedgerTable(input.last.ledger),
      Wire(input), StreamTable(input.last.ledger.streams), StreamFilesLine(input.streams),
      Ends(input.last.flows), ShardTable(input));
  const std::string hints = Hints(input);
  if (!hints.empty()) absl::StrAppend(&text, "\n", hints);
  return text;
}

std::string Hints(const ReportInput& input) {
  std::string text;
  const RunSample& last = input.last;
  if (const uint64_t lost = last.source.ring_dropped.value_or(0); lost > 0) {
    absl::StrAppend(&text, "! ", HumanCount(lost),
                    " packets were lost, the ring was full: raise --ring-mib, or look at less "
                    "(--filter, --snaplen)\n");
  }
  if (const uint64_t shed = last.ledger.shed[static_cast<size_t>(Shed::kOverload)]; shed > 0) {
    absl::StrAppend(&text, "! ", HumanCount(shed),
                    " packets of new flows were refused, the ring was nearly full: raise "
                    "--ring-mib, or look at less (--filter, --snaplen)\n");
  }
  if (const uint64_t missed = last.source.nic_missed.value_or(0); missed > 0) {
    absl::StrAppend(&text, "! ", HumanCount(missed),
                    " packets were lost in the device: raise its ring (ethtool -G)\n");
  }
  if (last.ledger.received > 0 && last.ledger.FilteredTotal() == last.ledger.received) {
    absl::StrAppend(&text,
                    "! the filters let nothing pass; frames with VLAN tags need 'vlan and "
                    "(...)' in --filter\n");
  }
  if (last.dedup.depth_exceeded > 0) {
    absl::StrAppend(&text, "! dedup covered only ",
                    HumanDuration(last.dedup.least_covered_window_ns), " of its window of ",
                    HumanDuration(input.dedup_window_ns), ": raise depth in --dedup\n");
  }
  if (const uint64_t evicted = last.flows.ended[static_cast<size_t>(FlowEnd::kEvicted)];
      evicted > 0) {
    absl::StrAppend(&text, "! ", HumanCount(evicted),
                    " flows were cut short, the table was full: raise --max-flows (now ",
                    HumanCount(last.flow_capacity), ")\n");
  }
  if (last.joined_intervals > 0) {
    absl::StrAppend(
        &text, "! ", HumanCount(last.joined_intervals),
        " intervals of --counters were counted together with the one before (nothing is "
        "lost), writing was slow: raise --interval, or write less (--counters-top)\n");
  }
  absl::StrAppend(&text, StreamHints(last.ledger.streams), FragmentHints(last.fragments));
  absl::StrAppend(&text, ShardHints(input));
  if (last.ledger.ledger_errors > 0) {
    absl::StrAppend(&text, "! the ledger did not add up ", HumanCount(last.ledger.ledger_errors),
                    " times: this is a bug of weir, please report it\n");
  }
  return text;
}

}  // namespace weir
