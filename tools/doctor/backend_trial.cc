#include "tools/doctor/backend_trial.h"

#include <memory>
#include <utility>

#include "engine/engine.h"

namespace weir::doctor {
namespace {

class NoConsumer : public ShardConsumer {
 public:
  absl::Status OnBatch(Shard&, std::span<const Event>) override { return absl::OkStatus(); }
};

}  // namespace

BackendFacts TryBackends(const DoctorOptions& options) {
  EngineOptions plan;
  EngineInterface& interface = plan.interfaces.emplace_back();
  interface.legs.push_back({.interface = options.interface,
                            .ring = {.ring_bytes = size_t{options.ring_mib} << 20},
                            .filter = options.filter});
  interface.fanout.mode = options.fanout;
  interface.backend.backend = options.backend;
  plan.shards = options.shards;
  plan.rules = options.rules;
  plan.shard.flow.max_flows = 1;
  const auto engine = Engine::Create(
      std::move(plan), [](const ShardPlace&) { return std::make_unique<NoConsumer>(); });
  if (!engine.ok()) return {engine.status(), {}};
  return {absl::OkStatus(), (*engine)->backends().front()};
}

}  // namespace weir::doctor
