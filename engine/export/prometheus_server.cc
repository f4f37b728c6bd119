#include "engine/export/prometheus_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <future>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

std::string Text(const ListenAddress& address) {
  const bool v6 = absl::StrContains(address.host, ":");
  return absl::StrCat(v6 ? "[" : "", address.host, v6 ? "]" : "", ":", address.port);
}

absl::Status Cannot(const ListenAddress& address, std::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot serve metrics on ", Text(address), ": ",
                                             absl::string_view(why.data(), why.size())));
}

absl::Status CannotBind(const ListenAddress& address, int error) {
  switch (error) {
    case EADDRINUSE:
      return Cannot(address, "another program listens there, choose another port");
    case EADDRNOTAVAIL:
      return Cannot(address, "this machine does not have that address");
    case EACCES:
      return Cannot(address, "ports below 1024 need CAP_NET_BIND_SERVICE, choose another one");
    default:
      return absl::ErrnoToStatus(error, absl::StrCat("cannot serve metrics on ", Text(address)));
  }
}

// 0, or the error of an attempt to listen there. The server itself does not tell.
int TryToListen(const addrinfo& where) {
  const int fd = socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, where.ai_addr, where.ai_addrlen) != 0 || listen(fd, 1) != 0) return errno;
  return 0;
}

// In the form that civetweb reads; "+" is every address of every family that it can.
std::string ListeningPort(const ListenAddress& address, const addrinfo& where) {
  if (address.host.empty()) return absl::StrCat("+", address.port);
  char host[NI_MAXHOST];
  getnameinfo(where.ai_addr, where.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  const bool v6 = where.ai_family == AF_INET6;
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]" : "", ":", address.port);
}

struct Listener {
  std::unique_ptr<prometheus::Exposer> exposer;
  uint16_t port = 0;
  sockaddr_storage where{};
};

// With the port in it.
sockaddr_storage SocketAddress(const addrinfo& where, uint16_t port) {
  sockaddr_storage address{};
  std::memcpy(&address, where.ai_addr, where.ai_addrlen);
  // The port stands at the same place for both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port);
  return address;
}

absl::StatusOr<Listener> Listen(const ListenAddress& address, const addrinfo& where) {
  if (const int error = TryToListen(where); error != 0) return CannotBind(address, error);
  try {
    Listener listener;
    listener.exposer = std::make_unique<prometheus::Exposer>(
        std::vector<std::string>{"listening_ports", ListeningPort(address, where), "num_threads",
                                 "2", "request_timeout_ms", "10000"});
    listener.port = static_cast<uint16_t>(listener.exposer->GetListeningPorts().at(0));
    listener.where = SocketAddress(where, listener.port);
    return listener;
  } catch (const std::exception& error) {  // CivetWeb's, which knows no reason
    if (where.ai_family != AF_INET6) return Cannot(address, error.what());
    return Cannot(address,
                  "the HTTP server of this build, civetweb, has no IPv6: give an IPv4 address");
  }
}

// On the first of the addresses that the name stands for and that can be listened on.
absl::StatusOr<Listener> Listen(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  const char* const host = address.host.empty() ? nullptr : address.host.c_str();
  if (const int error = getaddrinfo(host, port.c_str(), &hints, &found); error != 0) {
    return Cannot(address, gai_strerror(error));
  }
  const absl::Cleanup free_found = [found] { freeaddrinfo(found); };
  absl::Status first;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    auto listener = Listen(address, *each);
    if (listener.ok()) return listener;
    first.Update(listener.status());
  }
  return first;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrometheusServer>> PrometheusServer::Start(
    const ListenAddress& address, std::shared_ptr<prometheus::Collectable> metrics) {
  auto listener = Listen(address);
  if (!listener.ok()) return listener.status();
  auto server = std::unique_ptr<PrometheusServer>(new PrometheusServer);
  server->metrics_ = std::move(metrics);
  server->exposer_ = std::move(listener->exposer);
  server->exposer_->RegisterCollectable(server->metrics_);
  server->port_ = listener->port;
  server->where_ = listener->where;
  const std::string host = address.host.empty() ? "localhost" : address.host;
  server->url_ = absl::StrCat("http://", Text({host, server->port_}), "/metrics");
  return server;
}

// Civetweb looks only every two seconds whether it shall end, or when somebody comes.
PrometheusServer::~PrometheusServer() {
  const auto closed = std::async(std::launch::async, [this] { exposer_.reset(); });
  while (closed.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) Knock();
}

void PrometheusServer::Knock() const {
  const int fd = socket(where_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&where_), sizeof where_);
  close(fd);
}

}  // namespace weir
