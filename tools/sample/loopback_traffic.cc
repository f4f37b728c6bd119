#include "tools/sample/loopback_traffic.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace weir::sample {
namespace {

constexpr int kConnectionsPerRound = 4;
constexpr int kDatagramsPerRound = 8;
constexpr int kWritesPerConnection = 6;
constexpr absl::Duration kRound = absl::Milliseconds(50);
constexpr int kPatienceMs = 1'000;

// Closes itself.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

  bool Readable() const {
    pollfd descriptor{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&descriptor, 1, kPatienceMs) > 0;
  }

 private:
  int fd_;
};

sockaddr_in Loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr* AsSockaddr(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

sockaddr_in AddressOf(const Socket& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  getsockname(socket.fd(), AsSockaddr(address), &length);
  return address;
}

Socket Bound(int type) {
  Socket made(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback();
  if (bind(made.fd(), AsSockaddr(address), sizeof(address)) != 0) return Socket(-1);
  return made;
}

// One question, one answer, from a port of its own.
bool Ask(const Socket& server) {
  const Socket client = Bound(SOCK_DGRAM);
  std::array<char, 120> message{};
  sockaddr_in to = AddressOf(server);
  if (sendto(client.fd(), message.data(), 40, 0, AsSockaddr(to), sizeof(to)) < 0) return false;
  sockaddr_in from{};
  socklen_t length = sizeof(from);
  if (!server.Readable() ||
      recvfrom(server.fd(), message.data(), message.size(), 0, AsSockaddr(from), &length) < 0) {
    return false;
  }
  return sendto(server.fd(), message.data(), message.size(), 0, AsSockaddr(from), length) > 0 &&
         client.Readable() && recv(client.fd(), message.data(), message.size(), 0) > 0;
}

// One connection: a short request, some kilobytes back.
bool Fetch(const Socket& listener) {
  const Socket client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to = AddressOf(listener);
  if (connect(client.fd(), AsSockaddr(to), sizeof(to)) != 0) return false;
  const Socket served(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 1'400> data{};
  if (send(client.fd(), data.data(), 80, MSG_NOSIGNAL) < 0) return false;
  if (recv(served.fd(), data.data(), data.size(), 0) <= 0) return false;
  for (int i = 0; i < kWritesPerConnection; ++i) {
    if (send(served.fd(), data.data(), data.size(), MSG_NOSIGNAL) < 0) return false;
    if (recv(client.fd(), data.data(), data.size(), 0) <= 0) return false;
  }
  return true;
}

absl::Status Failure(const char* what) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " over 127.0.0.1; is `lo` up? (ip link)"));
}

}  // namespace

absl::Status SendLoopbackTraffic(int seconds) {
  const Socket server = Bound(SOCK_DGRAM);
  const Socket listener = Bound(SOCK_STREAM);
  if (server.fd() < 0 || listen(listener.fd(), kConnectionsPerRound) != 0) {
    return Failure("cannot listen");
  }
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  while (absl::Now() < end) {
    for (int i = 0; i < kDatagramsPerRound; ++i) {
      if (!Ask(server)) return Failure("cannot exchange datagrams");
    }
    for (int i = 0; i < kConnectionsPerRound; ++i) {
      if (!Fetch(listener)) return Failure("cannot connect");
    }
    absl::SleepFor(kRound);
  }
  return absl::OkStatus();
}

}  // namespace weir::sample
