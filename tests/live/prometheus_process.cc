#include "tests/live/prometheus_process.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/support/http_get.h"

namespace weir::test {
namespace {

std::string Configuration(uint16_t target_port, const std::string& rules) {
  return "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
         "rule_files: ['" +
         rules +
         "']\n"
         "scrape_configs:\n"
         "- {job_name: weir, static_configs: [{targets: ['127.0.0.1:" +
         std::to_string(target_port) + "']}]}\n";
}

std::string UrlEncoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char byte : text) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", byte);
    encoded += hex;
  }
  return encoded;
}

}  // namespace

std::string WhyNoPrometheus() {
  const bool there = std::system("command -v prometheus >/dev/null") == 0;
  return there ? "" : "prometheus is missing: install the package of that name";
}

PrometheusProcess::PrometheusProcess(uint16_t target_port, const std::string& rules)
    : port_(FreePort()) {
  std::ofstream(folder_.File("prometheus.yml")) << Configuration(target_port, rules);
  const std::string log = folder_.File("log");
  const std::string config = "--config.file=" + folder_.File("prometheus.yml");
  const std::string data = "--storage.tsdb.path=" + folder_.File("data");
  const std::string address = "--web.listen-address=127.0.0.1:" + std::to_string(port_);
  pid_ = fork();
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(log.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execlp("prometheus", "prometheus", config.c_str(), data.c_str(), address.c_str(), nullptr);
  _exit(127);
}

PrometheusProcess::~PrometheusProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::optional<double> PrometheusProcess::Query(const std::string& query) const {
  const HttpAnswer answer = HttpGet(port_, "/api/v1/query?query=" + UrlEncoded(query));
  rapidjson::Document document;
  document.Parse(answer.body.c_str());
  if (answer.status != 200 || document.HasParseError()) return std::nullopt;
  const auto& result = document["data"]["result"];
  if (!result.IsArray() || result.Size() != 1) return std::nullopt;
  return std::atof(result[0]["value"][1].GetString());
}

std::optional<double> PrometheusProcess::QueryUntil(const std::string& query, double wanted) const {
  std::optional<double> value;
  for (int i = 0; i < 300; ++i) {
    value = Query(query);
    if (value == wanted) break;
    usleep(200'000);
  }
  return value;
}

}  // namespace weir::test
