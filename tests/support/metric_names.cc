#include "tests/support/metric_names.h"

#include <sstream>

namespace weir::test {

std::set<std::string> MetricNamesUsed(const std::string& text) {
  std::set<std::string> names;
  const std::string prefix = "weir_";
  for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", at);
    names.insert(text.substr(at, end - at));
    at += prefix.size();
  }
  return names;
}

std::set<std::string> MetricNamesExported(const std::string& page) {
  std::set<std::string> names;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) names.insert(line.substr(0, line.find_first_of("{ ")));
  }
  return names;
}

std::string MissingNames(const std::set<std::string>& used, const std::set<std::string>& exported) {
  std::string missing;
  for (const std::string& name : used) {
    if (!exported.contains(name)) missing += name + " ";
  }
  return missing;
}

}  // namespace weir::test
