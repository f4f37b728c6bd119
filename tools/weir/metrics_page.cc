#include "tools/weir/metrics_page.h"

#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/export/prometheus_metrics.h"
#include "tools/weir/counters_output.h"

namespace weir {

absl::StatusOr<std::unique_ptr<PrometheusServer>> ServeMetrics(const ListenAddress& address,
                                                               const Engine& engine,
                                                               CountersOutput* counters) {
  auto metrics = std::make_shared<PrometheusMetrics>([&engine, counters] {
    std::vector<ShardMetrics> shards;
    for (ShardReport& report : engine.Reports()) {
      ShardMetrics& shard = shards.emplace_back(std::move(report));
      if (counters != nullptr) shard.snapshot_lag_ns = counters->SnapshotLagNs(shard.shard);
    }
    return shards;
  });
  return PrometheusServer::Start(address, std::move(metrics));
}

}  // namespace weir
