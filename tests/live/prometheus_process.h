// A Prometheus server of the test's own: loopback of the calling thread's network namespace, files
// in a temporary folder, ended with the object.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tests/support/temporary_folder.h"

namespace weir::test {

// Empty where there is a Prometheus to start, else what is missing.
std::string WhyNoPrometheus();

class PrometheusProcess {
 public:
  // Scrapes 127.0.0.1:`target_port` every second, as job "weir", and evaluates the alert rules of
  // the file `rules`.
  PrometheusProcess(uint16_t target_port, const std::string& rules);
  ~PrometheusProcess();
  PrometheusProcess(const PrometheusProcess&) = delete;
  PrometheusProcess& operator=(const PrometheusProcess&) = delete;

  // The value of a PromQL query that gives one sample; nothing when there is none, or no answer.
  std::optional<double> Query(const std::string& query) const;

  // Until the query gives `wanted`, a minute at most: the server needs ten seconds to begin.
  // Returns the last value.
  std::optional<double> QueryUntil(const std::string& query, double wanted) const;

  std::string log() const { return ReadFile(folder_.File("log")); }

 private:
  TemporaryFolder folder_;
  uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace weir::test
