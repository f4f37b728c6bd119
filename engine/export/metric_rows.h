// Every metric of a shard that is one number, or one number for each reason: its name, what it
// says, and where it comes from. One row a metric; the order is that of the page.
//
// Names and units follow Prometheus' conventions: base units, _total for what only grows; reasons
// bear the names of EVE and of the report.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/stats/shard_metrics.h"

namespace weir {

struct MetricValue {
  std::string_view label;  // the value of MetricRow::label; empty where that is
  double value = 0;
};

struct MetricRow {
  std::string_view name;
  std::string_view help;
  std::string_view label;  // name of the label that tells the values apart; empty: there is one
  // What the shard says. Nothing where it does not know: unknown is not zero.
  std::vector<MetricValue> (*read)(const ShardMetrics& shard);

  bool counter() const { return name.ends_with("_total"); }  // or a gauge
};

std::span<const MetricRow> MetricRows();

}  // namespace weir
