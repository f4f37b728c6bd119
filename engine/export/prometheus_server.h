// Serves metrics to Prometheus: GET /metrics over HTTP (prometheus-cpp, civetweb).
//
// Two threads of its own, which inherit the creating thread's processors and network namespace. No
// encryption, no passwords: listen where only those who may read can reach it.
#pragma once

#include <prometheus/collectable.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/export/listen_address.h"

namespace prometheus {
class Exposer;
}

namespace weir {

class PrometheusServer {
 public:
  // Listens and answers until it is destroyed. Fails when the address is none of this machine's or
  // the port is taken, and says which. `metrics` is kept.
  static absl::StatusOr<std::unique_ptr<PrometheusServer>> Start(
      const ListenAddress& address, std::shared_ptr<prometheus::Collectable> metrics);
  ~PrometheusServer();

  // "http://127.0.0.1:9090/metrics", with the port that was chosen.
  const std::string& url() const { return url_; }
  uint16_t port() const { return port_; }

 private:
  PrometheusServer() = default;
  void Knock() const;

  std::shared_ptr<prometheus::Collectable> metrics_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  sockaddr_storage where_{};  // it listens there
  std::string url_;
  uint16_t port_ = 0;
};

}  // namespace weir
