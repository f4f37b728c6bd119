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

TEST(Report, EvictedFlowsNameTheTable) {
  ReportInput input = Input();
  input.last.flows.ended[static_cast<size_t>(FlowEnd::kEvicted)] = 7;
  input.last.capacity = 100'000;
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
  input.last.ledger.received = input.last.ledger.filtered = 5;
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

}  // namespace
}  // namespace weir
