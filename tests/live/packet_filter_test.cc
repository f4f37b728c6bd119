// Filters of a packet socket on each rung: the same verdicts, live, with the tag that the kernel
// takes out of the bytes; exact counts while lists are exchanged under traffic; and what is chosen
// where a rung cannot be had.
#include <fcntl.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "rings/frame_expression.h"
#include "rings/packet_group.h"
#include "tests/live/packet_source_fixture.h"
#include "tests/support/capabilities.h"
#include "tests/support/filter_frames.h"
#include "tests/support/filter_mix.h"

namespace weir::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const FilterRules> Share(FilterRules rules) {
  return std::make_shared<const FilterRules>(std::move(rules));
}

class PacketFilterTest : public PacketSourceTest {
 protected:
  void Open(FilterRules rules, FilterRung highest = FilterRung::kEbpf) {
    rules_ = rules;
    options_.rules = Share(std::move(rules));
    options_.highest_filter_rung = highest;
    MustOpen();
  }
  // Wire lengths of what comes in first. What comes in keeps its order, so that nothing that must
  // not come in stands before what must.
  std::vector<uint32_t> Lengths(size_t count) {
    std::vector<uint32_t> lengths;
    for (const Received& one : Receive(count)) lengths.push_back(one.frame.wire_length);
    return lengths;
  }

  FilterRules rules_;
};

// The kernel itself drops a frame that ends within the first tag or less than two bytes behind it.
bool EndsInFirstTag(const Bytes& frame) {
  const bool tagged = frame[12] == 0x81 || (frame[12] == 0x88 && frame[13] == 0xa8);
  return tagged && frame.size() < 20;
}

class EachRung : public PacketFilterTest, public testing::WithParamInterface<FilterRung> {};
INSTANTIATE_TEST_SUITE_P(Rungs, EachRung, testing::Values(FilterRung::kEbpf, FilterRung::kClassic),
                         [](const auto& test) {
                           return test.param == FilterRung::kEbpf ? "Ebpf" : "Classic";
                         });

TEST_P(EachRung, SaysWhatUserSpaceSaysOfGeneratedFrames) {
  FilterFrames frames(11);
  Open({}, GetParam());
  ASSERT_EQ(source_->filters()->rung(), GetParam());
  FilterCounts refused{};
  for (int round = 0; round < 30 && !HasFailure(); ++round) {
    const FilterRules rules = frames.Rules();
    ASSERT_TRUE(source_->filters()->Use(Share(rules)).ok());
    std::vector<uint32_t> wanted;
    for (int i = 0; i < 60; ++i) {
      const Bytes frame = frames.Next();
      if (EndsInFirstTag(frame)) continue;
      sender_->Send(frame);
      if (const auto why = rules.WhyRefused(AsFrame(frame))) {
        ++refused[static_cast<size_t>(*why)];
      } else {
        wanted.push_back(static_cast<uint32_t>(frame.size()));
      }
    }
    EXPECT_EQ(Lengths(wanted.size()), wanted);
  }
  const auto counted = source_->Counters().kernel_filtered;
  if (GetParam() == FilterRung::kEbpf) {
    ASSERT_TRUE(counted.has_value());
    EXPECT_EQ(*counted, refused);
  } else {
    EXPECT_FALSE(counted.has_value());
  }
}

// Tags are in the bytes for the expression in user space, and taken out of them for the kernel's.
TEST_P(EachRung, SaysOfExpressionsWhatUserSpaceSaysOfTheWire) {
  for (const char* const text : {"not ip", "udp or (vlan and udp)", "vlan 2", "len > 70",
                                 "ether[12:2] = 0x8100 or ether[14:4] & 7 = 3",
                                 "ether[12:2] = 0x88a8 or ether[16:2] = 0x800"}) {
    SCOPED_TRACE(text);
    FilterFrames frames(13);
    options_.filter = text;
    Open({}, GetParam());
    const auto expression = FrameExpression::Compile(text);
    ASSERT_TRUE(expression.ok()) << expression.status();
    std::vector<uint32_t> wanted;
    size_t sent = 0;
    for (int i = 0; i < 200; ++i) {
      const Bytes frame = frames.Next();
      if (EndsInFirstTag(frame)) continue;
      sender_->Send(frame);
      ++sent;
      if ((*expression)->Matches(AsFrame(frame)))
        wanted.push_back(static_cast<uint32_t>(frame.size()));
    }
    EXPECT_GT(wanted.size(), 3u);
    EXPECT_LT(wanted.size() + 3, sent);
    EXPECT_EQ(Lengths(wanted.size()), wanted);
    EXPECT_EQ(source_->filters()->rung(), GetParam());
  }
}

TEST_P(EachRung, RulesAndAnExpressionMustBothPass) {
  options_.filter = "udp port 53";
  FilterRules rules;
  rules.ignore_destinations = *CidrSet::Parse("10.2.0.0/16", "f");
  Open(rules, GetParam());
  ASSERT_EQ(source_->filters()->rung(), GetParam());
  const auto udp = [](const char* to, uint16_t port, size_t payload) {
    return PacketBuilder().Ethernet().Ipv4("10.1.0.1", to).Udp(9, port).Payload(payload).Build();
  };
  sender_->Send(udp("10.2.0.1", 53, 100));
  sender_->Send(udp("10.3.0.1", 54, 200));
  sender_->Send(udp("10.2.0.1", 54, 200));
  sender_->Send(udp("10.3.0.1", 53, 300));
  EXPECT_EQ(Lengths(1), std::vector<uint32_t>{14 + 20 + 8 + 300});
  if (GetParam() != FilterRung::kEbpf) return;
  const FilterCounts counts = *source_->Counters().kernel_filtered;
  EXPECT_EQ(counts[static_cast<size_t>(FilterReason::kIgnoredDestination)], 2u);
  EXPECT_EQ(counts[static_cast<size_t>(FilterReason::kExpression)], 1u);
}

TEST_P(EachRung, OnlyOutgoingFramesAndTheRules) {
  options_.direction = CaptureDirection::kOut;
  Open({.ip_only = true}, GetParam());
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build();
  sender_->Send(UdpFrame(10));
  far_sender_->Send(arp);
  far_sender_->Send(UdpFrame(20));
  EXPECT_EQ(Lengths(1), std::vector<uint32_t>{14 + 20 + 8 + 20});
  if (GetParam() == FilterRung::kEbpf) {
    EXPECT_EQ(*source_->Counters().KernelFilteredTotal(), 1u);
  }
}

TEST_F(PacketFilterTest, ListsAreExchangedAHundredTimesUnderTrafficAndEveryFrameIsCounted) {
  options_.ring.ring_bytes = 16 << 20;
  Open(Mix::Rules(false, 0));
  ASSERT_EQ(source_->filters()->rung(), FilterRung::kEbpf);
  const std::vector<Bytes> frames = Mix::Frames();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> rounds{0};
  std::thread sender([&] {
    while (!stop.load()) {
      for (const Bytes& frame : frames) sender_->Send(frame);
      ++rounds;
    }
  });
  std::atomic<bool> changed{false};
  std::thread changer([&] {
    for (int i = 1; i <= 100; ++i) {
      EXPECT_TRUE(source_->filters()->Use(Share(Mix::Rules(i % 2 == 1, 1000))).ok());
    }
    changed = true;
  });
  uint64_t received = 0, disputed = 0;
  const auto take = [&] {
    Frame batch[kBatchFrames];
    const int count = source_->Receive(batch);
    for (int i = 0; i < count; ++i) {
      ++received;
      disputed += Mix::Disputed(batch[i]);
    }
    source_->Release();
    return count;
  };
  while (!changed.load()) take();
  changer.join();
  stop = true;
  sender.join();
  for (int quiet = 0; quiet < 20;) {
    if (take() > 0) quiet = 0;
    ++quiet;
    usleep(1000);
  }
  EXPECT_EQ(*source_->Counters().ring_dropped, 0u);
  Mix::ExpectExact(source_->Counters(), rounds, disputed);
  EXPECT_EQ(received, 2 * rounds + disputed);
}

TEST_F(PacketFilterTest, AClosedSourceDoesNotHinderTheOthers) {
  options_.rules = Share({});
  const auto scope = pair_->far().Enter();
  auto group = OpenPacketGroup(options_, {.mode = FanoutMode::kHash}, 2);
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(group->filters, group->sources[1]->filters());
  group->sources[0].reset();
  EXPECT_TRUE(group->filters->Use(Share({.ip_only = true})).ok());
  source_ = std::move(group->sources[1]);
  sender_->Send(PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build());
  sender_->Send(UdpFrame(10));
  EXPECT_EQ(Lengths(1), std::vector<uint32_t>{14 + 20 + 8 + 10});
}

TEST_F(PacketFilterTest, AfterTheEndOfIntakeNewRulesLetNothingIn) {
  for (const FilterRung rung : {FilterRung::kEbpf, FilterRung::kClassic}) {
    Open({}, rung);
    ASSERT_TRUE(source_->StopIntake());
    ASSERT_TRUE(source_->filters()->Use(Share({.ip_only = true})).ok());
    sender_->Send(UdpFrame(10));
    EXPECT_THAT(Receive(1), IsEmpty());
  }
}

TEST_F(PacketFilterTest, WithoutThePrivilegeTheRulesAreClassicAndItIsSaid) {
  const UniqueFd far(open(pair_->far().path().c_str(), O_RDONLY | O_CLOEXEC));
  options_.rules = Share({.ip_only = true});
  std::thread unprivileged([&] {
    ASSERT_EQ(setns(far.get(), CLONE_NEWNET), 0);
    KeepOnlyCapabilities({CAP_NET_RAW});
    auto source = PacketSource::Open(options_);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  });
  unprivileged.join();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(source_->filters()->rung(), FilterRung::kClassic);
  const auto refused = source_->filters()->refused();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].rung, FilterRung::kEbpf);
  EXPECT_THAT(refused[0].reason, HasSubstr("needs CAP_BPF"));
  sender_->Send(PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build());
  sender_->Send(UdpFrame(10));
  EXPECT_EQ(Lengths(1), std::vector<uint32_t>{14 + 20 + 8 + 10});
  EXPECT_FALSE(source_->Counters().kernel_filtered.has_value()) << "unknown, not zero";
}

// An interface that vanishes comes back when privileges are gone.
TEST_F(PacketFilterTest, ASourceThatTakesAnothersPlaceLoadsNothingAndRulesStillChange) {
  Open({.ip_only = true});
  ASSERT_EQ(source_->filters()->rung(), FilterRung::kEbpf);
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build();
  sender_->Send(arp);
  EXPECT_EQ(source_->Counters().KernelFilteredTotal(), 1u);
  const UniqueFd far(open(pair_->far().path().c_str(), O_RDONLY | O_CLOEXEC));
  std::thread unprivileged([&] {
    ASSERT_EQ(setns(far.get(), CLONE_NEWNET), 0);
    KeepOnlyCapabilities({CAP_NET_RAW});
    options_.filters = source_->filters();
    source_.reset();
    auto source = PacketSource::Open(options_);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    FilterRules rules{.ip_only = true};
    rules.ignore_destinations = *CidrSet::Parse("10.0.0.0/24", "f");
    EXPECT_TRUE(source_->filters()->Use(Share(rules)).ok());
  });
  unprivileged.join();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(source_->filters()->rung(), FilterRung::kEbpf);
  EXPECT_EQ(source_->Counters().KernelFilteredTotal(), 0u) << "its own only";
  sender_->Send(arp);
  sender_->Send(UdpFrame(10));
  sender_->Send(PacketBuilder().Ethernet().Ipv6("::1", "::2").Udp(1, 2).Payload(10).Build());
  EXPECT_EQ(Lengths(1), std::vector<uint32_t>{14 + 40 + 8 + 10});
  EXPECT_EQ(source_->Counters().KernelFilteredTotal(), 2u);
}

TEST_F(PacketFilterTest, ListsTooLongForClassicBpfAreLeftToTheShardAndItIsSaid) {
  const auto open = [this](const FilterRules& rules) {
    Open(rules, FilterRung::kClassic);
    return source_->filters()->rung();
  };
  EXPECT_EQ(open(Mix::Rules(true, 3000)), FilterRung::kShard);
  const auto refused = source_->filters()->refused();
  ASSERT_EQ(refused.size(), 1u) << "eBPF was not asked for";
  EXPECT_EQ(refused[0].rung, FilterRung::kClassic);
  EXPECT_THAT(refused[0].reason, HasSubstr("instructions"));
  for (const Bytes& frame : Mix::Frames()) sender_->Send(frame);
  EXPECT_EQ(Receive(7).size(), 7u);
  EXPECT_EQ(source_->Counters().KernelFilteredTotal(), 0u);
  ASSERT_TRUE(source_->filters()->Use(Share(Mix::Rules(false, 0))).ok());
  EXPECT_EQ(source_->filters()->rung(), FilterRung::kClassic);
  for (const Bytes& frame : Mix::Frames()) sender_->Send(frame);
  EXPECT_EQ(Lengths(3), (std::vector<uint32_t>{62, 66, 66}));
  EXPECT_FALSE(source_->Counters().kernel_filtered.has_value());
}

}  // namespace
}  // namespace weir::test
