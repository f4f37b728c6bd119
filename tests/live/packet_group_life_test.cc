// How a fanout group comes to be, what it does without, and what it lives through.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "rings/network_interface.h"
#include "rings/packet_socket.h"
#include "tests/live/packet_group_fixture.h"

namespace weir::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class PacketGroupLifeTest : public PacketGroupTest {
 protected:
  void SendAndExpectOnce() {
    for (uint32_t i = 0; i < 200; ++i) near_->Send(Marked(Flow(i, false), i));
    ExpectOnce(ReceiveAll(), 0, 200);
  }
};

// Frames come in all the time while the sockets are opened and join.
TEST_F(PacketGroupLifeTest, NothingComesTwiceOrIsLostFromTheStartOn) {
  options_.ring.ring_bytes = 16 << 20;
  std::atomic<uint32_t> sent{0};
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    for (uint32_t i = 0; !stop.load(); ++i) {
      near_->Send(Marked(Flow(i % 100, false), i));
      sent.store(i + 1);
    }
  });
  while (sent.load() == 0) std::this_thread::yield();
  MustOpen({.mode = FanoutMode::kHash});
  const uint32_t first = sent.load() + 1;  // one may be under way
  while (sent.load() < first + 1000) std::this_thread::yield();
  stop.store(true);
  sender.join();
  const Arrivals arrivals = ReceiveAll();
  ExpectOnce(arrivals, first, sent.load() - first);
  for (const auto& [mark, source] : arrivals) ASSERT_EQ(arrivals.count(mark), 1u) << mark;
  EXPECT_EQ(Sum(group_).ring_dropped, 0u);
}

TEST_F(PacketGroupLifeTest, TheFilterHoldsForEverySource) {
  options_.filter = "udp src port 1025";
  MustOpen({.mode = FanoutMode::kBalance});
  for (uint32_t i = 0; i < 40; ++i) near_->Send(Marked(Flow(i % 2, false), i));
  const Arrivals arrivals = ReceiveAll();
  EXPECT_EQ(arrivals.size(), 20u);
  for (const auto& [mark, source] : arrivals) EXPECT_EQ(mark % 2, 1u);
}

TEST_F(PacketGroupLifeTest, TwoGroupsSeeEveryFrameEach) {
  MustOpen({.mode = FanoutMode::kHash});
  PacketGroup first = std::move(group_);
  MustOpen({.mode = FanoutMode::kHash});
  for (uint32_t i = 0; i < 200; ++i) near_->Send(Marked(Flow(i, false), i));
  ExpectOnce(ReceiveAll(first), 0, 200);
  ExpectOnce(ReceiveAll(group_), 0, 200);
}

TEST_F(PacketGroupLifeTest, GroupsHaveDifferentIds) {
  const auto scope = pair_->far().Enter();
  const auto interface = FindInterface(VethPair::kFar);
  ASSERT_TRUE(interface.ok());
  std::vector<UniqueFd> sockets;
  std::vector<uint16_t> ids;
  for (int i = 0; i < 3; ++i) {
    auto fd = OpenPacketSocket(false);
    ASSERT_TRUE(fd.ok()) << fd.status();
    ASSERT_TRUE(BindPacketSocket(fd->get(), *interface).ok());
    const auto id = CreateFanoutGroup(fd->get(), {});
    ASSERT_TRUE(id.ok()) << id.status();
    EXPECT_THAT(ids, testing::Not(Contains(*id)));
    ids.push_back(*id);
    sockets.push_back(*std::move(fd));
  }
}

TEST_F(PacketGroupLifeTest, AGroupLivesThroughDownAndUp) {
  MustOpen({.mode = FanoutMode::kHash});
  pair_->far().Ip("link set far0 down");
  ReceiveAll();
  pair_->far().Ip("link set far0 up");
  ReceiveAll();
  SendAndExpectOnce();
}

TEST_F(PacketGroupLifeTest, OnAnInterfaceThatIsDownItWaitsOrSaysSo) {
  pair_->far().Ip("link set far0 down");
  auto group = Open({.mode = FanoutMode::kHash}, 4);
  if (!group.ok()) {  // before Linux 6.13
    EXPECT_THAT(std::string(group.status().message()), HasSubstr("is the interface up?"));
    return;
  }
  group_ = *std::move(group);
  ReceiveAll();
  pair_->far().Ip("link set far0 up");
  ReceiveAll();
  SendAndExpectOnce();
}

TEST_F(PacketGroupLifeTest, TheOthersTakeOverFromASourceThatIsGone) {
  MustOpen({.mode = FanoutMode::kHash});
  group_.sources.erase(group_.sources.begin() + 1);
  SendAndExpectOnce();
}

TEST_F(PacketGroupLifeTest, TheDevicesCounterCountsOnce) {
  MustOpen({.mode = FanoutMode::kHash});
  EXPECT_TRUE(group_.sources[0]->Counters().nic_missed.has_value());
  for (int i = 1; i < 4; ++i) EXPECT_EQ(group_.sources[i]->Counters().nic_missed, 0u);
}

// Opens a group with these capabilities only, on a thread of its own that never leaves the
// namespace.
absl::StatusOr<PacketGroup> OpenWith(uint64_t capabilities, const NetNamespace& where,
                                     const PacketSourceOptions& options) {
  absl::StatusOr<PacketGroup> group;
  std::thread([&] {
    const UniqueFd space(open(where.path().c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(setns(space.get(), CLONE_NEWNET), 0);
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    for (int half = 0; half < 2; ++half) {
      data[half].effective = data[half].permitted =
          static_cast<uint32_t>(capabilities >> (32 * half));
    }
    ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
    group = OpenPacketGroup(options, {.mode = FanoutMode::kEbpf}, 4);
  }).join();
  return group;
}

TEST_F(PacketGroupLifeTest, WithoutCapBpfSteeringFallsBackToHashAndSaysWhy) {
  auto group = OpenWith(uint64_t{1} << CAP_NET_RAW, pair_->far(), options_);
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(group->mode, FanoutMode::kHash);
  ASSERT_EQ(group->notes.size(), 1u);
  EXPECT_THAT(group->notes[0], HasSubstr("needs CAP_BPF"));
  EXPECT_THAT(group->notes[0], HasSubstr("fanout is hash instead"));
  group_ = *std::move(group);
  SendAndExpectOnce();
}

TEST_F(PacketGroupLifeTest, CapBpfAndCapNetRawSufficeForSteering) {
  const auto group =
      OpenWith(uint64_t{1} << CAP_NET_RAW | uint64_t{1} << CAP_BPF, pair_->far(), options_);
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(group->mode, FanoutMode::kEbpf);
  EXPECT_THAT(group->notes, IsEmpty());
}

}  // namespace
}  // namespace weir::test
