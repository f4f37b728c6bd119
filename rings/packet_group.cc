#include "rings/packet_group.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "rings/steer_program.h"

namespace weir {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Joins them all; a group with a program has it before the second one joins.
absl::Status JoinAll(const std::vector<int>& sockets, const FanoutOptions& fanout,
                     const UniqueFd* program) {
  const auto id = CreateFanoutGroup(sockets[0], fanout);
  if (!id.ok()) return id.status();
  if (program != nullptr) {
    if (auto status = SteerFanoutGroup(sockets[0], program->get()); !status.ok()) return status;
  }
  for (size_t i = 1; i < sockets.size(); ++i) {
    if (auto status = JoinFanoutGroup(sockets[i], *id, fanout); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PacketGroup> OpenPacketGroup(const PacketSourceOptions& options,
                                            const FanoutOptions& fanout, int count,
                                            const PacketGroup* again) {
  if (auto status = CheckFanout(fanout, count); !status.ok()) return status;
  PacketGroup group;
  if (again != nullptr) group.steering = again->steering;
  std::vector<int> sockets;
  for (int i = 0; i < count; ++i) {
    auto source = std::unique_ptr<PacketSource>(new PacketSource);
    PacketSourceOptions shared = options;
    if (again != nullptr) shared.filters = again->filters;
    if (i > 0) shared.filters = group.filters;
    if (auto status = source->Prepare(shared); !status.ok()) return status;
    group.filters = source->filters();
    source->counts_missed_ = i == 0;  // the device's counter is one for all
    sockets.push_back(source->socket_.get());
    group.sources.push_back(std::move(source));
  }
  FanoutOptions used = fanout;
  if (used.seed == 0) used.seed = RandomSeed();
  if (again != nullptr) used.mode = again->mode;
  if (count > 1 && used.mode == FanoutMode::kEbpf && group.steering == nullptr) {
    const bool ethernet = group.sources[0]->interface_.link_type == link_type::kEthernet;
    auto loaded = LoadSteerProgram({.seed = used.seed, .ethernet = ethernet});
    if (loaded.ok()) {
      group.steering = std::make_shared<const UniqueFd>(*std::move(loaded));
    } else {
      used.mode = FanoutMode::kHash;
      group.notes.push_back(absl::StrCat(
          loaded.status().message(),
          "; fanout is hash instead: later fragments, ICMP errors and some tunnels' flows may miss "
          "their flow's shard"));
    }
  }
  group.mode = used.mode;
  if (count > 1 || used.defragment) {
    if (auto status = JoinAll(sockets, used, group.steering.get()); !status.ok()) return status;
  }
  for (const auto& source : group.sources) {
    if (auto status = source->Begin(); !status.ok()) return status;
  }
  return group;
}

}  // namespace weir
