#include "engine/shard_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/interface_sources.h"
#include "engine/placement.h"
#include "rings/network_interface.h"
#include "rings/packet_source.h"

namespace weir {
namespace {

absl::Status CheckInterfaces(const std::vector<EngineInterface>& interfaces) {
  std::vector<std::string> names;
  for (const EngineInterface& interface : interfaces) {
    if (interface.legs.empty()) return absl::InvalidArgumentError("an interface without a name");
    for (const PacketSourceOptions& leg : interface.legs) {
      if (std::find(names.begin(), names.end(), leg.interface) != names.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "interface ", leg.interface,
            " is named twice: each frame would be seen twice. Give it once, with more shards"));
      }
      names.push_back(leg.interface);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSources(const std::vector<ShardSources>& shards) {
  for (const ShardSources& sources : shards) {
    if (sources.empty()) return absl::InvalidArgumentError("a shard without a source");
    for (const auto& source : sources) {
      if (dynamic_cast<const PacketSource*>(source.get()) == nullptr) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "a packet socket on ", source->interfaces().front().name,
          " among ready-made sources: name the interface in EngineOptions::interfaces, so that "
          "each frame goes to one shard"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCpus(const std::vector<int>& cpus) {
  const std::vector<int> usable = UsableCpus();
  for (int cpu : cpus) {
    if (std::find(usable.begin(), usable.end(), cpu) != usable.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("processor ", cpu, " is not to be had: only ", CpuListText(usable), " are"));
  }
  return absl::OkStatus();
}

// Gives processors to shards, one after another.
class Processors {
 public:
  explicit Processors(const std::vector<int>& cpus) : cpus_(cpus) {}

  // To shards[first...], all those of one interface. `node`: the interface's.
  void Place(std::vector<ShardPlan>& shards, size_t first, int node) {
    const std::vector<int> of_node = UsableCpusOf(node);
    const bool alone = shards.size() - first == 1;
    for (size_t i = first; i < shards.size(); ++i) {
      ShardPlan& shard = shards[i];
      if (!cpus_.empty()) {
        shard.cpus = {cpus_[i % cpus_.size()]};
      } else if (shard.live && alone) {
        shard.cpus = of_node;  // the scheduler keeps it off what is busy
      } else if (shard.live) {
        shard.cpus = {of_node[next_++ % of_node.size()]};
      }
      shard.memory_node = shard.cpus.size() == 1 ? NodeOfCpu(shard.cpus.front()) : node;
    }
  }

 private:
  const std::vector<int>& cpus_;
  size_t next_ = 0;
};

int NodeOf(const EngineInterface& interface) { return NumaNodeOf(interface.legs[0].interface); }

// Shards that an interface may have where nobody said how many.
int MostShards(const EngineInterface& interface, const EngineOptions& options) {
  const size_t cpus =
      options.cpus.empty() ? UsableCpusOf(NodeOf(interface)).size() : options.cpus.size();
  const auto share = static_cast<int>(std::max<size_t>(cpus / options.interfaces.size(), 1));
  return std::min(share, kMostFanoutSockets);
}

absl::Status Open(const EngineInterface& interface, const EngineOptions& options,
                  EnginePlan& plan) {
  EngineInterface with_rules = interface;
  for (PacketSourceOptions& leg : with_rules.legs) leg.rules = options.rules;
  auto opened = OpenInterface(with_rules, options.shards, MostShards(interface, options));
  if (!opened.ok()) return opened.status();
  for (std::string& note : opened->notes) {
    if (std::find(plan.notes.begin(), plan.notes.end(), note) == plan.notes.end())
      plan.notes.push_back(std::move(note));
  }
  plan.modes.push_back(opened->mode);
  plan.backends.push_back(std::move(opened->choice));
  plan.filters.push_back(opened->kernel_filters);
  for (ShardSources& sources : opened->shards) {
    ShardPlan& shard = plan.shards.emplace_back();
    shard.sources = std::move(sources);
    shard.name = NameOf(interface);
    shard.live = true;
    shard.kernel_filters = opened->kernel_filters;
    shard.expression = opened->expression;
    shard.interface = static_cast<int>(plan.backends.size()) - 1;
    if (opened->shards.size() > 1) shard.group = static_cast<int>(plan.modes.size()) - 1;
  }
  return absl::OkStatus();
}

void Wrap(const EngineOptions& options, EnginePlan& plan) {
  if (options.wrap == nullptr) return;
  for (ShardPlan& shard : plan.shards) {
    for (auto& source : shard.sources) source = options.wrap(std::move(source));
  }
}

}  // namespace

absl::StatusOr<EnginePlan> MakeEnginePlan(EngineOptions& options) {
  absl::Status status = CheckInterfaces(options.interfaces);
  status.Update(CheckSources(options.sources));
  status.Update(CheckCpus(options.cpus));
  if (options.shards < 0) status.Update(absl::InvalidArgumentError("fewer than 0 shards"));
  if (!status.ok()) return status;
  EnginePlan plan;
  Processors processors(options.cpus);
  for (const EngineInterface& interface : options.interfaces) {
    const int node = options.cpus.empty() ? NodeOf(interface) : NodeOfCpu(options.cpus.front());
    const ScopedMemoryNode memory(node);
    const size_t first = plan.shards.size();
    if (auto opened = Open(interface, options, plan); !opened.ok()) return opened;
    processors.Place(plan.shards, first, NodeOf(interface));
  }
  for (ShardSources& sources : options.sources) {
    ShardPlan shard;
    const auto interfaces = sources.front()->interfaces();
    if (!interfaces.empty()) shard.name = interfaces.front().name;
    shard.sources = std::move(sources);
    plan.shards.push_back(std::move(shard));
    processors.Place(plan.shards, plan.shards.size() - 1, -1);
  }
  if (plan.shards.empty()) return absl::InvalidArgumentError("an engine needs something to read");
  Wrap(options, plan);
  return plan;
}

}  // namespace weir
