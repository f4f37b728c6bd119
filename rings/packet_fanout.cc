#include "rings/packet_fanout.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace weir {
namespace {

struct Mode {
  const char* name;
  uint16_t type;
};

Mode ModeOf(FanoutMode mode) {
  switch (mode) {
    case FanoutMode::kHash:
      return {"hash", PACKET_FANOUT_HASH};
    case FanoutMode::kCpu:
      return {"cpu", PACKET_FANOUT_CPU};
    case FanoutMode::kQueue:
      return {"qm", PACKET_FANOUT_QM};
    case FanoutMode::kBalance:
      return {"lb", PACKET_FANOUT_LB};
    case FanoutMode::kRandom:
      return {"rnd", PACKET_FANOUT_RND};
    case FanoutMode::kRollover:
      return {"rollover", PACKET_FANOUT_ROLLOVER};
    case FanoutMode::kEbpf:
      return {"ebpf", PACKET_FANOUT_EBPF};
  }
  return {"?", UINT16_MAX};
}

uint16_t TypeAndFlags(const FanoutOptions& options) {
  return static_cast<uint16_t>(ModeOf(options.mode).type |
                               (options.rollover ? PACKET_FANOUT_FLAG_ROLLOVER : 0) |
                               (options.defragment ? PACKET_FANOUT_FLAG_DEFRAG : 0));
}

absl::Status Join(int fd, uint16_t id, uint16_t type_and_flags, FanoutMode mode) {
  const uint32_t argument = id | uint32_t{type_and_flags} << 16;
  if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &argument, sizeof argument) == 0) {
    return absl::OkStatus();
  }
  const char* advice = "";
  if (errno == EINVAL) advice = "; is the interface up? (needed before Linux 6.13)";
  if (errno == ENOMEM) advice = "; are all 65,536 group ids of this network namespace in use?";
  return absl::ErrnoToStatus(
      errno, absl::StrFormat("cannot join a fanout group of mode %s%s", ModeOf(mode).name, advice));
}

}  // namespace

std::string_view FanoutModeName(FanoutMode mode) { return ModeOf(mode).name; }

absl::Status CheckFanout(const FanoutOptions& options, int sockets) {
  if (sockets < 1 || sockets > kMostFanoutSockets) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%d sockets on one interface: 1 to %d are possible", sockets, kMostFanoutSockets));
  }
  if (options.mode == FanoutMode::kRollover && options.rollover) {
    return absl::InvalidArgumentError(
        "fanout mode rollover with the rollover flag: the flag is for the other modes, leave it "
        "out");
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> CreateFanoutGroup(int fd, const FanoutOptions& options) {
  const auto unique = static_cast<uint16_t>(TypeAndFlags(options) | PACKET_FANOUT_FLAG_UNIQUEID);
  if (auto status = Join(fd, 0, unique, options.mode); !status.ok()) return status;
  uint32_t group = 0;
  socklen_t length = sizeof group;
  if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, &length) != 0) {
    return absl::ErrnoToStatus(errno, "cannot read the id of a fanout group");
  }
  return static_cast<uint16_t>(group & 0xffff);
}

absl::Status JoinFanoutGroup(int fd, uint16_t id, const FanoutOptions& options) {
  return Join(fd, id, TypeAndFlags(options), options.mode);
}

absl::Status SteerFanoutGroup(int fd, int program_fd) {
  if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program_fd, sizeof program_fd) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "cannot give the fanout group its steering program");
}

}  // namespace weir
