#include "tools/load/send/live_sender.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "live_window.skel.h"
#include "rings/clock.h"
#include "rings/silent_libbpf.h"

namespace weir::load {
namespace {

constexpr uint32_t kAlignment = 64;  // of frames in the window
// Gaps up to this the program waits out; it holds up the processor's other work meanwhile.
constexpr int64_t kProgramWaitsNs = 100'000;
constexpr int64_t kCallNs = 60'000;       // from the call to the first frame, and a little
constexpr int64_t kWindowNs = 1'000'000;  // of a schedule that one call carries

absl::Status Gro(const std::string& interface, uint32_t command, bool* on) {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value = {command, 1};
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd.get(), SIOCETHTOOL, &request) != 0)
    return absl::ErrnoToStatus(errno, interface + ": cannot ask for or set GRO");
  *on = value.data != 0;
  return absl::OkStatus();
}

absl::Status Untaken(const std::string& interface) {
  return absl::FailedPreconditionError(absl::StrFormat(
      "%s is a veth whose other end takes no XDP frames: there, start the receiver by AF_XDP first "
      "or switch GRO on (ethtool -K IF gro on)",
      interface));
}

}  // namespace

LiveSender::LiveSender(const SendOptions& options, LinkQuery link)
    : BatchSender(options, std::move(link)), template_(options.most_frame_bytes) {}

LiveSender::~LiveSender() { live_window__destroy(programs_); }

absl::StatusOr<std::unique_ptr<FrameSender>> LiveSender::Open(const SendOptions& options,
                                                              LinkQuery link, int interface_index,
                                                              bool certain) {
  if (options.most_frame_bytes > WEIR_WINDOW_MOST_FRAME) {
    return absl::InvalidArgumentError(
        absl::StrFormat("live frames are at most %u bytes long, not %u",
                        static_cast<uint32_t>(WEIR_WINDOW_MOST_FRAME), options.most_frame_bytes));
  }
  auto sender = std::unique_ptr<LiveSender>(new LiveSender(options, std::move(link)));
  if (auto status = sender->CheckOtherEnd(certain); !status.ok()) return status;
  if (auto status = sender->Load(interface_index, certain); !status.ok()) return status;
  if (auto status = sender->Prepare(interface_index); !status.ok()) return status;
  return sender;
}

absl::Status LiveSender::CheckOtherEnd(bool certain) const {
  if (at_start().kind != "veth") return absl::OkStatus();
  const auto other = link().AskOtherEnd();
  if (other.ok() && other->native_program) return absl::OkStatus();
  if (other.ok() && !at_start().other_namespace) {
    bool on = false;
    if (auto status = Gro(other->name, ETHTOOL_GGRO, &on); !status.ok() || on) return status;
    if (options().gro_on_peer) return Gro(other->name, ETHTOOL_SGRO, &on);
    return Untaken(options().interface);
  }
  return certain ? Untaken(options().interface) : absl::OkStatus();
}

absl::Status LiveSender::Load(int interface_index, bool certain) {
  const SilentLibbpf silent;
  programs_ = live_window__open();
  if (programs_ == nullptr) return absl::ErrnoToStatus(errno, "cannot open the BPF program");
  programs_->rodata->room = options().most_frame_bytes;
  const int error = -live_window__load(programs_);
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError("live frames need CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW");
  }
  if (error != 0) {
    return absl::ErrnoToStatus(error,
                               "the kernel does not take the BPF program (needs Linux 5.18)");
  }
  const uint32_t key = 0;
  if (bpf_map__update_elem(programs_->maps.target, &key, sizeof key, &interface_index,
                           sizeof interface_index, BPF_ANY) != 0) {
    return absl::ErrnoToStatus(errno,
                               options().interface + ": frames cannot be redirected out of it");
  }
  // Without it all works, with pauses.
  auto hold = ProgramHold::Create(bpf_program__fd(programs_->progs.send_frame));
  if (!hold.ok()) return certain ? hold.status() : absl::OkStatus();
  hold_ = *std::move(hold);
  return absl::OkStatus();
}

absl::Status LiveSender::Prepare(int interface_index) {
  constexpr absl::Duration kPatience = absl::Seconds(10), kPause = absl::Milliseconds(10);
  if (at_start().kind == "veth" || at_start().native_program) return absl::OkStatus();
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = XDP_FLAGS_DRV_MODE;
  const int program = bpf_program__fd(programs_->progs.pass_frame);
  const int attached = bpf_link_create(program, interface_index, BPF_XDP, &options);
  if (attached < 0) {
    return absl::ErrnoToStatus(
        -attached,
        absl::StrFormat("%s takes no live frames: no XDP program in its driver", at_start().name));
  }
  pass_link_ = UniqueFd(attached);
  const absl::Time until = absl::Now() + kPatience;
  for (;;) {
    const auto now = link().Ask();
    if (!now.ok() || now->running) return now.status();
    if (absl::Now() > until)
      return absl::UnavailableError(at_start().name + ": the link is down (ip link show)");
    absl::SleepFor(kPause);
  }
}

uint8_t* LiveSender::Room(uint32_t length) {
  weir_window_frame& frame = programs_->bss->frames[frames_++];
  frame = {.offset = bytes_, .length = static_cast<uint16_t>(length)};
  uint8_t* const room = programs_->bss->bytes + bytes_;
  bytes_ += (length + kAlignment - 1) / kAlignment * kAlignment;
  return room;
}

static_assert(256 * (WEIR_WINDOW_MOST_FRAME + kAlignment) + WEIR_WINDOW_MOST_FRAME <=
                  WEIR_WINDOW_BYTES,
              "the largest batch of the longest frames fits");

bool LiveSender::HasRoomForBatch() const {
  const uint32_t batch = options().batch;
  const uint32_t bytes = batch * (options().most_frame_bytes + kAlignment);
  // The program reads at most a longest frame from an offset on.
  return frames_ + batch <= WEIR_WINDOW_FRAMES &&
         bytes_ + bytes + WEIR_WINDOW_MOST_FRAME <= WEIR_WINDOW_BYTES;
}

absl::Status LiveSender::Leave(uint32_t /*frames*/, const Pacer::Place& place,
                               std::span<uint8_t* const> probes) {
  auto& window = *programs_->bss;
  uint32_t at = batch_start_;
  for (uint8_t* const probe : probes) {
    const auto offset = static_cast<uint32_t>(probe - window.bytes);
    while (at + 1 < frames_ && window.frames[at + 1].offset <= offset) ++at;
    window.frames[at].stamp_at = static_cast<uint16_t>(offset - window.frames[at].offset);
  }
  if (paced()) {
    weir_window_frame& first = window.frames[batch_start_];
    first.due_ns = static_cast<uint64_t>(place.due_ns);
    first.gap_ns = static_cast<uint32_t>(std::min(place.gap_ns / 2, kProgramWaitsNs));
    if (batch_start_ == 0) first_due_ns_ = place.due_ns;
    due_span_ns_ = place.due_ns + place.gap_ns - first_due_ns_;
  }
  batch_start_ = frames_;
  const bool enough = paced() && (place.gap_ns > kProgramWaitsNs || due_span_ns_ >= kWindowNs);
  return enough || !HasRoomForBatch() ? Run() : absl::OkStatus();
}

absl::Status LiveSender::Drain() { return frames_ != 0 ? Run() : absl::OkStatus(); }

absl::Status LiveSender::Run() {
  auto& window = *programs_->bss;
  if (paced()) WaitUntil(first_due_ns_ - kCallNs);
  const int64_t first_ns = std::max(ReadClockNs(CLOCK_MONOTONIC), first_due_ns_);
  xdp_md context{};
  context.data_end = options().most_frame_bytes;
  window.next = 0;
  while (window.next < frames_) {
    const uint32_t before = window.next;
    LIBBPF_OPTS(bpf_test_run_opts, run);
    run.data_in = template_.data();
    run.data_size_in = options().most_frame_bytes;
    run.ctx_in = &context;
    run.ctx_size_in = sizeof context;
    run.repeat = static_cast<int>(frames_ - before);
    run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    run.batch_size = options().batch;
    const int result = bpf_prog_test_run_opts(bpf_program__fd(programs_->progs.send_frame), &run);
    // Interrupted: whole batches have left, and the program has counted them.
    if (result != 0 && result != -EINTR) {
      return absl::ErrnoToStatus(-result, "the kernel sends no live frames (needs Linux 5.18)");
    }
    if (result == 0 && window.next == before) {
      return absl::InternalError("the kernel ran no live frames");
    }
  }
  Left(frames_, first_ns);
  frames_ = batch_start_ = bytes_ = 0;
  return checked_ ? absl::OkStatus() : CheckFirst();
}

// Frames that a device does not take vanish without an error. Whether any leave at all is seen on
// its counters once the first are on their way.
absl::Status LiveSender::CheckFirst() {
  constexpr absl::Duration kPatience = absl::Milliseconds(300), kPause = absl::Milliseconds(2);
  const absl::Time until = absl::Now() + kPatience;
  do {
    const auto now = link().Ask();
    if (!now.ok() || now->transmitted != at_start().transmitted) {
      checked_ = true;
      return absl::OkStatus();
    }
    absl::SleepFor(kPause);
  } while (absl::Now() < until);
  if (at_start().kind == "veth") return Untaken(options().interface);
  return absl::FailedPreconditionError(absl::StrFormat(
      "no live frame left %s as far as its counters tell: its driver may not send XDP frames; use "
      "another method",
      options().interface));
}

}  // namespace weir::load
