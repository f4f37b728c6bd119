#include "engine/export/prometheus_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <map>
#include <set>
#include <type_traits>

#include "tests/engine/export/prometheus_samples.h"

namespace weir {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using test::FindFamily;
using test::FindSample;
using test::LabelsOf;
using test::NumberOf;
using Families = std::vector<MetricFamily>;

ShardMetrics View(uint32_t shard = 0) {
  ShardMetrics view;
  view.shard = shard;
  view.interface = "eth0";
  view.state = ShardState::kRunning;
  view.shown_ns = 1'700'000'000'000'000'000;
  view.counters.shards = 1;
  return view;
}

Families Collect(std::vector<ShardMetrics> views) {
  return PrometheusMetrics([&] { return views; }).Collect();
}

// Every 64-bit word of `counters` becomes a number of its own: a counter that is added later is
// among them.
template <typename Counters>
void NumberWords(Counters& counters, uint64_t& next) {
  static_assert(std::is_trivially_copyable_v<Counters> && sizeof(Counters) % 8 == 0);
  std::array<uint64_t, sizeof(Counters) / 8> words;
  for (uint64_t& word : words) word = next++;
  counters = std::bit_cast<Counters>(words);
}

// How often each value is shown, by counters and gauges.
std::map<uint64_t, int> TimesShown(const Families& families) {
  std::map<uint64_t, int> times;
  for (const MetricFamily& family : families) {
    if (family.type != MetricType::Counter && family.type != MetricType::Gauge) continue;
    for (const auto& metric : family.metric) {
      ++times[static_cast<uint64_t>(NumberOf(metric, family.type))];
    }
  }
  return times;
}

TEST(PrometheusMetricsTest, EveryCounterOfLedgerAndFlowsIsShownOnce) {
  constexpr uint64_t kFirst = 1'000'000;
  ShardMetrics view = View();
  uint64_t next = kFirst;
  NumberWords(view.counters.ledger, next);
  NumberWords(view.counters.flows, next);
  const uint64_t unused = view.counters.flows.ended[static_cast<size_t>(FlowEnd::kNone)];
  std::map<uint64_t, int> times = TimesShown(Collect({view}));
  for (uint64_t value = kFirst; value < next; ++value) {
    EXPECT_EQ(times[value], value == unused ? 0 : 1) << "word " << value - kFirst;
  }
}

template <typename Reason, size_t kCount>
void ExpectReasons(const Families& families, const std::string& name,
                   const std::array<uint64_t, kCount>& counts) {
  for (size_t i = 0; i < kCount; ++i) {
    const std::string reason(Name(static_cast<Reason>(i)));
    EXPECT_EQ(FindSample(families, name, {{"reason", reason}}), static_cast<double>(counts[i]))
        << name << " " << reason;
  }
}

TEST(PrometheusMetricsTest, ReasonsBearTheirNames) {
  ShardMetrics view = View();
  uint64_t next = 100;
  Ledger& ledger = view.counters.ledger;
  NumberWords(ledger, next);
  const Families families = Collect({view});
  ExpectReasons<Malformed>(families, "weir_malformed_frames_total", ledger.malformed);
  ExpectReasons<Shed>(families, "weir_shed_frames_total", ledger.shed);
  ExpectReasons<FragmentDrop>(families, "weir_fragment_dropped_frames_total",
                              ledger.fragment_dropped);
  ExpectReasons<Anomaly>(families, "weir_anomalies_total", ledger.anomaly);
  ExpectReasons<Refused>(families, "weir_stream_refused_bytes_total", ledger.streams.refused);
  ExpectReasons<HoleReason>(families, "weir_stream_lost_bytes_total", ledger.streams.lost);
  ExpectReasons<HoleReason>(families, "weir_stream_holes_total", ledger.streams.holes);
}

TEST(PrometheusMetricsTest, FlowsEndedBearTheirReasonsEvictionAmongThem) {
  ShardMetrics view = View();
  view.counters.flows.ended[static_cast<size_t>(FlowEnd::kEvicted)] = 7;
  const Families families = Collect({view});
  EXPECT_EQ(FindSample(families, "weir_flows_ended_total", {{"reason", "evicted"}}), 7);
  EXPECT_EQ(FindSample(families, "weir_flows_ended_total", {{"reason", "fin"}}), 0);
  EXPECT_EQ(FindSample(families, "weir_flows_ended_total", {{"reason", "none"}}), std::nullopt);
}

TEST(PrometheusMetricsTest, ReceivedIsTheSumOfWhatTheLedgersLinesShow) {
  ShardMetrics view = View();
  uint64_t next = 100;
  Ledger& ledger = view.counters.ledger;
  NumberWords(ledger, next);
  ledger.received = ledger.Accounted();
  double sum = 0;
  const Families families = Collect({view});
  for (const char* name : {"filtered_frames_total", "duplicate_frames_total", "not_ip_frames_total",
                           "malformed_frames_total", "shed_frames_total", "fragment_held_frames",
                           "fragment_dropped_frames_total", "tracked_frames_total"}) {
    const MetricFamily* family = FindFamily(families, std::string("weir_") + name);
    ASSERT_NE(family, nullptr) << name;
    for (const auto& metric : family->metric) sum += NumberOf(metric, family->type);
  }
  EXPECT_EQ(FindSample(families, "weir_received_frames_total"), sum);
}

TEST(PrometheusMetricsTest, WhatTheKernelDoesNotTellIsAbsentAndZeroIsZero) {
  const std::vector<std::pair<std::string, std::optional<uint64_t> SourceCounters::*>> counters = {
      {"weir_ring_dropped_frames_total", &SourceCounters::ring_dropped},
      {"weir_ring_freezes_total", &SourceCounters::ring_freezes},
      {"weir_nic_missed_frames_total", &SourceCounters::nic_missed}};
  for (const auto& [name, member] : counters) {
    ShardMetrics view = View();
    EXPECT_EQ(FindFamily(Collect({view}), name), nullptr) << name;
    view.counters.source.*member = 0;
    EXPECT_EQ(FindSample(Collect({view}), name), 0) << name;
    view.counters.source.*member = 5;
    EXPECT_EQ(FindSample(Collect({view}), name), 5) << name;
  }
}

TEST(PrometheusMetricsTest, WhatTheKernelFilteredIsShownByReasonOrNotAtAll) {
  constexpr char kName[] = "weir_kernel_filtered_frames_total";
  ShardMetrics view = View();
  EXPECT_EQ(FindFamily(Collect({view}), kName), nullptr);
  view.counters.source.kernel_filtered.emplace();
  view.counters.source.kernel_filtered->at(static_cast<size_t>(FilterReason::kVlan)) = 7;
  const auto families = Collect({view});
  EXPECT_EQ(FindSample(families, kName, {{"reason", "vlan"}}), 7);
  EXPECT_EQ(FindSample(families, kName, {{"reason", "not_ip"}}), 0);
}

TEST(PrometheusMetricsTest, TheRingsFillIsShownWhereThereIsARing) {
  ShardMetrics view = View();
  EXPECT_EQ(FindFamily(Collect({view}), "weir_ring_blocks"), nullptr);
  view.counters.ring = {.used = 3, .units = 128};
  EXPECT_EQ(FindSample(Collect({view}), "weir_ring_blocks"), 128);
  EXPECT_EQ(FindSample(Collect({view}), "weir_ring_blocks_waiting"), 3);
}

TEST(PrometheusMetricsTest, TableLoadStreamMemoryAndTheCountersOfFragmentsAndDedupAreShown) {
  ShardMetrics view = View();
  ShardCounters& counters = view.counters;
  counters.flows_alive = 11;
  counters.flow_capacity = 12;
  counters.tunnels_in_use = 13;
  counters.ledger.streams.memory_bytes = 14;
  counters.stream_memory_limit_bytes = 15;
  counters.fragments.completed = 16;
  counters.fragments.overlaps = 17;
  counters.fragments.conflicts = 18;
  counters.dedup.seen = 19;
  counters.dedup.depth_exceeded = 20;
  const Families families = Collect({view});
  EXPECT_EQ(FindSample(families, "weir_flows_alive"), 11);
  EXPECT_EQ(FindSample(families, "weir_flows_capacity"), 12);
  EXPECT_EQ(FindSample(families, "weir_tunnels_in_use"), 13);
  EXPECT_EQ(FindSample(families, "weir_stream_memory_bytes"), 14);
  EXPECT_EQ(FindSample(families, "weir_stream_memory_limit_bytes"), 15);
  EXPECT_EQ(FindSample(families, "weir_datagrams_reassembled_total"), 16);
  EXPECT_EQ(FindSample(families, "weir_fragment_overlaps_total"), 17);
  EXPECT_EQ(FindSample(families, "weir_fragment_conflicts_total"), 18);
  EXPECT_EQ(FindSample(families, "weir_dedup_seen_frames_total"), 19);
  EXPECT_EQ(FindSample(families, "weir_dedup_depth_exceeded_total"), 20);
}

TEST(PrometheusMetricsTest, CutFlowsAndJoinedIntervalsAreShown) {
  ShardMetrics view = View();
  view.split = {.sampled = 21, .split = 22};
  view.counters.joined_intervals = 23;
  const Families families = Collect({view});
  EXPECT_EQ(FindSample(families, "weir_split_check_flows_total"), 21);
  EXPECT_EQ(FindSample(families, "weir_split_flows_total"), 22);
  EXPECT_EQ(FindSample(families, "weir_snapshot_joined_intervals_total"), 23);
}

TEST(PrometheusMetricsTest, TimesAreInSecondsAndAbsentWhereThereIsNone) {
  ShardMetrics view = View();
  EXPECT_EQ(FindFamily(Collect({view}), "weir_dedup_covered_window_seconds"), nullptr);
  EXPECT_EQ(FindFamily(Collect({view}), "weir_shard_packet_timestamp_seconds"), nullptr);
  EXPECT_EQ(FindFamily(Collect({view}), "weir_snapshot_lag_seconds"), nullptr);
  view.counters.dedup.covered_window_ns = 1'500'000;
  view.counters.time_ns = 2'500'000'000;
  view.cpu_ns = 3'250'000'000;
  view.snapshot_lag_ns = 250'000'000;
  const Families families = Collect({view});
  EXPECT_EQ(FindSample(families, "weir_dedup_covered_window_seconds"), 0.0015);
  EXPECT_EQ(FindSample(families, "weir_shard_packet_timestamp_seconds"), 2.5);
  EXPECT_EQ(FindSample(families, "weir_shard_cpu_seconds_total"), 3.25);
  EXPECT_EQ(FindSample(families, "weir_snapshot_lag_seconds"), 0.25);
  EXPECT_EQ(FindSample(families, "weir_shard_heartbeat_timestamp_seconds"), 1.7e9);
}

TEST(PrometheusMetricsTest, EachShardHasItsSamples) {
  ShardMetrics first = View(0), second = View(1);
  first.counters.ledger.received = 10;
  second.counters.ledger.received = 20;
  second.interface = "eth1";
  const Families families = Collect({first, second});
  const test::Labels labels = {{"shard", "1"}, {"interface", "eth1"}};
  EXPECT_EQ(FindSample(families, "weir_received_frames_total", labels), 20);
  for (const MetricFamily& family : families) {
    if (family.name == "weir_build_info") continue;
    std::map<test::Labels, int> seen;
    for (const auto& metric : family.metric) {
      EXPECT_EQ(++seen[LabelsOf(metric)], 1) << family.name;
      EXPECT_TRUE(LabelsOf(metric).contains("shard")) << family.name;
      EXPECT_TRUE(LabelsOf(metric).contains("interface")) << family.name;
    }
  }
}

TEST(PrometheusMetricsTest, AShardThatHasNotStartedHasAStateAndNothingElse) {
  ShardMetrics ready;
  const Families families = Collect({ready});
  EXPECT_EQ(FindSample(families, "weir_shard_state", {{"state", "ready"}}), 1);
  EXPECT_EQ(FindSample(families, "weir_shard_state", {{"state", "running"}}), 0);
  EXPECT_EQ(families.size(), 2u) << "state and build information";
}

TEST(PrometheusMetricsTest, TheBackendIsShownWhereThereIsOne) {
  ShardMetrics live, file;
  live.state = file.state = ShardState::kRunning;
  live.backend = "AF_XDP copy";
  file.shard = 1;
  const Families families = Collect({live, file});
  EXPECT_EQ(FindSample(families, "weir_backend_info", {{"backend", "AF_XDP copy"}}), 1);
  EXPECT_EQ(FindFamily(families, "weir_backend_info")->metric.size(), 1u);
}

TEST(PrometheusMetricsTest, BuildInformationSaysTheVersion) {
  const Families families = Collect({});
  const MetricFamily* family = FindFamily(families, "weir_build_info");
  ASSERT_NE(family, nullptr);
  EXPECT_EQ(family->metric[0].gauge.value, 1);
  EXPECT_THAT(LabelsOf(family->metric[0])["version"], testing::MatchesRegex("[0-9]+\\.[0-9.]+"));
}

TEST(PrometheusMetricsTest, WhatWasLostStandsFirst) {
  ShardMetrics view = View();
  view.counters.source.ring_dropped = 0;
  EXPECT_EQ(Collect({view}).front().name, "weir_ring_dropped_frames_total");
}

TEST(PrometheusMetricsTest, DelaysAreAHistogramWhoseBucketsCountWhatIsBelow) {
  ShardMetrics view = View();
  EXPECT_EQ(FindFamily(Collect({view}), "weir_delivery_delay_seconds"), nullptr);
  view.delays.emplace();
  for (const int64_t delay_ns : {1'000l, 5'000l, 5'000l, 1'000'000l, 100'000'000'000l}) {
    view.delays->Add(delay_ns);
  }
  const Families families = Collect({view});
  const MetricFamily* family = FindFamily(families, "weir_delivery_delay_seconds");
  ASSERT_NE(family, nullptr);
  ASSERT_EQ(family->type, MetricType::Histogram);
  const auto& histogram = family->metric[0].histogram;
  EXPECT_EQ(histogram.sample_count, 5u);
  EXPECT_DOUBLE_EQ(histogram.sample_sum, 100.001011);
  for (const auto& bucket : histogram.bucket) {
    const uint64_t below = uint64_t{bucket.upper_bound > 1e-6} + 2 * (bucket.upper_bound > 5e-6) +
                           (bucket.upper_bound > 1e-3);
    EXPECT_EQ(bucket.cumulative_count, below) << bucket.upper_bound;
  }
}

TEST(PrometheusMetricsTest, QuantilesOfDelaysAreThoseOfTheLastMinute) {
  ShardMetrics view = View();
  view.delays.emplace();
  PrometheusMetrics metrics([&] { return std::vector<ShardMetrics>{view}; });
  const auto median = [&] {
    const Families families = metrics.Collect();
    const auto& summary =
        FindFamily(families, "weir_recent_delivery_delay_seconds")->metric[0].summary;
    return summary.quantile.empty() ? -1 : summary.quantile[0].value;
  };
  EXPECT_EQ(median(), -1) << "no frame, no quantile";
  for (int i = 0; i < 1000; ++i) view.delays->Add(8'000'000'000);
  EXPECT_NEAR(median(), 8, 0.6);
  view.shown_ns += 120'000'000'000;
  median();
  view.shown_ns += 120'000'000'000;
  for (int i = 0; i < 10; ++i) view.delays->Add(1'000'000);
  EXPECT_NEAR(median(), 0.001, 0.0001);
}

}  // namespace
}  // namespace weir
