#include "tools/load/run/own_veth.h"

#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "pass_frames.skel.h"
#include "rings/unique_fd.h"

namespace weir::load {
namespace {

absl::Status Ip(const std::string& arguments) {
  std::vector<std::string> words = absl::StrSplit("ip " + arguments, ' ');
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  int status = posix_spawnp(&child, "ip", nullptr, nullptr, pointers.data(), environ);
  if (status != 0) return absl::ErrnoToStatus(status, "cannot run ip (apt-get install iproute2)");
  if (waitpid(child, &status, 0) == child && status == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("'ip ", arguments, "' failed"));
}

absl::Status SwitchGroOff(const char* interface) {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value = {ETHTOOL_SGRO, 0};
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd.get(), SIOCETHTOOL, &request) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot switch GRO off");
}

// The queue of an end that was up before the other is opened by a work item of the kernel, which
// drops in silence what is sent until then. An ioctl that takes the lock of that work item waits
// for its end.
absl::Status WaitUntilItSends(const char* interface) {
  constexpr int kTries = 2'000;
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  for (int i = 0; i < kTries; ++i) {
    if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat(interface, " does not come up"));
    if ((request.ifr_flags & IFF_RUNNING) != 0) {
      if (ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0) return absl::OkStatus();
      return absl::ErrnoToStatus(errno, absl::StrCat(interface, " does not come up"));
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
  return absl::UnavailableError(absl::StrCat(interface, " does not come up"));
}

}  // namespace

OwnVeth::~OwnVeth() {
  bpf_link__destroy(link_);
  pass_frames__destroy(programs_);
}

absl::StatusOr<std::unique_ptr<OwnVeth>> OwnVeth::Create(const OwnVethOptions& options) {
  if (unshare(CLONE_NEWNET) != 0)
    return absl::ErrnoToStatus(
        errno, "cannot make a network namespace (needs CAP_SYS_ADMIN: run it with sudo)");
  const std::string queues =
      absl::StrCat(" numtxqueues ", options.queues, " numrxqueues ", options.queues);
  absl::Status status =
      Ip(absl::StrCat("link add ", kSender, queues, " type veth peer name ", kListener, queues));
  for (const char* const end : {kListener, kSender}) {
    // No neighbour discovery of its own among the traffic.
    if (status.ok())
      status = Ip(absl::StrCat("link set ", end, " mtu ", options.mtu, " addrgenmode none up"));
  }
  for (const char* const end : {kSender, kListener})
    if (status.ok()) status = WaitUntilItSends(end);
  auto veth = std::unique_ptr<OwnVeth>(new OwnVeth);
  if (status.ok() && options.pass_program) status = veth->LetAllPass();
  if (status.ok()) status = SwitchGroOff(kListener);
  if (!status.ok()) return status;
  return veth;
}

absl::Status OwnVeth::LetAllPass() {
  programs_ = pass_frames__open_and_load();
  if (programs_ == nullptr)
    return absl::ErrnoToStatus(errno, "cannot load a BPF program (needs CAP_BPF, CAP_NET_ADMIN)");
  link_ = bpf_program__attach_xdp(programs_->progs.pass_frames,
                                  static_cast<int>(if_nametoindex(kListener)));
  if (link_ != nullptr) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot attach an XDP program to a veth");
}

}  // namespace weir::load
