// Names of metrics in texts: queries that use them, and pages that export them.
#pragma once

#include <set>
#include <string>

namespace weir::test {

// "weir_..." wherever it stands, as in alert rules and dashboards.
std::set<std::string> MetricNamesUsed(const std::string& text);

// Names of the series of a metrics page: of a histogram those with _bucket, _sum and _count.
std::set<std::string> MetricNamesExported(const std::string& page);

// Those of `used` that are not among `exported`, joined by spaces.
std::string MissingNames(const std::set<std::string>& used, const std::set<std::string>& exported);

}  // namespace weir::test
