// --prometheus: what the run counts, on a page for Prometheus.
//
// Thread: Show on the one that polls; it waits for nobody. Readers are the server's own threads.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/export/prometheus_server.h"
#include "engine/stats/shard_metrics.h"
#include "rings/latest_value.h"

namespace weir {

class Shard;

class MetricsPage {
 public:
  static constexpr int64_t kShowNs = 1'000'000'000;  // between two calls of Show

  // Answers from now on. `interface`: what the run reads. Errors: PrometheusServer::Start.
  static absl::StatusOr<std::unique_ptr<MetricsPage>> Start(const ListenAddress& address,
                                                            const std::string& interface);

  // What `shard` counts at this moment: reads the kernel's counters.
  void Show(Shard& shard);

  const std::string& url() const { return server_->url(); }

 private:
  explicit MetricsPage(std::string interface) : interface_(std::move(interface)) {}
  std::vector<ShardMetrics> Read();

  const std::string interface_;
  LatestValue<ShardMetrics> shown_;
  std::unique_ptr<PrometheusServer> server_;  // goes first: its threads call Read
};

}  // namespace weir
