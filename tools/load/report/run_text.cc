#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/load/report/run_report.h"
#include "tools/weir/human.h"
#include "tools/weir/ledger_rows.h"

namespace weir::load {
namespace {

constexpr size_t kNameWidth = 12;

void AddLine(std::string& text, std::string_view name, const std::string& what) {
  absl::StrAppend(&text, "  ", Left(name, kNameWidth), what, "\n");
}

std::string Frames(const Verdict& verdict, const Truth& truth) {
  return absl::StrCat(HumanCount(verdict.made), " made (", HumanBytes(truth.wire_bytes), "), ",
                      HumanCount(verdict.sent), " sent, ", HumanCount(verdict.received),
                      " received (", HumanShare(verdict.received, verdict.made), ")");
}

std::string Bytes(const RunResult& result, const Verdict& verdict) {
  if (!result.verified) return "not looked at";
  std::string text = absl::StrCat(
      HumanCount(verdict.bytes_delivered), " of ", HumanCount(verdict.bytes_expected),
      " delivered, ", HumanCount(verdict.bytes_checked), " compared with what was sent");
  if (verdict.bytes_in_holes > 0)
    absl::StrAppend(&text, "; ", HumanCount(verdict.bytes_in_holes), " announced as lost");
  return text;
}

std::string Quantiles(const DelayHistogram& delays) {
  return absl::StrCat(
      "p50 ", HumanDuration(delays.Quantile(0.5)), ", p99 ", HumanDuration(delays.Quantile(0.99)),
      ", p99.9 ", HumanDuration(delays.Quantile(0.999)), ", at most ",
      HumanDuration(delays.Quantile(1)), " of ", HumanCount(delays.count()), " probes, ");
}

std::string Delay(const DelayHistogram& delays) {
  return absl::StrCat(Quantiles(delays),
                      "from leaving the sender to the consumer, by the processes' clock");
}

std::string PortDelay(const PortDelays& ports) {
  std::string text = ports.delays.count() > 0 ? Quantiles(ports.delays) : "no probe was paired, ";
  absl::StrAppend(&text, ports.clock == StampClock::kHardware
                             ? "from wire to wire, by the network cards' hardware clock"
                             : "from the sending driver to the receiving one, by the kernel's "
                               "software clock");
  if (ports.unpaired > 0)
    absl::StrAppend(&text, "; ", HumanCount(ports.unpaired), " stamped at one end only");
  if (ports.negative > 0) {
    absl::StrAppend(&text, "; ", HumanCount(ports.negative),
                    " came in before they left, and count as 0: THE CLOCKS DISAGREE");
  }
  return text;
}

std::string Cost(const RunResult& result) {
  const double ns = NsPerFrame(result);
  std::string text = absl::StrFormat("%.1f ns of processor time per frame", ns);
  if (result.cycles > 0 && result.timed_frames > 0) {
    absl::StrAppendFormat(
        &text, ", %.0f cycles",
        static_cast<double>(result.cycles) / static_cast<double>(result.timed_frames));
  }
  if (result.verified) text += ", the comparison of each byte included";
  return text;
}

}  // namespace

double NsPerFrame(const RunResult& result) {
  if (result.timed_frames == 0) return 0;
  return result.cpu_seconds * 1e9 / static_cast<double>(result.timed_frames);
}

Verdict JudgeRun(const RunResult& result, bool shared) {
  return Judge({.truth = result.truth,
                .seen = result.seen,
                .counters = result.counters,
                .sent = result.sent,
                .refused = result.refused,
                .compared = result.verified,
                .shared = shared});
}

std::string RunText(const TrafficProfile& profile, const RunResult& result,
                    const Verdict& verdict) {
  std::string text =
      absl::StrCat(result.way, ", ", result.shards, result.shards == 1 ? " shard" : " shards",
                   ", seed ", profile.seed, "\n");
  AddLine(text, "frames", Frames(verdict, result.truth));
  if (result.send_seconds > 0) {
    const double per_s = static_cast<double>(result.sent) / result.send_seconds;
    const double bytes = static_cast<double>(result.truth.wire_bytes) / result.send_seconds;
    AddLine(text, "sent at",
            absl::StrCat(HumanRate(per_s), " frames/s, ", HumanBitRate(bytes * 8), ", for ",
                         HumanDuration(static_cast<int64_t>(result.send_seconds * 1e9))));
  }
  for (const std::string& loss : verdict.losses) AddLine(text, "lost", loss);
  AddLine(text, "flows",
          absl::StrCat(HumanCount(verdict.flows_found), " of ", HumanCount(verdict.flows_expected),
                       " found, ", HumanCount(verdict.flows_wrong), " not as sent"));
  AddLine(text, "bytes", Bytes(result, verdict));
  if (result.seen.delays.count() > 0) AddLine(text, "delay", Delay(result.seen.delays));
  if (result.port_delays) AddLine(text, "port delay", PortDelay(*result.port_delays));
  AddLine(text, "cost", Cost(result));
  AddLine(text, "memory",
          absl::StrCat(HumanBytes(result.resident_bytes),
                       " at most, this program's own knowledge included"));
  for (const std::string& note : result.notes) AddLine(text, "note", note);
  if (verdict.good()) {
    absl::StrAppend(&text, verdict.losses.empty()
                               ? "All of it is as it was sent.\n"
                               : "What is missing has a name; all the rest is as it was sent.\n");
  }
  for (const std::string& fault : verdict.faults) absl::StrAppend(&text, "WRONG: ", fault, "\n");
  return text;
}

}  // namespace weir::load
