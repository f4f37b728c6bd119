// Finds samples among metric families.
#pragma once

#include <prometheus/metric_family.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weir::test {

using Labels = std::map<std::string, std::string>;

inline Labels LabelsOf(const prometheus::ClientMetric& metric) {
  Labels labels;
  for (const auto& label : metric.label) labels[label.name] = label.value;
  return labels;
}

// Null: no such family.
inline const prometheus::MetricFamily* FindFamily(
    const std::vector<prometheus::MetricFamily>& families, const std::string& name) {
  for (const auto& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

inline double NumberOf(const prometheus::ClientMetric& metric, prometheus::MetricType type) {
  return type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
}

// The counter or gauge whose labels are these among others; nothing when there is none.
inline std::optional<double> FindSample(const std::vector<prometheus::MetricFamily>& families,
                                        const std::string& name, const Labels& labels = {}) {
  const prometheus::MetricFamily* family = FindFamily(families, name);
  if (family == nullptr) return std::nullopt;
  for (const auto& metric : family->metric) {
    Labels all = LabelsOf(metric);
    bool matches = true;
    for (const auto& [key, value] : labels) matches = matches && all[key] == value;
    if (matches) return NumberOf(metric, family->type);
  }
  return std::nullopt;
}

}  // namespace weir::test
