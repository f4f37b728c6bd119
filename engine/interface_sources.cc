#include "engine/interface_sources.h"

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/frame_expression.h"
#include "rings/host_use.h"
#include "rings/network_interface.h"
#include "rings/packet_group.h"
#include "rings/receive_hash.h"
#include "rings/reopening_source.h"
#include "rings/xdp_group.h"

namespace weir {
namespace {

constexpr BackendRung kXdpRungs[] = {BackendRung::kXdpZeroCopy, BackendRung::kXdpCopy,
                                     BackendRung::kXdpGeneric};

XdpMode ModeOf(BackendRung rung) {
  if (rung == BackendRung::kXdpZeroCopy) return XdpMode::kZeroCopy;
  return rung == BackendRung::kXdpCopy ? XdpMode::kCopy : XdpMode::kGeneric;
}

int QueuesOf(const EngineInterface& interface) {
  int queues = 1;
  for (const PacketSourceOptions& leg : interface.legs) {
    queues = std::max(queues, ReceiveQueues(leg.interface));
  }
  return queues;
}

bool FlowsKeepTheirQueues(const EngineInterface& interface) {
  return std::all_of(interface.legs.begin(), interface.legs.end(),
                     [](const auto& leg) { return FlowsKeepTheirQueue(leg.interface); });
}

void AddNotes(std::span<const std::string> more, std::vector<std::string>& notes) {
  for (const std::string& note : more) {
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  }
}

// Opens the sources of a group again, all at once when the first of its shards asks; the others
// find theirs waiting.
class GroupOpener {
 public:
  GroupOpener(PacketSourceOptions options, FanoutOptions fanout, PacketGroup& group)
      : options_(std::move(options)), fanout_(fanout), waiting_(group.sources.size()) {
    former_.mode = group.mode;
    former_.filters = group.filters;
    former_.steering = group.steering;
  }

  // Any thread.
  absl::StatusOr<std::unique_ptr<FrameSource>> Open(size_t member) {
    const std::lock_guard lock(mutex_);
    if (waiting_[member] == nullptr) {
      if (const auto found = FindInterface(options_.interface); !found.ok()) return found.status();
      for (auto& source : waiting_) source.reset();
      auto group = OpenPacketGroup(options_, fanout_, static_cast<int>(waiting_.size()), &former_);
      if (!group.ok()) return group.status();
      std::move(group->sources.begin(), group->sources.end(), waiting_.begin());
    }
    return std::move(waiting_[member]);
  }

 private:
  PacketSourceOptions options_;
  FanoutOptions fanout_;
  PacketGroup former_;  // without its sources
  std::mutex mutex_;
  std::vector<std::unique_ptr<FrameSource>> waiting_;  // guarded by mutex_
};

// Each goes on when the interface was removed and is there again.
absl::StatusOr<std::vector<std::unique_ptr<FrameSource>>> Reopening(
    const PacketSourceOptions& options, const FanoutOptions& fanout, PacketGroup& group) {
  auto opener = std::make_shared<GroupOpener>(options, fanout, group);
  std::vector<std::unique_ptr<FrameSource>> sources;
  for (size_t i = 0; i < group.sources.size(); ++i) {
    auto source = ReopeningSource::Create(std::move(group.sources[i]),
                                          [opener, i] { return opener->Open(i); });
    if (!source.ok()) return source.status();
    sources.push_back(*std::move(source));
  }
  return sources;
}

template <typename Source>
void Share(std::vector<std::unique_ptr<Source>>& sources, std::vector<ShardSources>& shards) {
  shards.resize(std::max(shards.size(), sources.size()));
  for (size_t i = 0; i < sources.size(); ++i) shards[i].push_back(std::move(sources[i]));
}

// Both legs of a TAP distribute by the same hash.
FanoutOptions WithSeed(FanoutOptions fanout) {
  std::random_device device;
  while (fanout.seed == 0) fanout.seed = uint64_t{device()} << 32 | device();
  return fanout;
}

absl::StatusOr<InterfaceSources> OpenPacket(const EngineInterface& interface, int shards) {
  InterfaceSources opened;
  const FanoutOptions fanout = WithSeed(interface.fanout);
  for (const PacketSourceOptions& leg : interface.legs) {
    auto group = OpenPacketGroup(leg, fanout, shards);
    if (!group.ok()) return group.status();
    AddNotes(group->notes, opened.notes);
    if (opened.shards.empty()) {
      opened.mode = group->mode;
    } else if (group->mode != opened.mode) {
      return absl::FailedPreconditionError(
          absl::StrCat("the legs of ", NameOf(interface), " cannot be steered alike"));
    }
    for (const auto& source : group->sources) AddNotes(source->notes(), opened.notes);
    opened.kernel_filters.push_back(group->filters);
    if (group->filters->expression_in_shard()) opened.expression = leg.filter;
    if (!interface.reopen) {
      Share(group->sources, opened.shards);
      continue;
    }
    auto reopening = Reopening(leg, fanout, *group);
    if (!reopening.ok()) return reopening.status();
    Share(*reopening, opened.shards);
  }
  return opened;
}

absl::StatusOr<InterfaceSources> OpenXdp(const EngineInterface& interface, int shards,
                                         XdpMode mode) {
  InterfaceSources opened;
  opened.mode = FanoutMode::kQueue;
  for (const PacketSourceOptions& leg : interface.legs) {
    auto group = OpenXdpGroup({.interface = leg.interface,
                               .mode = mode,
                               .ring_bytes = leg.ring.ring_bytes,
                               .snap_length = leg.snap_length,
                               .promiscuous = leg.promiscuous,
                               .rules = leg.rules,
                               .busy_poll_us = interface.backend.busy_poll_us,
                               .busy_poll_budget = interface.backend.busy_poll_budget},
                              shards);
    if (!group.ok()) return group.status();
    AddNotes(group->notes, opened.notes);
    if (group->filters != nullptr) opened.kernel_filters.push_back(group->filters);
    opened.expression = leg.filter;
    Share(group->sources, opened.shards);
  }
  return opened;
}

// What AF_XDP cannot do, whichever its mode.
absl::Status CheckXdpCan(const EngineInterface& interface) {
  for (const PacketSourceOptions& leg : interface.legs) {
    if (leg.direction == CaptureDirection::kOut) {
      return absl::UnimplementedError("it sees only what comes in, not --direction out");
    }
    if (!leg.filter.empty()) {
      if (auto status = FrameExpression::Compile(leg.filter).status(); !status.ok()) return status;
    }
    if (leg.hardware_timestamps) {
      return absl::UnimplementedError("it has no hardware time stamps");
    }
  }
  return absl::OkStatus();
}

// Why `auto` leaves AF_XDP alone where it would work.
absl::Status CheckXdpMay(const EngineInterface& interface, int shards) {
  for (const PacketSourceOptions& leg : interface.legs) {
    const auto needs = WhyHostNeeds(*FindInterface(leg.interface));
    if (!needs.ok()) return needs.status();
    if (!needs->empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(leg.interface, " ", *needs,
                       ": frames would be taken away from the host (--backend xdp does that)"));
    }
  }
  // With one shard for all queues AF_XDP would leave the other processors idle.
  if (shards > 1 && !FlowsKeepTheirQueues(interface)) {
    return absl::FailedPreconditionError(
        absl::StrCat(NameOf(interface), " does not show a symmetric RSS hash: ", shards,
                     " shards would get parts of flows (--shards 1 reads all queues)"));
  }
  return absl::OkStatus();
}

// One shard for all queues where queues of their own would cut flows.
int XdpShards(const EngineInterface& interface, int shards, int most,
              std::vector<std::string>& notes) {
  const int queues = QueuesOf(interface);
  const int wanted = shards > 0 ? shards : std::min(queues, most);
  if (wanted == 1 || FlowsKeepTheirQueues(interface)) return wanted;
  const std::string hash = absl::StrCat(NameOf(interface), " does not show a symmetric RSS hash");
  if (shards > 0) {
    notes.push_back(absl::StrCat(hash, ": the two directions of a flow may go to two shards"));
    return shards;
  }
  notes.push_back(absl::StrCat(hash, ": one shard reads its ", queues,
                               " receive queues, so that flows stay whole (--shards ", queues,
                               " gives each its own)"));
  return 1;
}

class Ladder {
 public:
  Ladder(const EngineInterface& interface, int shards, int most)
      : interface_(interface), shards_(shards), most_(most) {
    choice_.interface = NameOf(interface);
  }

  absl::StatusOr<InterfaceSources> Climb() {
    if (interface_.backend.backend != Backend::kPacket) {
      if (auto opened = TryXdp()) return *std::move(opened);
    }
    if (interface_.backend.backend == Backend::kXdp) {
      return absl::Status(
          last_, absl::StrCat("no AF_XDP on ", choice_.interface, ": ", choice_.Refusals()));
    }
    auto opened = OpenPacket(interface_, PacketShards());
    if (!opened.ok()) return opened;
    choice_.rung = BackendRung::kPacket;
    choice_.Stand(opened->kernel_filters);
    opened->choice = std::move(choice_);
    return opened;
  }

 private:
  // What stands in the way of all modes is not asked for three times.
  static bool OfAllModes(const absl::Status& status) {
    return absl::IsPermissionDenied(status) || absl::IsFailedPrecondition(status) ||
           absl::IsInvalidArgument(status);
  }

  int PacketShards() const { return shards_ > 0 ? shards_ : std::min(QueuesOf(interface_), most_); }

  std::optional<InterfaceSources> TryXdp() {
    absl::Status status = CheckXdpCan(interface_);
    if (interface_.backend.backend == Backend::kAuto) {
      status.Update(CheckXdpMay(interface_, PacketShards()));
    }
    bool hopeless = !status.ok();
    std::vector<std::string> notes;
    const int shards = hopeless ? 0 : XdpShards(interface_, shards_, most_, notes);
    for (const BackendRung rung : kXdpRungs) {
      const auto only = interface_.backend.xdp_mode;
      if (only.has_value() && *only != ModeOf(rung)) continue;
      if (!hopeless) {
        auto opened = OpenXdp(interface_, shards, ModeOf(rung));
        if (opened.ok()) {
          AddNotes(notes, opened->notes);
          choice_.rung = rung;
          choice_.rules_in_xdp = !opened->kernel_filters.empty();
          choice_.expression_in_shard = !opened->expression.empty();
          opened->choice = std::move(choice_);
          return *std::move(opened);
        }
        status = opened.status();
        hopeless = OfAllModes(status);
      }
      last_ = status.code();
      choice_.refused.push_back({rung, std::string(status.message())});
    }
    return std::nullopt;
  }

  const EngineInterface& interface_;
  int shards_, most_;
  BackendChoice choice_;
  absl::StatusCode last_ = absl::StatusCode::kUnavailable;
};

}  // namespace

std::string NameOf(const EngineInterface& interface) {
  std::string name;
  for (const PacketSourceOptions& leg : interface.legs) {
    absl::StrAppend(&name, name.empty() ? "" : "+", leg.interface);
  }
  return name;
}

absl::StatusOr<InterfaceSources> OpenInterface(const EngineInterface& interface, int shards,
                                               int most) {
  for (const PacketSourceOptions& leg : interface.legs) {
    if (const auto found = FindInterface(leg.interface); !found.ok()) return found.status();
    if (leg.filter != interface.legs[0].filter) {
      return absl::InvalidArgumentError(
          absl::StrCat("the legs of ", NameOf(interface), " have different filters"));
    }
  }
  return Ladder(interface, shards, most).Climb();
}

}  // namespace weir
