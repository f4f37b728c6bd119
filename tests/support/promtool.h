// Prometheus' own checker, promtool (Debian: package prometheus).
#pragma once

#include <string>

// First line of a test that needs it: skips it with the reason where it is missing.
#define WEIR_SKIP_WITHOUT_PROMTOOL()                           \
  if (!weir::test::HasPromtool()) {                            \
    GTEST_SKIP() << "promtool is missing: install prometheus"; \
  }

namespace weir::test {

bool HasPromtool();

// Runs "promtool ARGUMENTS" with `input` as its standard input. Empty when it found nothing wrong,
// not even a matter of style; else what it says.
std::string Promtool(const std::string& arguments, const std::string& input = "");

}  // namespace weir::test
