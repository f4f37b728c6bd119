#include "tools/weir/metrics_page.h"

#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/export/prometheus_metrics.h"

namespace weir {

absl::StatusOr<std::unique_ptr<PrometheusServer>> ServeMetrics(const ListenAddress& address,
                                                               const Engine& engine) {
  auto metrics = std::make_shared<PrometheusMetrics>([&engine] {
    std::vector<ShardMetrics> shards;
    for (ShardReport& report : engine.Reports()) shards.push_back(std::move(report));
    return shards;
  });
  return PrometheusServer::Start(address, std::move(metrics));
}

}  // namespace weir
