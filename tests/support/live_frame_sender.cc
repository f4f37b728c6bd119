#include "tests/support/live_frame_sender.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "live_frames.skel.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr uint32_t kHeaderBytes = 14 + 20 + 8;

Bytes UdpFrame(uint32_t frame_bytes) {
  Bytes frame = PacketBuilder()
                    .Ethernet()
                    .Ipv4("10.0.0.1", "10.0.0.2")
                    .Udp(1024, 9)
                    .Payload(frame_bytes - kHeaderBytes)
                    .Build();
  frame[40] = frame[41] = 0;  // no UDP checksum: the program changes a port
  return frame;
}

absl::Status EnableGro(const char* interface) {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value = {ETHTOOL_SGRO, 1};
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd.get(), SIOCETHTOOL, &request) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot set GRO");
}

}  // namespace

bool PinToProcessor(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

LiveFrameSender::LiveFrameSender(const VethPair& pair, const Options& options)
    : pair_(pair), options_(options) {}

LiveFrameSender::~LiveFrameSender() {
  bpf_link__destroy(pass_link_);
  live_frames__destroy(programs_);
}

absl::StatusOr<std::unique_ptr<LiveFrameSender>> LiveFrameSender::Create(const VethPair& pair,
                                                                         const Options& options) {
  auto sender = std::unique_ptr<LiveFrameSender>(new LiveFrameSender(pair, options));
  if (auto status = sender->Start(); !status.ok()) return status;
  return sender;
}

absl::Status LiveFrameSender::Start() {
  programs_ = live_frames__open();
  if (programs_ == nullptr) return absl::ErrnoToStatus(errno, "cannot open the BPF programs");
  {
    const auto scope = pair_.near().Enter();
    programs_->rodata->target_ifindex = if_nametoindex(VethPair::kNear);
    programs_->rodata->flow_count = std::max(1u, options_.flows);
  }
  if (live_frames__load(programs_) != 0) {
    return absl::ErrnoToStatus(errno,
                               "cannot load the BPF programs (needs CAP_BPF, CAP_NET_ADMIN)");
  }
  const auto scope = pair_.far().Enter();
  received_before_ = ReceivedByFar();
  if (options_.receiver == Receiver::kGro) return EnableGro(VethPair::kFar);
  pass_link_ = bpf_program__attach_xdp(programs_->progs.pass_frame,
                                       static_cast<int>(if_nametoindex(VethPair::kFar)));
  if (pass_link_ != nullptr) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot attach an XDP program to the receiving end");
}

absl::Status LiveFrameSender::Send(uint64_t frames) {
  constexpr uint64_t kFramesPerCall = 1 << 16;
  const auto scope = pair_.near().Enter();
  const Bytes frame = UdpFrame(options_.frame_bytes);
  xdp_md context{};
  context.data_end = static_cast<uint32_t>(frame.size());
  const uint64_t target = programs_->bss->sent + frames;
  while (programs_->bss->sent < target) {
    LIBBPF_OPTS(bpf_test_run_opts, run);
    run.data_in = frame.data();
    run.data_size_in = static_cast<uint32_t>(frame.size());
    run.ctx_in = &context;
    run.ctx_size_in = sizeof context;
    run.repeat =
        static_cast<int>(std::min<uint64_t>(target - programs_->bss->sent, kFramesPerCall));
    run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    run.batch_size = options_.batch;
    const int result = bpf_prog_test_run_opts(bpf_program__fd(programs_->progs.send_frame), &run);
    // Interrupted: a whole number of batches was sent, and counted.
    if (result != 0 && result != -EINTR) {
      return absl::ErrnoToStatus(-result, "the kernel sends no live frames (needs Linux 5.18)");
    }
  }
  return absl::OkStatus();
}

uint64_t LiveFrameSender::ReceivedByFar() const {
  uint64_t received = 0;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return 0;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_PACKET) continue;
    if (std::strcmp(at->ifa_name, VethPair::kFar) != 0 || at->ifa_data == nullptr) continue;
    received = static_cast<const rtnl_link_stats*>(at->ifa_data)->rx_packets;
  }
  freeifaddrs(list);
  return received;
}

uint64_t LiveFrameSender::delivered() const {
  const auto scope = pair_.far().Enter();
  return ReceivedByFar() - received_before_;
}

}  // namespace weir::test
