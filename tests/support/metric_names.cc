#include "tests/support/metric_names.h"

#include <regex>
#include <sstream>

namespace weir::test {

std::set<std::string> MetricNamesUsed(const std::string& text) {
  static const std::regex kName("weir_[a-z0-9_]+");
  std::set<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), kName), end; match != end; ++match) {
    names.insert(match->str());
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
