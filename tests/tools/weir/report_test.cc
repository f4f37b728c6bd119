#include "tools/weir/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/ledger_rows.h"

namespace weir {
namespace {

using testing::HasSubstr;
using testing::Not;

ReportInput Input() {
  ReportInput input;
  input.source = "eth0";
  input.live = true;
  input.dedup_window_ns = 1'000'000;
  input.last.elapsed_ns = 2'000'000'000;
  input.last.ledger.received = 1000;
  input.last.ledger.received_bytes = 250'000;
  input.last.ledger.tracked = 900;
  input.last.ledger.malformed[static_cast<size_t>(Malformed::kIpVersion)] = 60;
  input.last.ledger.not_ip = 40;
  return input;
}

TEST(Report, StartsWithHowMuchAndHowFast) {
  EXPECT_THAT(Report(Input(), TrafficTally()),
              testing::StartsWith("eth0: 1,000 packets, 250 kB, 0 flows\n"
                                  "received in 2.0 s, 500 packets/s, 1.00 Mbit/s\n"));
}

TEST(Report, LedgerShowsEachReasonThatIsNotZeroAndNoOther) {
  const std::string report = Report(Input(), TrafficTally());
  EXPECT_THAT(report, HasSubstr("tracked                                900  90.0 %"));
  EXPECT_THAT(report, HasSubstr("malformed                               60  6.0 %"));
  EXPECT_THAT(report, HasSubstr("    ip_version                            60"));
  EXPECT_THAT(report, Not(HasSubstr("duplicate")));
  EXPECT_THAT(report, Not(HasSubstr("link_truncated")));
}

TEST(Report, WhatTheKernelDoesNotTellIsUnknown) {
  EXPECT_THAT(Report(Input(), TrafficTally()),
              HasSubstr("ring_dropped                       unknown"));
  ReportInput file = Input();
  file.live = false;
  EXPECT_THAT(Report(file, TrafficTally()), Not(HasSubstr("ring_dropped")));
}

TEST(Report, NothingWrongNoHints) { EXPECT_EQ(Hints(Input()), ""); }

TEST(Report, LostPacketsNameTheRing) {
  ReportInput input = Input();
  input.last.source.ring_dropped = 1234;
  EXPECT_THAT(Hints(input),
              HasSubstr("1,234 packets were lost, the ring was full: raise --ring-mib"));
}

TEST(Report, RefusedPacketsNameTheRing) {
  ReportInput input = Input();
  input.last.ledger.shed[static_cast<size_t>(Shed::kOverload)] = 1234;
  EXPECT_THAT(Hints(input), HasSubstr("1,234 packets of new flows were refused, the ring was "
                                      "nearly full: raise --ring-mib"));
}

TEST(Report, EvictedFlowsNameTheTable) {
  ReportInput input = Input();
  input.last.flows.ended[static_cast<size_t>(FlowEnd::kEvicted)] = 7;
  input.last.flow_capacity = 100'000;
  EXPECT_THAT(Hints(input), HasSubstr("7 flows were cut short, the table was full: raise "
                                      "--max-flows (now 100,000)"));
}

TEST(Report, ADedupWindowThatTheDepthDidNotCoverIsSaid) {
  ReportInput input = Input();
  input.last.dedup.depth_exceeded = 10;
  input.last.dedup.least_covered_window_ns = 250'000;
  EXPECT_THAT(Hints(input),
              HasSubstr("dedup covered only 250 us of its window of 1 ms: raise depth"));
}

TEST(Report, AFilterThatLetsNothingPassNamesTheUsualReason) {
  ReportInput input = Input();
  input.last.ledger = Ledger();
  input.last.ledger.received = input.last.ledger.filtered[0] = 5;
  EXPECT_THAT(Hints(input), HasSubstr("'vlan and (...)'"));
}

TEST(Report, ABrokenLedgerIsABug) {
  ReportInput input = Input();
  input.last.ledger.ledger_errors = 1;
  EXPECT_THAT(Hints(input), HasSubstr("bug"));
}

TEST(LedgerRows, SumToWhatWasReceived) {
  const Ledger ledger = Input().last.ledger;
  uint64_t sum = 0;
  for (const LedgerRow& row : LedgerRows(ledger)) {
    if (!row.reason) sum += row.count;
  }
  EXPECT_EQ(sum, ledger.received);
}

ReportInput WithStreams() {
  ReportInput input = Input();
  StreamCounters& streams = input.last.ledger.streams;
  streams.payload = 1000;
  streams.delivered = 900;
  streams.retransmitted = 70;
  streams.refused[static_cast<size_t>(Refused::kLate)] = 30;
  return input;
}

TEST(Report, SaysWhereThePayloadOfStreamsWent) {
  const std::string report = Report(WithStreams(), TrafficTally());
  EXPECT_THAT(report, HasSubstr("Where the TCP payload went             1,000  bytes\n"
                                "  delivered                              900  90.0 %\n"
                                "  retransmitted                           70  7.0 %\n"
                                "  refused                                 30  3.0 %\n"
                                "    late                                  30\n"));
  EXPECT_THAT(report, Not(HasSubstr("Lost")));
  EXPECT_EQ(Hints(WithStreams()), "");
}

TEST(Report, WithoutStreamsNothingIsSaidOfThem) {
  EXPECT_THAT(Report(Input(), TrafficTally()), Not(HasSubstr("payload")));
  EXPECT_THAT(Report(Input(), TrafficTally()), Not(HasSubstr("Streams")));
}

TEST(Report, LostBytesHaveTheirReasons) {
  ReportInput input = WithStreams();
  input.last.ledger.streams.lost[static_cast<size_t>(HoleReason::kAcknowledged)] = 1448;
  EXPECT_THAT(Report(input, TrafficTally()),
              HasSubstr("Lost: not in the capture               1,448  bytes\n"
                        "    acknowledged                       1,448\n"));
}

TEST(Report, FilesOfStreamsAreCountedAndNamed) {
  ReportInput input = WithStreams();
  input.streams = {"out/bytes", 12, 900};
  EXPECT_THAT(Report(input, TrafficTally()),
              HasSubstr("\nStreams: 12 files, 900 B, in out/bytes\n"));
}

TEST(Report, LimitsOfStreamsNameTheirOption) {
  ReportInput input = WithStreams();
  StreamCounters& streams = input.last.ledger.streams;
  streams.holes[static_cast<size_t>(HoleReason::kMemory)] = 3;
  streams.holes[static_cast<size_t>(HoleReason::kStreamLimit)] = 4;
  streams.refused[static_cast<size_t>(Refused::kNoConnection)] = 5;
  const std::string hints = Hints(input);
  EXPECT_THAT(hints, HasSubstr("! 3 holes in streams"));
  EXPECT_THAT(hints, HasSubstr("raise --stream-memory"));
  EXPECT_THAT(hints, HasSubstr("! 4 holes in streams"));
  EXPECT_THAT(hints, HasSubstr("raise --stream-limit"));
  EXPECT_THAT(hints, HasSubstr("! 5 bytes of TCP"));
  EXPECT_THAT(hints, HasSubstr("raise --max-flows"));
}

TEST(Report, FragmentsThatContradictAreSaid) {
  ReportInput input;
  EXPECT_THAT(Hints(input), ::testing::Not(HasSubstr("fragments contradicted")));
  input.last.fragments.conflicts = 3;
  EXPECT_THAT(Hints(input), HasSubstr("! 3 IP fragments contradicted what was there"));
}

TEST(Report, ContradictionsAreSaid) {
  ReportInput input = WithStreams();
  input.last.ledger.streams.conflicts = 2;
  input.last.ledger.streams.conflicting = 17;
  EXPECT_THAT(Hints(input),
              HasSubstr("! 2 overlaps in streams contradicted what was there, in 17"));
}

}  // namespace
}  // namespace weir
