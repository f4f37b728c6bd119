#include "tests/support/http_get.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

#include "rings/unique_fd.h"

namespace weir::test {
namespace {

sockaddr_in LocalAddress(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string Ask(uint16_t port, const std::string& request) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{10, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = LocalAddress(port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return "";
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  std::string answer;
  char bytes[4096];
  for (;;) {
    const ssize_t size = recv(fd.get(), bytes, sizeof bytes, 0);
    if (size <= 0) return answer;
    answer.append(bytes, static_cast<size_t>(size));
  }
}

}  // namespace

HttpAnswer HttpGet(uint16_t port, const std::string& path) {
  const std::string answer =
      Ask(port, "GET " + path + " HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  HttpAnswer parts;
  const size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return parts;
  parts.status = std::atoi(answer.c_str() + answer.find(' '));
  parts.body = answer.substr(end + 4);
  return parts;
}

uint16_t FreePort() {
  // Below net.ipv4.ip_local_port_range: a port that the kernel gives to nobody meanwhile, also not
  // to the client that looks whether somebody listens.
  constexpr int kFirst = 10'000, kPorts = 20'000;
  for (int i = 0; i < kPorts; ++i) {
    const auto port = static_cast<uint16_t>(kFirst + (getpid() + i) % kPorts);
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = LocalAddress(port);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return port;
  }
  return 0;
}

}  // namespace weir::test
