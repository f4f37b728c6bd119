#include "tests/support/netns.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace weir::test {
namespace {

UniqueFd CurrentNamespace() {
  return UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

void Check(bool good, const char* what) {
  if (good) return;
  ADD_FAILURE() << what << ": " << strerror(errno);
  std::abort();
}

void SilenceIpv6() {
  UniqueFd fd(open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC));
  if (fd) [[maybe_unused]]
    const ssize_t written = write(fd.get(), "1", 1);
}

}  // namespace

std::string WhyNoNetns() {
  const UniqueFd before = CurrentNamespace();
  if (unshare(CLONE_NEWNET) != 0) {
    return absl::StrCat("cannot make a network namespace (needs CAP_SYS_ADMIN): ", strerror(errno));
  }
  setns(before.get(), CLONE_NEWNET);
  if (std::system("ip -V >/dev/null 2>&1") != 0) return "ip(8) is missing: install iproute2";
  return "";
}

NetNamespace::NetNamespace() {
  const UniqueFd before = CurrentNamespace();
  Check(unshare(CLONE_NEWNET) == 0, "unshare");
  fd_ = CurrentNamespace();
  SilenceIpv6();
  Check(setns(before.get(), CLONE_NEWNET) == 0, "setns");
  Ip("link set lo up");
}

NetNamespace::Scope::Scope(int fd) : before_(CurrentNamespace()) {
  Check(setns(fd, CLONE_NEWNET) == 0, "setns");
}

NetNamespace::Scope::~Scope() { Check(setns(before_.get(), CLONE_NEWNET) == 0, "setns"); }

void NetNamespace::Ip(const std::string& arguments) const {
  const Scope scope = Enter();
  EXPECT_EQ(std::system(("ip " + arguments).c_str()), 0) << "ip " << arguments;
}

std::string NetNamespace::path() const {
  return absl::StrCat("/proc/", getpid(), "/fd/", fd_.get());
}

namespace {

// An end of a pair that was up before the other: its carrier comes then, and its queue is opened by
// a work item of the kernel, which drops in silence what is sent until then. An ioctl that takes
// the lock of that work item waits for its end.
void WaitUntilItSends(const char* interface) {
  const UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  ifreq request{};
  strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
  for (int i = 0; i < 2000; ++i) {
    Check(ioctl(fd.get(), SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
    if ((request.ifr_flags & IFF_RUNNING) != 0) break;
    usleep(1000);
  }
  Check(ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
}

}  // namespace

VethPair::VethPair(int queues) {
  const std::string count =
      absl::StrCat(" numtxqueues ", queues, " numrxqueues ", queues, " type veth");
  near_.Ip(absl::StrCat("link add ", kNear, count, " peer name ", kFar, " numtxqueues ", queues,
                        " numrxqueues ", queues, " netns ", far_.path()));
  far_.Ip(absl::StrCat("link set ", kFar, " up"));
  near_.Ip(absl::StrCat("link set ", kNear, " up"));
  const auto scope = far_.Enter();
  WaitUntilItSends(kFar);
}

RawSender::RawSender(const std::string& interface)
    : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
  Check(static_cast<bool>(fd_), "socket");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  Check(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
}

void RawSender::Send(const std::vector<uint8_t>& frame) {
  EXPECT_EQ(send(fd_.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()))
      << strerror(errno);
}

}  // namespace weir::test
