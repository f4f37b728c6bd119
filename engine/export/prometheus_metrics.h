// What shards show, as Prometheus' metric families (prometheus-cpp).
//
// Every sample bears the labels shard and interface; what a shard does not know has no sample. A
// shard that has not started has a state and nothing else.
//
// Thread: Collect on any, several at once. It touches no shard.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "engine/stats/recent_delays.h"
#include "engine/stats/shard_metrics.h"

namespace weir {

class PrometheusMetrics final : public prometheus::Collectable {
 public:
  // Called for each scrape, one at a time: every shard as it showed itself last.
  using Source = std::function<std::vector<ShardMetrics>()>;

  explicit PrometheusMetrics(Source source) : source_(std::move(source)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Source source_;
  mutable std::mutex mutex_;
  mutable std::map<uint32_t, RecentDelays> recent_;  // by shard
};

}  // namespace weir
