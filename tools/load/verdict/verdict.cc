#include "tools/load/verdict/verdict.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "engine/packet/packet.h"
#include "tools/weir/human.h"
#include "tools/weir/ledger_rows.h"

namespace weir::load {
namespace {

constexpr size_t kMostExamples = 5;

// The first few cases of one kind of fault, and how many there are.
class Cases {
 public:
  explicit Cases(std::string what) : what_(std::move(what)) {}
  void Add(const std::string& example) {
    if (++count_ <= kMostExamples) absl::StrAppend(&examples_, count_ > 1 ? "; " : "", example);
  }
  uint64_t count() const { return count_; }
  void Report(std::vector<std::string>& to) const {
    if (count_ == 0) return;
    to.push_back(absl::StrCat(HumanCount(count_), " ", what_, ": ", examples_,
                              count_ > kMostExamples ? "; ..." : ""));
  }

 private:
  std::string what_;
  std::string examples_;
  uint64_t count_ = 0;
};

std::string Beside(const char* what, uint64_t seen, uint64_t expected) {
  return absl::StrCat(what, " ", HumanCount(seen), " of ", HumanCount(expected));
}

std::string BySide(const char* what, const std::array<uint64_t, 2>& seen, uint64_t first,
                   uint64_t second) {
  return absl::StrCat(what, " ", seen[0], "+", seen[1], " of ", first, "+", second);
}

class Judgement {
 public:
  explicit Judgement(const VerdictInput& input)
      : input_(input), ledger_(input.counters.ledger), source_(input.counters.source) {}

  Verdict Pass() {
    CheckFrames();
    CheckLedger();
    CheckFlows();
    CheckBytes();
    return std::move(verdict_);
  }

 private:
  // Nothing is missing: each flow must be there to the last byte.
  bool whole() const { return verdict_.lost == 0 && verdict_.refused == 0; }
  void Fault(std::string text) { verdict_.faults.push_back(std::move(text)); }
  void Loss(uint64_t count, const char* what) {
    if (count == 0) return;
    verdict_.losses.push_back(absl::StrCat(HumanCount(count), " frames ", what));
    verdict_.named_lost += count;
  }

  void CheckFrames();
  void CheckLedger();
  void CheckFlows();
  void CheckFlow(uint32_t number, const FlowTruth& truth, const ObservedFlow& seen);
  void CheckBytes();

  const VerdictInput& input_;
  const Ledger& ledger_;
  const SourceCounters& source_;
  Verdict verdict_;
  uint64_t missing_packets_ = 0;
  Cases more_{"flows with more than was sent"};
  Cases less_{"flows with less than was sent, though nothing was lost"};
  Cases cut_{"flows in several records"};
  Cases lost_flows_{"flows were not found, though nothing was lost"};
  Cases streams_{"streams that do not add up"};
  Cases conflicts_{"flows with contradictions that nobody sent"};
};

void Judgement::CheckFrames() {
  verdict_.made = input_.truth.frames;
  verdict_.sent = input_.sent;
  verdict_.received = ledger_.received;
  verdict_.lost = verdict_.made - std::min(verdict_.made, verdict_.received);
  Loss(input_.refused, "were not taken by the sender's interface");
  Loss(source_.nic_missed.value_or(0), "found no buffer in the receiver's device (nic_missed)");
  Loss(source_.KernelFilteredTotal().value_or(0), "were filtered in the kernel (kernel_filtered)");
  Loss(source_.ring_dropped.value_or(0), "found the receiver's ring full (ring_dropped)");
  if (verdict_.lost > verdict_.named_lost) {
    Fault(absl::StrCat(HumanCount(verdict_.lost - verdict_.named_lost),
                       " frames are missing, and no counter names them: ",
                       HumanCount(verdict_.made), " were made, ", HumanCount(verdict_.received),
                       " received, ", HumanCount(verdict_.named_lost), " lost by name"));
  }
  if (verdict_.received > verdict_.made && !input_.shared) {
    Fault(absl::StrCat(HumanCount(verdict_.received - verdict_.made),
                       " frames were received that nobody sent"));
  }
}

// Frames of the model are all of IP and well formed: they are tracked, or fragments that wait.
void Judgement::CheckLedger() {
  const uint64_t fragments = ledger_.fragment_held + ledger_.FragmentDroppedTotal();
  verdict_.refused = ledger_.received - ledger_.tracked - fragments;
  for (const LedgerRow& row : LedgerRows(ledger_)) {
    if (row.reason || row.name == "tracked" || row.name.starts_with("fragment")) continue;
    const std::string line = absl::StrCat(HumanCount(row.count), " frames were ", row.name);
    const bool asked_for = row.name == "filtered" || row.name == "duplicate" || row.name == "shed";
    if (asked_for || input_.shared)
      verdict_.losses.push_back(line);
    else
      Fault(line + ", and every frame was well formed");
  }
  if (!ledger_.Balanced() || ledger_.ledger_errors > 0)
    Fault("the ledger's lines do not add up to the frames received");
  if (whole() && !input_.shared && fragments != input_.truth.unfinished_fragments) {
    Fault(Beside("fragments of datagrams that never became whole:", fragments,
                 input_.truth.unfinished_fragments));
  }
}

void Judgement::CheckFlows() {
  const std::vector<FlowTruth>& flows = input_.truth.flows;
  static constexpr ObservedFlow kNothing;
  for (uint32_t number = 0; number < flows.size(); ++number) {
    const FlowTruth& truth = flows[number];
    if (truth.packets[0] + truth.packets[1] == 0) continue;
    ++verdict_.flows_expected;
    const ObservedFlow& seen =
        number < input_.seen.flows.size() ? input_.seen.flows[number] : kNothing;
    CheckFlow(number, truth, seen);
  }
  for (size_t number = flows.size(); number < input_.seen.flows.size(); ++number) {
    if (input_.seen.flows[number].records > 0)
      more_.Add(absl::StrCat("flow ", number, " was never sent"));
  }
  const uint64_t floods = input_.truth.syn_flood + input_.truth.collision_flood;
  verdict_.flows_expected += floods;
  verdict_.flows_found += input_.seen.flood_records;
  if (whole() ? input_.seen.flood_records != floods : input_.seen.flood_records > floods)
    Fault(Beside("one-packet flows of floods:", input_.seen.flood_records, floods));
  // What is missing in the flows are the frames that were lost, or fragments that wait for one.
  const uint64_t named = verdict_.named_lost + verdict_.refused + ledger_.fragment_held +
                         ledger_.FragmentDroppedTotal();
  if (missing_packets_ > named) {
    Fault(absl::StrCat(HumanCount(missing_packets_), " packets are missing in the flows, but only ",
                       HumanCount(named), " frames were lost by name"));
  }
  if (input_.seen.unknown_records > 0 && !input_.shared) {
    Fault(absl::StrCat(HumanCount(input_.seen.unknown_records),
                       " flows were found that nobody sent"));
  }
  for (const Cases* cases : {&lost_flows_, &less_, &more_, &cut_, &streams_, &conflicts_})
    cases->Report(verdict_.faults);
  verdict_.flows_wrong = less_.count() + more_.count() + streams_.count() + conflicts_.count();
}

void Judgement::CheckFlow(uint32_t number, const FlowTruth& truth, const ObservedFlow& seen) {
  const uint64_t sent = uint64_t{truth.packets[0]} + truth.packets[1];
  const uint64_t packets = uint64_t{seen.packets[0]} + seen.packets[1];
  missing_packets_ += sent - std::min(sent, packets);
  if (seen.records == 0) {
    if (whole()) lost_flows_.Add(absl::StrCat("flow ", number));
    return;
  }
  ++verdict_.flows_found;
  const std::string flow = absl::StrCat("flow ", number, ": ");
  const auto counts = [&] {
    return absl::StrCat(
        flow,
        BySide("packets", {seen.packets[0], seen.packets[1]}, truth.packets[0], truth.packets[1]),
        BySide(", bytes", seen.wire_bytes, truth.wire_bytes[0], truth.wire_bytes[1]));
  };
  const auto any = [&](auto differs) { return differs(size_t{0}) || differs(size_t{1}); };
  if (any([&](size_t i) {
        return seen.packets[i] > truth.packets[i] || seen.wire_bytes[i] > truth.wire_bytes[i];
      })) {
    more_.Add(counts());
  } else if (whole() && any([&](size_t i) {
               return seen.packets[i] != truth.packets[i] ||
                      seen.wire_bytes[i] != truth.wire_bytes[i];
             })) {
    less_.Add(counts());
  }
  if (whole() && seen.records > 1) cut_.Add(absl::StrCat(flow, seen.records, " records"));
  if (seen.conflicts > 0) conflicts_.Add(absl::StrCat(flow, seen.conflicts));
  const bool stream = truth.protocol == ip_protocol::kTcp;
  if (stream && !input_.counters.stream_memory_limit_bytes) return;  // nobody asked for streams
  if (!input_.compared) return;
  for (size_t i = 0; i < 2; ++i) {
    verdict_.bytes_expected += truth.stream_bytes[i] - truth.missing_bytes[i];
    verdict_.bytes_delivered += seen.delivered[i];
    verdict_.bytes_in_holes += seen.holes[i];
    const bool right = whole() ? seen.delivered[i] + seen.holes[i] == truth.stream_bytes[i] &&
                                     seen.holes[i] == truth.missing_bytes[i]
                               : seen.delivered[i] + seen.holes[i] <= truth.stream_bytes[i];
    if (right) continue;
    streams_.Add(absl::StrCat(flow, "from the ", i == 0 ? "initiator" : "responder", " ",
                              seen.delivered[i], " bytes delivered and ", seen.holes[i],
                              " announced as lost of ", truth.stream_bytes[i], " with ",
                              truth.missing_bytes[i], " that never came"));
  }
}

void Judgement::CheckBytes() {
  const Observation& seen = input_.seen;
  verdict_.bytes_checked = seen.checked_bytes;
  if (seen.wrong_pieces > 0) {
    std::string list;
    for (const WrongByte& at : seen.wrong) {
      absl::StrAppend(&list, list.empty() ? "" : "; ", "flow ", at.flow, " direction ",
                      at.direction, " offset ", at.offset);
    }
    Fault(absl::StrCat(HumanCount(seen.wrong_pieces), " deliveries hold a wrong byte: ", list,
                       seen.wrong_pieces > seen.wrong.size() ? "; ..." : ""));
  }
  if (seen.displaced_pieces > 0 && whole()) {
    Fault(absl::StrCat(HumanCount(seen.displaced_pieces),
                       " deliveries hold right bytes at a wrong offset"));
  }
  if (whole() && seen.probes != input_.truth.probes && input_.truth.probes > 0)
    Fault(Beside("probes:", seen.probes, input_.truth.probes));
}

}  // namespace

Verdict Judge(const VerdictInput& input) { return Judgement(input).Pass(); }

}  // namespace weir::load
