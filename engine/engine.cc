#include "engine/engine.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/expression_filter.h"
#include "engine/placement.h"
#include "engine/rules_filter.h"
#include "engine/shard_plan.h"
#include "engine/shard_thread.h"
#include "engine/split_check.h"

namespace weir {

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(EngineOptions options,
                                                       const ConsumerFactory& consumers) {
  auto engine = std::unique_ptr<Engine>(new Engine);
  if (auto status = engine->Make(std::move(options), consumers); !status.ok()) return status;
  return engine;
}

absl::Status Engine::Make(EngineOptions options, const ConsumerFactory& consumers) {
  if (options.publish_ns <= 0 || options.stall_ns <= options.publish_ns) {
    return absl::InvalidArgumentError("publish_ns must be more than 0, and stall_ns more than it");
  }
  auto plan = MakeEnginePlan(options);
  if (!plan.ok()) return plan.status();
  notes_ = std::move(plan->notes);
  modes_ = std::move(plan->modes);
  backends_ = std::move(plan->backends);
  interface_filters_ = std::move(plan->filters);
  rules_ = options.rules;
  filters_ = options.shard.filters;
  std::vector<std::shared_ptr<SplitCheck>> checks;  // of each group
  for (size_t i = 0; i < modes_.size(); ++i) checks.push_back(std::make_shared<SplitCheck>());
  for (ShardPlan& part : plan->shards) {
    const ShardPlace place = {.shard = shards(),
                              .shards = static_cast<int>(plan->shards.size()),
                              .name = std::move(part.name)};
    const ScopedMemoryNode memory(part.memory_node);
    ShardOptions shard_options = options.shard;
    shard_options.live |= part.live;
    if (auto status = AddFilters(part); !status.ok()) return status;
    shard_options.filters = FiltersFor(threads_.size());
    if (shard_options.snapshots)
      shard_options.snapshots->shard = static_cast<uint32_t>(place.shard);
    if (options.fit != nullptr) options.fit(shard_options, place);
    std::shared_ptr<SplitCheck> check;
    if (part.group >= 0) check = checks[static_cast<size_t>(part.group)];
    if (check != nullptr) shard_options.events |= SplitCheck::kEvents;
    auto shard = Shard::Create(shard_options, std::move(part.sources));
    if (!shard.ok()) return shard.status();
    auto consumer = consumers(place);
    if (consumer == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("no consumer for shard ", place.shard));
    }
    auto thread = ShardThread::Create({.place = place,
                                       .cpus = std::move(part.cpus),
                                       .publish_ns = options.publish_ns,
                                       .stall_ns = options.stall_ns,
                                       .shard = *std::move(shard),
                                       .consumer = std::move(consumer),
                                       .split_check = std::move(check),
                                       .on_ended = [this] { NoteEnded(); }});
    if (!thread.ok()) return thread.status();
    threads_.push_back(*std::move(thread));
  }
  return absl::OkStatus();
}

Engine::Engine() = default;
Engine::~Engine() { Stop(); }

absl::Status Engine::Start() {
  for (const auto& thread : threads_) {
    if (auto status = thread->Start(); !status.ok()) return status;
    const std::lock_guard lock(mutex_);
    ++started_;
  }
  return absl::OkStatus();
}

void Engine::Stop() {
  for (const auto& thread : threads_) thread->Stop();
}

void Engine::NoteEnded() {
  const std::lock_guard lock(mutex_);
  ++ended_;
  ended_changed_.notify_all();
}

bool Engine::WaitFor(int64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  return ended_changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                                 [this] { return ended_ == threads_.size(); });
}

// A shard that has failed waits for Stop.
absl::Status Engine::Join() {
  {
    std::unique_lock lock(mutex_);
    ended_changed_.wait(lock, [this] { return ended_ == started_; });
  }
  Stop();
  for (const auto& thread : threads_) thread->Join();
  return FirstFailure();
}

absl::Status Engine::FirstFailure() const {
  for (const ShardReport& report : Reports()) {
    if (report.status.ok()) continue;
    if (shards() == 1) return report.status;
    return absl::Status(report.status.code(),
                        absl::StrCat("shard ", report.shard, " (", report.interface,
                                     "): ", report.status.message()));
  }
  return absl::OkStatus();
}

absl::Status Engine::Reconfigure(const EngineChange& change) {
  if (change.publish_ns && *change.publish_ns <= 0) {
    return absl::InvalidArgumentError("publish_ns must be more than 0");
  }
  const std::lock_guard lock(changing_);
  if (change.rules != nullptr) {
    if (auto status = UseInKernel(change.rules); !status.ok()) return status;
    rules_ = change.rules;
  }
  if (change.filters) filters_ = *change.filters;
  if (change.publish_ns) publish_ns_ = change.publish_ns;
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->Change({.filters = FiltersFor(i), .publish_ns = publish_ns_});
  }
  return absl::OkStatus();
}

// Of the next shard. An expression has memory of its own, so that no two share it.
absl::Status Engine::AddFilters(ShardPlan& part) {
  interfaces_.push_back(part.interface);
  kernel_filters_.push_back(std::move(part.kernel_filters));
  expressions_.emplace_back();
  if (part.expression.empty()) return absl::OkStatus();
  const auto interfaces = part.sources.front()->interfaces();
  auto expression = ExpressionFilter::Create(part.expression, interfaces.front().link_type);
  if (!expression.ok()) return expression.status();
  expressions_.back() = *std::move(expression);
  return absl::OkStatus();
}

// The rules and the expression, where the kernel does not have them, and the others.
std::vector<std::shared_ptr<PacketFilter>> Engine::FiltersFor(size_t shard) const {
  const KernelFilters& kernel = kernel_filters_[shard];
  const bool in_kernel =
      !kernel.empty() && std::all_of(kernel.begin(), kernel.end(), [](const auto& filter) {
        return filter->rung() == FilterRung::kEbpf;
      });
  std::vector<std::shared_ptr<PacketFilter>> filters;
  if (rules_ != nullptr && !rules_->empty() && !in_kernel) {
    filters.push_back(std::make_shared<RulesFilter>(rules_));
  }
  if (expressions_[shard] != nullptr) filters.push_back(expressions_[shard]);
  filters.insert(filters.end(), filters_.begin(), filters_.end());
  return filters;
}

// Of all interfaces, or of none.
absl::Status Engine::UseInKernel(const std::shared_ptr<const FilterRules>& rules) {
  if (rules_ == nullptr) {
    return absl::FailedPreconditionError(
        "rules can only be changed where EngineOptions::rules were given, empty ones at least");
  }
  std::set<std::shared_ptr<KernelFilter>> all;
  for (const KernelFilters& filters : kernel_filters_) all.insert(filters.begin(), filters.end());
  for (auto next = all.begin(); next != all.end(); ++next) {
    absl::Status status = (*next)->Use(rules);
    if (status.ok()) continue;
    for (auto changed = all.begin(); changed != next; ++changed) {
      (*changed)->Use(rules_).IgnoreError();
    }
    return status;
  }
  return absl::OkStatus();
}

std::vector<BackendChoice> Engine::backends() const {
  std::vector<BackendChoice> backends = backends_;
  for (size_t i = 0; i < backends.size(); ++i) backends[i].Stand(interface_filters_[i]);
  return backends;
}

ShardReport Engine::Report(int shard) const {
  const auto index = static_cast<size_t>(shard);
  ShardReport report = threads_[index]->Report();
  if (interfaces_[index] < 0) return report;
  const auto interface = static_cast<size_t>(interfaces_[index]);
  report.backend = BackendRungName(backends_[interface].StandsOn(interface_filters_[interface]));
  return report;
}

std::vector<ShardReport> Engine::Reports() const {
  std::vector<ShardReport> reports;
  reports.reserve(threads_.size());
  for (int i = 0; i < shards(); ++i) reports.push_back(Report(i));
  return reports;
}

ShardCounters Engine::Counters() const {
  ShardCounters sum;
  for (int i = 0; i < shards(); ++i) sum.Add(Report(i).counters);
  return sum;
}

Shard& Engine::shard(int shard) { return threads_[static_cast<size_t>(shard)]->shard(); }

}  // namespace weir
