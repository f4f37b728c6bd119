#include "rings/packet_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "rings/waiter.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::Bytes;
using test::PacketBuilder;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kMillisecond = 1'000'000;

int64_t ClockNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Bytes UdpFrame(size_t payload, uint16_t port = 53) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Udp(1000, port)
      .Payload(payload)
      .Build();
}

// A frame with its bytes copied, so that it outlives the batch.
struct Received {
  Frame frame;
  Bytes bytes;
};

// A veth pair and a source on its far end.
class PacketSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<test::VethPair>();
    {
      const auto scope = pair_->near().Enter();
      sender_ = std::make_unique<test::RawSender>(test::VethPair::kNear);
    }
    {
      const auto scope = pair_->far().Enter();
      far_sender_ = std::make_unique<test::RawSender>(test::VethPair::kFar);
    }
    options_.interface = test::VethPair::kFar;
    options_.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10, .retire_ms = 2};
  }

  absl::StatusOr<std::unique_ptr<PacketSource>> Open() {
    const auto scope = pair_->far().Enter();
    return PacketSource::Open(options_);
  }

  void MustOpen() {
    auto source = Open();
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  // Frames until `count` have come or 500 ms have passed.
  std::vector<Received> Receive(size_t count) {
    std::vector<Received> all;
    Frame frames[kBatchFrames];
    const int64_t deadline = ClockNs() + 500 * kMillisecond;
    while (all.size() < count && ClockNs() < deadline && !source_->ended()) {
      const int got = source_->Receive(frames);
      for (int i = 0; i < got; ++i) {
        const Frame& frame = frames[i];
        all.push_back({frame, Bytes(frame.data, frame.data + frame.captured_length)});
      }
      source_->Release();
      if (got == 0) WaitReadable(20);
    }
    return all;
  }

  bool WaitReadable(int timeout_ms) {
    pollfd polled = {source_->wait_fd(), POLLIN, 0};
    return poll(&polled, 1, timeout_ms) == 1;
  }

  std::unique_ptr<test::VethPair> pair_;
  std::unique_ptr<test::RawSender> sender_;
  std::unique_ptr<test::RawSender> far_sender_;
  PacketSourceOptions options_;
  std::unique_ptr<PacketSource> source_;
};

TEST_F(PacketSourceTest, BytesAndLengthsAreThoseSent) {
  MustOpen();
  for (size_t payload : {size_t{18}, size_t{600}, size_t{1472}}) {
    const Bytes sent = UdpFrame(payload);
    sender_->Send(sent);
    const auto got = Receive(1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].bytes, sent);
    EXPECT_EQ(got[0].frame.wire_length, sent.size());
    EXPECT_EQ(got[0].frame.vlan_tpid, 0);
    EXPECT_EQ(got[0].frame.link_type, link_type::kEthernet);
  }
}

TEST_F(PacketSourceTest, TimestampsAreNanosecondsOfTheClock) {
  MustOpen();
  const int64_t before = ClockNs();
  bool below_microsecond = false;
  for (int i = 0; i < 8; ++i) {
    sender_->Send(UdpFrame(20));
  }
  const auto got = Receive(8);
  const int64_t after = ClockNs();
  ASSERT_EQ(got.size(), 8u);
  int64_t last = before;
  for (const Received& received : got) {
    EXPECT_GE(received.frame.timestamp_ns, last);
    EXPECT_LE(received.frame.timestamp_ns, after);
    below_microsecond |= received.frame.timestamp_ns % 1000 != 0;
    last = received.frame.timestamp_ns;
  }
  EXPECT_TRUE(below_microsecond);
}

TEST_F(PacketSourceTest, AStrippedTagIsInTheMetadataAndInTheLength) {
  MustOpen();
  const Bytes sent = PacketBuilder()
                         .Ethernet()
                         .Vlan(100, 0x8100, 5)
                         .Ipv4("10.0.0.1", "10.0.0.2")
                         .Udp(1000, 53)
                         .Payload(40)
                         .Build();
  sender_->Send(sent);
  const auto got = Receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.vlan_tpid, 0x8100);
  EXPECT_EQ(got[0].frame.vlan_tci, 5 << 13 | 100);
  EXPECT_EQ(got[0].bytes.size(), sent.size() - 4);
  EXPECT_EQ(got[0].frame.wire_length, sent.size());
}

TEST_F(PacketSourceTest, TheOuterTagOf8021adKeepsItsTpid) {
  MustOpen();
  sender_->Send(PacketBuilder()
                    .Ethernet()
                    .Vlan(10, 0x88a8)
                    .Vlan(20)
                    .Ipv4("10.0.0.1", "10.0.0.2")
                    .Udp(1000, 53)
                    .Payload(40)
                    .Build());
  const auto got = Receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.vlan_tpid, 0x88a8);
  EXPECT_EQ(got[0].frame.vlan_tci & 0xfff, 10);
}

TEST_F(PacketSourceTest, DirectionSaysHowAFramePassed) {
  MustOpen();
  const auto send_to = [&](const char* destination) {
    sender_->Send(PacketBuilder()
                      .Ethernet("02:00:00:00:00:01", destination)
                      .Ipv4("10.0.0.1", "10.0.0.2")
                      .Udp(1, 2)
                      .Payload(30)
                      .Build());
  };
  pair_->far().Ip("link set far0 address 02:00:00:00:00:fa");
  send_to("02:00:00:00:00:fa");
  send_to("ff:ff:ff:ff:ff:ff");
  send_to("01:00:5e:00:00:01");
  send_to("02:00:00:00:00:99");
  far_sender_->Send(UdpFrame(30));
  const auto got = Receive(5);
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(got[0].frame.direction, FrameDirection::kHost);
  EXPECT_EQ(got[1].frame.direction, FrameDirection::kBroadcast);
  EXPECT_EQ(got[2].frame.direction, FrameDirection::kMulticast);
  EXPECT_EQ(got[3].frame.direction, FrameDirection::kOtherHost);
  EXPECT_EQ(got[4].frame.direction, FrameDirection::kOutgoing);
}

TEST_F(PacketSourceTest, DirectionInLeavesOutWhatThisHostSends) {
  options_.direction = CaptureDirection::kIn;
  MustOpen();
  far_sender_->Send(UdpFrame(30, 1111));
  sender_->Send(UdpFrame(30, 2222));
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes, UdpFrame(30, 2222));
}

TEST_F(PacketSourceTest, DirectionOutLeavesOutWhatComesIn) {
  options_.direction = CaptureDirection::kOut;
  options_.filter = "udp port 1111";
  MustOpen();
  sender_->Send(UdpFrame(30, 1111));
  far_sender_->Send(UdpFrame(30, 1111));
  far_sender_->Send(UdpFrame(30, 2222));
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.direction, FrameDirection::kOutgoing);
}

TEST_F(PacketSourceTest, SnapLengthCutsTheBytesNotTheLength) {
  options_.snap_length = 96;
  MustOpen();
  sender_->Send(UdpFrame(1000));
  const auto got = Receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes.size(), 96u);
  EXPECT_EQ(got[0].frame.wire_length, UdpFrame(1000).size());
}

TEST_F(PacketSourceTest, FilterFindsPortsBehindAStrippedTag) {
  options_.filter = "vlan and tcp port 80";
  MustOpen();
  const auto tcp = [](bool tagged, uint16_t port) {
    PacketBuilder builder;
    builder.Ethernet();
    if (tagged) builder.Vlan(7);
    return builder.Ipv4("10.0.0.1", "10.0.0.2").Tcp(4000, port).Payload(30).Build();
  };
  sender_->Send(tcp(false, 80));
  sender_->Send(tcp(true, 81));
  sender_->Send(tcp(true, 80));
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.wire_length, tcp(true, 80).size());
  EXPECT_EQ(got[0].frame.vlan_tci, 7);
  EXPECT_FALSE(source_->Counters().kernel_filtered.has_value());
}

TEST_F(PacketSourceTest, NoFrameComesInBeforeTheFilter) {
  options_.filter = "udp port 1111";
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    while (!stop.load()) sender_->Send(UdpFrame(30, 2222));
  });
  for (int i = 0; i < 5; ++i) {
    MustOpen();
    EXPECT_THAT(Receive(1), IsEmpty());
  }
  stop.store(true);
  flood.join();
}

TEST_F(PacketSourceTest, ABadFilterIsQuoted) {
  options_.filter = "tcp prot 80";
  const auto status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tcp prot 80"));
}

TEST_F(PacketSourceTest, ATinyRingCountsWhatItDropsAndKeepsTheTotal) {
  constexpr uint64_t kFrames = 3000;
  options_.ring.ring_bytes = 256 << 10;
  MustOpen();
  uint64_t received = 0;
  uint64_t dropped = 0;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < kFrames; ++i) sender_->Send(UdpFrame(1000));
    received += Receive(kFrames).size();
    const SourceCounters counters = source_->Counters();
    EXPECT_GT(*counters.ring_dropped, dropped);
    dropped = *counters.ring_dropped;
    EXPECT_EQ(counters.received, received);
    EXPECT_EQ(received + dropped, kFrames * static_cast<uint64_t>(round + 1));
    EXPECT_GT(*counters.ring_freezes, 0u);
    EXPECT_EQ(*counters.kernel_filtered, 0u);
    EXPECT_EQ(counters.broken_blocks, 0u);
  }
}

TEST_F(PacketSourceTest, AFrameOf64KiBFits) {
  // Sent over lo with a large MTU, where no device cuts it.
  const auto scope = pair_->near().Enter();
  options_.interface = "lo";
  auto source = PacketSource::Open(options_);
  ASSERT_TRUE(source.ok()) << source.status();
  source_ = *std::move(source);
  pair_->near().Ip("link set lo mtu 65536");
  test::RawSender lo("lo");
  const Bytes sent = UdpFrame(65536 - 28);
  lo.Send(sent);
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].bytes.size(), sent.size());
  EXPECT_EQ(got[0].frame.direction, FrameDirection::kOutgoing);
  EXPECT_EQ(got[1].frame.captured_length, sent.size());
}

TEST_F(PacketSourceTest, LocallySentDatagramsHaveNoChecksumYet) {
  const auto scope = pair_->near().Enter();
  options_.interface = "lo";
  auto source = PacketSource::Open(options_);
  ASSERT_TRUE(source.ok()) << source.status();
  source_ = *std::move(source);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(sendto(fd.get(), "weir", 4, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 4);
  const auto got = Receive(1);
  ASSERT_GE(got.size(), 1u);
  EXPECT_EQ(got[0].frame.checksum, ChecksumStatus::kNotReady);
}

TEST_F(PacketSourceTest, ATunDeviceGivesRawIp) {
  pair_->far().Ip("tuntap add dev tun7 mode tun");
  pair_->far().Ip("link set tun7 up");
  options_.interface = "tun7";
  MustOpen();
  EXPECT_EQ(source_->interfaces()[0].link_type, link_type::kRaw);
}

TEST_F(PacketSourceTest, AnInterfaceThatIsRemovedEndsTheSourceAfterItsFrames) {
  MustOpen();
  for (int i = 0; i < 5; ++i) sender_->Send(UdpFrame(30));
  pair_->far().Ip("link del far0");
  EXPECT_EQ(Receive(6).size(), 5u);
  EXPECT_TRUE(source_->ended());
  EXPECT_EQ(source_->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(source_->status().message()), HasSubstr("far0 was removed"));
}

TEST_F(PacketSourceTest, StopIntakeKeepsWhatCameBeforeAndThenEnds) {
  options_.ring.retire_ms = 50;
  MustOpen();
  for (int i = 0; i < 5; ++i) sender_->Send(UdpFrame(30));
  ASSERT_TRUE(source_->StopIntake());
  sender_->Send(UdpFrame(30));
  EXPECT_FALSE(source_->ended());
  EXPECT_EQ(Receive(6).size(), 5u);
  EXPECT_TRUE(source_->ended());
  EXPECT_TRUE(source_->status().ok());
}

TEST_F(PacketSourceTest, StopIntakeOfAnEmptyRingEndsAtOnce) {
  MustOpen();
  ASSERT_TRUE(source_->StopIntake());
  Frame frame;
  EXPECT_EQ(source_->Receive({&frame, 1}), 0);
  EXPECT_TRUE(source_->ended());
}

TEST_F(PacketSourceTest, RemovalEndsASleepInTheWaiter) {
  MustOpen();
  const int fds[] = {source_->wait_fd()};
  auto waiter = *Waiter::Create(fds);
  std::thread remover([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pair_->far().Ip("link del far0");
  });
  Frame frames[kBatchFrames];
  for (int i = 0; i < 10 && !source_->ended(); ++i) {
    ASSERT_EQ(waiter->Wait(2000 * kMillisecond, 0, [&] { return source_->ready(); }),
              WaitResult::kReady);
    source_->Receive(frames);
  }
  remover.join();
  EXPECT_TRUE(source_->ended());
}

TEST_F(PacketSourceTest, AnInterfaceThatWasDownGoesOnWhenItIsUp) {
  MustOpen();
  pair_->far().Ip("link set far0 down");
  EXPECT_THAT(Receive(1), IsEmpty());
  EXPECT_FALSE(source_->ended());
  EXPECT_TRUE(source_->status().ok());
  pair_->far().Ip("link set far0 up");
  // The carrier comes back a moment after the flag.
  std::vector<Received> got;
  for (int i = 0; i < 20 && got.empty(); ++i) {
    sender_->Send(UdpFrame(30));
    got = Receive(1);
  }
  EXPECT_FALSE(got.empty());
  pair_->far().Ip("link del far0");
  EXPECT_THAT(Receive(50), testing::SizeIs(testing::Lt(50)));
  EXPECT_TRUE(source_->ended());
}

TEST_F(PacketSourceTest, RemovalWhileDownEndsTheSource) {
  MustOpen();
  pair_->far().Ip("link set far0 down");
  EXPECT_THAT(Receive(1), IsEmpty());
  EXPECT_FALSE(source_->ended());
  pair_->far().Ip("link del far0");
  EXPECT_THAT(Receive(1), IsEmpty());
  EXPECT_TRUE(source_->ended());
}

TEST_F(PacketSourceTest, AnInterfaceThatIsDownAtTheStartIsWaitedFor) {
  pair_->far().Ip("link set far0 down");
  MustOpen();
  ASSERT_EQ(source_->notes().size(), 1u);
  EXPECT_THAT(source_->notes()[0], HasSubstr("far0 is down"));
  EXPECT_THAT(Receive(1), IsEmpty());
  pair_->far().Ip("link set far0 up");
  std::vector<Received> got;
  for (int i = 0; i < 20 && got.empty(); ++i) {
    sender_->Send(UdpFrame(30));
    got = Receive(1);
  }
  EXPECT_FALSE(got.empty());
}

TEST_F(PacketSourceTest, AnUnknownInterfaceNamesThoseThereAre) {
  options_.interface = "eth7";
  const auto status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"eth7\": there are "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("far0"));
}

TEST_F(PacketSourceTest, HardwareTimestampsThatAreNotThereAreANote) {
  options_.hardware_timestamps = true;
  MustOpen();
  ASSERT_EQ(source_->notes().size(), 1u);
  EXPECT_THAT(source_->notes()[0], HasSubstr("no hardware time stamps"));
  sender_->Send(UdpFrame(30));
  EXPECT_EQ(Receive(1).size(), 1u);
}

TEST_F(PacketSourceTest, PromiscuousModeIsSetAndGoesWithTheSource) {
  const auto promiscuous = [&] {
    const auto scope = pair_->far().Enter();
    return std::system("ip -d link show far0 | grep -q 'promiscuity 1'") == 0;
  };
  MustOpen();
  EXPECT_TRUE(promiscuous());
  source_.reset();
  EXPECT_FALSE(promiscuous());
  options_.promiscuous = false;
  MustOpen();
  EXPECT_FALSE(promiscuous());
}

// Takes capabilities from the calling thread only.
void DropCapabilities(uint32_t keep) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].effective = data[0].permitted = keep;
  ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
}

TEST_F(PacketSourceTest, WithoutPrivilegeSaysWhatIsMissing) {
  std::thread([&] {
    const auto scope = pair_->far().Enter();
    DropCapabilities(1u << CAP_SYS_ADMIN);  // to leave the namespace again
    const auto status = PacketSource::Open(options_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(status.message()), HasSubstr("setcap cap_net_raw+ep weir"));
  }).join();
}

TEST_F(PacketSourceTest, ARingThatMayNotBeLockedIsANote) {
  std::thread([&] {
    const auto scope = pair_->far().Enter();
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    const rlimit none = {0, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    DropCapabilities(1u << CAP_SYS_ADMIN | 1u << CAP_NET_RAW);
    const auto source = PacketSource::Open(options_);
    setrlimit(RLIMIT_MEMLOCK, &before);
    ASSERT_TRUE(source.ok()) << source.status();
    ASSERT_EQ((*source)->notes().size(), 1u);
    EXPECT_THAT((*source)->notes()[0], HasSubstr("not locked"));
  }).join();
}

TEST_F(PacketSourceTest, AnIdleSourceWakesNobody) {
  MustOpen();
  EXPECT_FALSE(WaitReadable(300));
}

TEST_F(PacketSourceTest, AFrameAfterSilenceWakesTheWaiterWithinTheRetireTime) {
  MustOpen();
  const int fds[] = {source_->wait_fd()};
  auto waiter = *Waiter::Create(fds);
  Frame frames[kBatchFrames];
  for (int i = 0; i < 5; ++i) {
    std::thread sender([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      sender_->Send(UdpFrame(30));
    });
    int got = 0;
    while (got == 0) {
      ASSERT_EQ(waiter->Wait(2000 * kMillisecond, 0, [&] { return source_->ready(); }),
                WaitResult::kReady);
      got = source_->Receive(frames);
    }
    EXPECT_LE(ClockNs() - frames[0].timestamp_ns, source_->hold_back_ns() + 20 * kMillisecond);
    source_->Release();
    sender.join();
  }
}

}  // namespace
}  // namespace weir
