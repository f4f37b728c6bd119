#include "rings/link_watch.h"

#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace weir {
namespace {

int SocketError(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

// The kernel sets the index of a socket's interface to -1 when it is removed.
int BoundIndex(int packet_fd) {
  sockaddr_ll address{};
  socklen_t length = sizeof address;
  getsockname(packet_fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address.sll_ifindex;
}

bool IsUp(int packet_fd, int index) {
  ifreq request{};
  request.ifr_ifindex = index;
  return ioctl(packet_fd, SIOCGIFNAME, &request) == 0 &&
         ioctl(packet_fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

// The messages only say that something changed; the state itself is asked for.
void DropMessages(int netlink_fd) {
  char buffer[8192];
  while (recv(netlink_fd, buffer, sizeof buffer, MSG_DONTWAIT) >= 0 || errno == ENOBUFS ||
         errno == EINTR) {
  }
}

}  // namespace

absl::StatusOr<LinkWatch> LinkWatch::Create(int packet_fd) {
  LinkWatch watch;
  watch.packet_fd_ = packet_fd;
  watch.epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  watch.netlink_ =
      UniqueFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl links{};
  links.nl_family = AF_NETLINK;
  links.nl_groups = RTMGRP_LINK;
  epoll_event event{};
  event.events = EPOLLIN;
  if (!watch.epoll_ || !watch.netlink_ ||
      bind(watch.netlink_.get(), reinterpret_cast<sockaddr*>(&links), sizeof links) != 0 ||
      epoll_ctl(watch.epoll_.get(), EPOLL_CTL_ADD, packet_fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, "cannot watch the interface's state");
  }
  return watch;
}

absl::Status LinkWatch::Include(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot wait for a ring");
}

LinkWatch::State LinkWatch::Look() {
  if (state_ == State::kGone) return state_;
  const int error = SocketError(packet_fd_);
  if (state_ == State::kUp && error == 0) return state_;
  if (state_ == State::kUp) GoDown();
  DropMessages(netlink_.get());
  const int index = BoundIndex(packet_fd_);
  if (index < 0) return state_ = State::kGone;
  if (IsUp(packet_fd_, index)) GoUp();
  return state_;
}

void LinkWatch::GoDown() {
  state_ = State::kDown;
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, netlink_.get(), &event);
}

void LinkWatch::GoUp() {
  state_ = State::kUp;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, netlink_.get(), nullptr);
}

}  // namespace weir
