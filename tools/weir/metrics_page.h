// --prometheus: what the shards of a run count, on a page for Prometheus.
//
// Readers are the server's own threads; the shards wait for nobody.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/export/prometheus_server.h"

namespace weir {

class CountersOutput;
class Engine;

// Answers from now on. `engine` and `counters` (null: no snapshots) must outlive the server.
// Errors: PrometheusServer::Start.
absl::StatusOr<std::unique_ptr<PrometheusServer>> ServeMetrics(const ListenAddress& address,
                                                               const Engine& engine,
                                                               CountersOutput* counters);

}  // namespace weir
