// After start the packet path allocates nothing, takes no lock, reads no clock and makes no system
// call: flows come, go, time out and are evicted, duplicates are dropped, while every such call is
// counted or, for system calls, deadly.

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/memory_source.h"
#include "tests/support/packet_builder.h"

namespace {

bool counting = false;
int allocations = 0;
int clock_reads = 0;
int locks = 0;

void* Allocate(size_t size) {
  if (counting) ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

// These stand before libc's.
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  if (counting) ++clock_reads;
  return static_cast<int>(syscall(SYS_clock_gettime, clock, now));
}
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (counting) ++locks;
  while (pthread_mutex_trylock(mutex) != 0) sched_yield();
  return 0;
}

namespace weir {
namespace {

// Frames of many flows, UDP and TCP, every third one twice, and a leap of time now and then.
class Traffic {
 public:
  Traffic() {
    for (int i = 0; i < 20'000; ++i) {
      const std::string host =
          "10.0." + std::to_string(i / 250 % 40) + "." + std::to_string(1 + i % 250);
      test::PacketBuilder builder;
      builder.Ethernet().Ipv4(host, "10.1.0.1");
      if (i % 2 == 0) {
        builder.Udp(1000, 53);
      } else {
        builder.Tcp(1000, 80,
                    {.seq = static_cast<uint32_t>(i),
                     .flags = i % 5 == 0 ? tcp_flag::kSyn : tcp_flag::kAck});
      }
      bytes_.push_back(builder.Payload(static_cast<size_t>(i % 100)).Build());
    }
    int64_t time = 1'000'000'000'000;
    for (size_t i = 0; i < bytes_.size(); ++i) {
      time += i % 4000 == 0 ? 400'000'000'000 : 1000;
      frames_.push_back(test::AsFrame(bytes_[i], link_type::kEthernet, time));
      if (i % 3 == 0) frames_.push_back(frames_.back());
    }
  }
  const std::vector<Frame>& frames() const { return frames_; }

 private:
  std::vector<test::Bytes> bytes_;
  std::vector<Frame> frames_;
};

struct Session {
  MemorySource* source;
  std::unique_ptr<Shard> shard;
};

Session Start(const Traffic& traffic) {
  MemorySourceOptions ring;
  ring.block_count = 64;
  auto source = *MemorySource::Create(ring);
  Session run{source.get(), nullptr};
  EXPECT_EQ(source->Refill(traffic.frames()), traffic.frames().size());
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  ShardOptions options;
  options.flow.max_flows = 3000;
  options.dedup.mode = DedupMode::kContent;
  options.snapshots.emplace();
  options.snapshots->flows = 1000;  // fewer than there are
  options.events =
      event_mask::kFlows | event_mask::kPackets | event_mask::kFrames | event_mask::kTicks;
  run.shard = *Shard::Create(options, std::move(sources));
  return run;
}

TEST(QuietPath, NothingIsAllocatedLockedOrAskedOfTheClock) {
  const Traffic traffic;
  const Session run = Start(traffic);
  size_t events = 0;
  counting = true;
  while (run.source->ready()) events += run.shard->Poll().size();
  counting = false;
  EXPECT_EQ(allocations, 0);
  EXPECT_EQ(clock_reads, 0);
  EXPECT_EQ(locks, 0);
  EXPECT_GT(events, traffic.frames().size());
  EXPECT_GT(run.shard->flows().counters().ended[static_cast<size_t>(FlowEnd::kIdle)], 1000u);
  EXPECT_GT(run.shard->flows().counters().ended[static_cast<size_t>(FlowEnd::kEvicted)], 1000u);
  EXPECT_GT(run.shard->ledger().duplicate, 1000u);
  const Snapshot* const snapshot = run.shard->snapshots()->Take();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->deltas->flows().size(), 1000u);
  EXPECT_FALSE(snapshot->deltas->address_places().empty());
}

// Only exit_group is left to this process.
void ForbidSystemCalls() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog program{.len = 4, .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(77);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(77);
}

TEST(QuietPath, NoSystemCallIsMade) {
  const Traffic traffic;
  const Session run = Start(traffic);
  const pid_t child = fork();
  if (child == 0) {
    ForbidSystemCalls();
    while (run.source->ready()) run.shard->Poll();
    syscall(SYS_exit_group, run.shard->ledger().received == traffic.frames().size() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
    GTEST_SKIP() << "seccomp filters are not allowed here";
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status)
                                 << ": a system call was made";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace weir
