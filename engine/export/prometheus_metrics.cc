#include "engine/export/prometheus_metrics.h"

#include <string>
#include <string_view>

#include "engine/export/metric_rows.h"

namespace weir {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Views = std::vector<ShardMetrics>;

bool HasShown(const ShardMetrics& view) { return view.state != ShardState::kReady; }
double ToSeconds(int64_t time_ns) { return static_cast<double>(time_ns) / 1e9; }

MetricFamily Family(std::string_view name, std::string_view help, MetricType type) {
  return {std::string(name), std::string(help), type, {}};
}

// A family without samples is not shown.
void Add(Families& families, MetricFamily family) {
  if (!family.metric.empty()) families.push_back(std::move(family));
}

ClientMetric MetricOf(const ShardMetrics& view) {
  ClientMetric metric;
  metric.label = {{"shard", std::to_string(view.shard)}, {"interface", view.interface}};
  return metric;
}

MetricFamily FamilyOfRow(const MetricRow& row, const Views& views) {
  const MetricType type = row.counter() ? MetricType::Counter : MetricType::Gauge;
  MetricFamily family = Family(row.name, row.help, type);
  for (const ShardMetrics& view : views) {
    if (!HasShown(view)) continue;
    for (const MetricValue& value : row.read(view)) {
      ClientMetric& metric = family.metric.emplace_back(MetricOf(view));
      if (!row.label.empty()) {
        metric.label.push_back({std::string(row.label), std::string(value.label)});
      }
      (row.counter() ? metric.counter.value : metric.gauge.value) = value.value;
    }
  }
  return family;
}

MetricFamily States(const Views& views) {
  MetricFamily family =
      Family("weir_shard_state", "1 for the state that the shard is in", MetricType::Gauge);
  for (const ShardMetrics& view : views) {
    for (size_t i = 0; i < kShardStates; ++i) {
      const auto state = static_cast<ShardState>(i);
      ClientMetric& metric = family.metric.emplace_back(MetricOf(view));
      metric.label.push_back({"state", std::string(Name(state))});
      metric.gauge.value = view.state == state ? 1 : 0;
    }
  }
  return family;
}

bool Delays(const ShardMetrics& view) { return HasShown(view) && view.delays.has_value(); }

// A bucket for each power of two between 4 us and 17 s: their counts are exact.
MetricFamily DelayHistograms(const Views& views) {
  constexpr unsigned kFirstPower = 12;
  constexpr unsigned kLastPower = 34;
  MetricFamily family =
      Family("weir_delivery_delay_seconds",
             "Time of frames from the kernel's time stamp to the shard, since start",
             MetricType::Histogram);
  for (const ShardMetrics& view : views) {
    if (!Delays(view)) continue;
    const DelayHistogram& delays = *view.delays;
    auto& histogram = family.metric.emplace_back(MetricOf(view)).histogram;
    histogram.sample_count = delays.count();
    histogram.sample_sum = ToSeconds(static_cast<int64_t>(delays.sum_ns()));
    for (unsigned power = kFirstPower; power <= kLastPower; ++power) {
      histogram.bucket.push_back({delays.CountBelow(power), ToSeconds(int64_t{1} << power)});
    }
  }
  return family;
}

MetricFamily RecentDelayQuantiles(const Views& views, std::map<uint32_t, RecentDelays>& recent) {
  MetricFamily family = Family(
      "weir_recent_delivery_delay_seconds",
      "Time of frames from the kernel's time stamp to the shard: quantiles of about the last "
      "minute, sum and count since start",
      MetricType::Summary);
  for (const ShardMetrics& view : views) {
    if (!Delays(view)) continue;
    const DelayHistogram& all = *view.delays;
    const DelayHistogram latest = recent[view.shard].Update(view.shown_ns, all);
    auto& summary = family.metric.emplace_back(MetricOf(view)).summary;
    summary.sample_count = all.count();
    summary.sample_sum = ToSeconds(static_cast<int64_t>(all.sum_ns()));
    if (latest.count() == 0) continue;
    for (const double quantile : {0.5, 0.99, 0.999, 1.0}) {
      summary.quantile.push_back({quantile, ToSeconds(latest.Quantile(quantile))});
    }
  }
  return family;
}

MetricFamily BuildInformation() {
  MetricFamily family =
      Family("weir_build_info", "1; the labels say what was built", MetricType::Gauge);
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = {{"version", WEIR_VERSION}, {"compiler", __VERSION__}};
  metric.gauge.value = 1;
  return family;
}

}  // namespace

Families PrometheusMetrics::Collect() const {
  const std::lock_guard lock(mutex_);
  const Views views = source_();
  Families families;
  for (const MetricRow& row : MetricRows()) Add(families, FamilyOfRow(row, views));
  Add(families, States(views));
  Add(families, DelayHistograms(views));
  Add(families, RecentDelayQuantiles(views, recent_));
  Add(families, BuildInformation());
  return families;
}

}  // namespace weir
