#include "tools/weir/metrics_page.h"

#include <time.h>

#include "engine/export/prometheus_metrics.h"
#include "engine/shard.h"

namespace weir {
namespace {

int64_t ClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

RingFill FillOf(const Shard& shard) {
  RingFill sum;
  for (const auto& source : shard.sources()) {
    const RingFill fill = source->Fill();
    sum.used += fill.used;
    sum.units += fill.units;
  }
  return sum;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsPage>> MetricsPage::Start(const ListenAddress& address,
                                                                const std::string& interface) {
  auto page = std::unique_ptr<MetricsPage>(new MetricsPage(interface));
  auto metrics =
      std::make_shared<PrometheusMetrics>([shown = page.get()] { return shown->Read(); });
  auto server = PrometheusServer::Start(address, std::move(metrics));
  if (!server.ok()) return server.status();
  page->server_ = *std::move(server);
  return page;
}

void MetricsPage::Show(Shard& shard) {
  ShardMetrics& metrics = shown_.back();
  metrics.interface = interface_;
  metrics.state = ShardState::kRunning;
  metrics.shown_ns = ClockNs(CLOCK_REALTIME);
  metrics.cpu_ns = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  metrics.counters = shard.Counters();
  metrics.ring = FillOf(shard);
  if (shard.delays() != nullptr) metrics.delays = *shard.delays();
  shown_.Publish();
}

// One scrape at a time: PrometheusMetrics::Source.
std::vector<ShardMetrics> MetricsPage::Read() {
  shown_.Update();
  return {shown_.front()};
}

}  // namespace weir
