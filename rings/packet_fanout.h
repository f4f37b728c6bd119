// Fanout groups: several packet sockets of one interface among which the kernel distributes the
// frames, each frame to one of them (packet(7), PACKET_FANOUT; net/packet/af_packet.c). Cold path.
//
// A socket can join when it is bound; before Linux 6.13 its interface must be up, too.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

// How the kernel chooses the socket of a frame. "Whole" modes bring both directions of a flow to
// one socket.
enum class FanoutMode : uint8_t {
  kHash,      // whole: the kernel's symmetric flow hash; later fragments go by their addresses
  kCpu,       // by the processor that received, or sent, the frame
  kQueue,     // qm: by receive queue; whole where the device's own hash is symmetric
  kBalance,   // lb: by turns
  kRandom,    // rnd
  kRollover,  // all to one socket while it has room, then to the next
  kEbpf,      // whole: by the innermost address pair, fragments and ICMP errors too (steer.bpf.c)
};

inline constexpr FanoutMode kFanoutModes[] = {
    FanoutMode::kHash,   FanoutMode::kCpu,      FanoutMode::kQueue, FanoutMode::kBalance,
    FanoutMode::kRandom, FanoutMode::kRollover, FanoutMode::kEbpf};

// The command's word for it.
std::string_view FanoutModeName(FanoutMode mode);

struct FanoutOptions {
  FanoutMode mode = FanoutMode::kHash;
  // A socket without room passes frames on to the next one. Splits flows when it happens.
  bool rollover = false;
  // The kernel puts IPv4 datagrams together before it chooses; incomplete ones are never seen.
  bool defragment = false;
  // kEbpf: of the steering hash. 0: a random one for each group. Groups of one seed and one size
  // steer alike: the two legs of a TAP.
  uint64_t seed = 0;
};

inline constexpr int kMostFanoutSockets = 256;  // PACKET_FANOUT_MAX of older kernels

// Says what is wrong with options, or with a group of that many sockets.
absl::Status CheckFanout(const FanoutOptions& options, int sockets);

// Makes a group whose id nobody else uses, with this socket as its first; returns the id.
absl::StatusOr<uint16_t> CreateFanoutGroup(int fd, const FanoutOptions& options);

// `options` must be the group's.
absl::Status JoinFanoutGroup(int fd, uint16_t id, const FanoutOptions& options);

// Gives a group of mode kEbpf its program; until then all frames go to the first socket. `fd` is
// any member.
absl::Status SteerFanoutGroup(int fd, int program_fd);

}  // namespace weir
