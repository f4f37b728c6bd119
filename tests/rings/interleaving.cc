#include "tests/rings/interleaving.h"

#include <ucontext.h>

#include <algorithm>
#include <memory>

namespace weir::test {
namespace {

constexpr int kOutside = -1;  // neither thread runs: before the start, or after the end

// The choices of one execution, replayed and then extended with zeros; Next counts them up.
class Choices {
 public:
  void Rewind() { at_ = 0; }
  size_t Choose(size_t count) {
    if (count <= 1) return 0;
    if (at_ == path_.size()) path_.push_back({0, count});
    return path_[at_++].taken;
  }
  // False when there is no other execution.
  bool Next() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }

 private:
  struct Choice {
    size_t taken;
    size_t count;
  };
  std::vector<Choice> path_;
  size_t at_ = 0;
};

class Execution {
 public:
  Execution(Choices& choices, Weakened weakened) : choices_(choices), weakened_(weakened) {}

  void Run(const Interleaving::Program& program) {
    for (int t = 0; t < 2; ++t) Prepare(fibers_[t], program.threads[t]);
    while (!fibers_[0].ended || !fibers_[1].ended) {
      running_ = Pick();
      swapcontext(&outside_, &fibers_[running_].context);
    }
    running_ = kOutside;
    program.after();
  }

  // Another thread may go first.
  void Yield() {
    if (running_ == kOutside) return;
    const int next = Pick();
    if (next == running_) return;
    const int before = std::exchange(running_, next);
    swapcontext(&fibers_[before].context, &fibers_[next].context);
  }

  uint64_t Load(model::History& history, std::memory_order order) {
    const auto& messages = history.messages;
    if (running_ == kOutside) return messages.back().value;
    if (messages.back().thread == running_) return messages.back().value;  // its own
    Yield();
    const int me = running_;
    size_t oldest = history.seen[me];
    for (size_t i = oldest; i < messages.size(); ++i) {
      const model::Message& m = messages[i];
      if (m.thread < 0 || m.clock.at[m.thread] <= clocks_[me].at[m.thread]) oldest = i;
    }
    const size_t chosen = messages.size() - 1 - choices_.Choose(messages.size() - oldest);
    stale_ += chosen + 1 != messages.size();
    history.seen[me] = chosen;
    const bool acquires =
        order == std::memory_order_acquire && weakened_ != Weakened::kAcquireLoads;
    if (acquires && messages[chosen].released) clocks_[me].Join(messages[chosen].clock);
    return messages[chosen].value;
  }

  void Store(model::History& history, uint64_t value, std::memory_order order) {
    Yield();
    if (running_ == kOutside) return history.messages.push_back({value});
    const bool releases =
        order == std::memory_order_release && weakened_ != Weakened::kReleaseStores;
    ++clocks_[running_].at[running_];
    history.messages.push_back({value, releases, running_, clocks_[running_]});
    history.seen[running_] = history.messages.size() - 1;
    ++clocks_[running_].at[running_];
  }

  void Access(uint32_t (&accessed)[2]) {
    if (running_ == kOutside) return;
    const int other = 1 - running_;
    racy_ |= accessed[other] > clocks_[running_].at[other];
    accessed[running_] = clocks_[running_].at[running_];
  }

  bool racy() const { return racy_; }
  uint64_t stale() const { return stale_; }
  static Execution* current;

 private:
  struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    const std::function<void()>* body = nullptr;
    bool ended = false;
  };

  // A function of its own: getcontext may return twice, and must find no variable changed.
  void Prepare(Fiber& fiber, const std::function<void()>& body) {
    fiber.body = &body;
    fiber.stack.resize(size_t{64} << 10);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = &outside_;
    makecontext(&fiber.context, &Execution::Enter, 0);
  }

  static void Enter() {
    Execution& self = *current;
    Fiber& fiber = self.fibers_[self.running_];
    (*fiber.body)();
    fiber.ended = true;  // uc_link goes on outside
  }

  int Pick() {
    if (fibers_[0].ended) return 1;
    if (fibers_[1].ended) return 0;
    // The one that runs goes on first: fewer switches in the executions that come first.
    const int first = running_ == kOutside ? 0 : running_;
    return choices_.Choose(2) == 0 ? first : 1 - first;
  }

  Choices& choices_;
  const Weakened weakened_;
  Fiber fibers_[2];
  ucontext_t outside_;
  int running_ = kOutside;
  VectorClock clocks_[2] = {{{1, 0}}, {{0, 1}}};
  bool racy_ = false;
  uint64_t stale_ = 0;
};

Execution* Execution::current = nullptr;

}  // namespace

void VectorClock::Join(const VectorClock& other) {
  for (int t = 0; t < 2; ++t) at[t] = std::max(at[t], other.at[t]);
}

Interleaving::Result Interleaving::RunAll(const std::function<Program()>& make, Weakened weakened,
                                          uint64_t limit) {
  Result result;
  Choices choices;
  do {
    choices.Rewind();
    Execution execution(choices, weakened);
    Execution::current = &execution;
    execution.Run(make());
    ++result.executions;
    result.racy += execution.racy();
    result.stale += execution.stale();
  } while (choices.Next() && result.executions < limit);
  Execution::current = nullptr;
  return result;
}

namespace model {

uint64_t Load(History& history, std::memory_order order) {
  return Execution::current->Load(history, order);
}
void Store(History& history, uint64_t value, std::memory_order order) {
  Execution::current->Store(history, value, order);
}
void Access(uint32_t (&accessed)[2]) { Execution::current->Access(accessed); }

}  // namespace model
}  // namespace weir::test
