// Notices that an interface went down, came back, or is gone, on behalf of a packet socket.
//
// The kernel reports ENETDOWN on the socket once, when the interface goes down; that it was then
// removed is told by rtnetlink(7) only. wait_fd() is therefore one descriptor (epoll) over the
// socket and, while the interface is down, the netlink socket. Everything is opened at the start,
// so that it works on in a sandbox.
//
// Thread: the shard's own. The packet socket is borrowed.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

namespace weir {

class LinkWatch {
 public:
  enum class State { kUp, kDown, kGone };

  static absl::StatusOr<LinkWatch> Create(int packet_fd);
  LinkWatch() = default;

  // wait_fd() is readable when this descriptor is, too: a ring's that is not the packet socket's.
  absl::Status Include(int fd);

  // Looks what happened since the last call. A system call or a few: when the ring is empty only.
  State Look();

  // Readable when the packet socket is, or when Look has something new to say.
  int wait_fd() const { return epoll_.get(); }

 private:
  void GoDown();
  void GoUp();

  int packet_fd_ = -1;
  UniqueFd netlink_;
  UniqueFd epoll_;
  State state_ = State::kUp;
};

}  // namespace weir
