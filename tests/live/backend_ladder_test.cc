// The ladder of back-ends: each rung is made to fail, and the next one is taken and says why.
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/engine.h"
#include "rings/packet_source.h"
#include "tests/live/xdp_fixture.h"
#include "tests/support/filter_mix.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class NullConsumer : public ShardConsumer {
 public:
  absl::Status OnBatch(Shard&, std::span<const Event>) override { return absl::OkStatus(); }
};

class BackendLadderTest : public XdpTest {
 protected:
  using Outcome = absl::StatusOr<BackendChoice>;

  // In the far namespace, in a thread of its own that has these capabilities only.
  Outcome Choose(uint64_t capabilities = UINT64_MAX) {
    Outcome outcome = absl::UnknownError("not asked");
    std::thread([&] {
      const auto scope = pair_->far().Enter();
      ASSERT_TRUE(Use(capabilities));
      outcome = ChooseHere();
      ASSERT_TRUE(Use(UINT64_MAX));  // to leave the namespace
    }).join();
    return outcome;
  }

  BackendChoice MustChoose(uint64_t capabilities = UINT64_MAX) {
    auto choice = Choose(capabilities);
    EXPECT_TRUE(choice.ok()) << choice.status();
    return choice.value_or(BackendChoice{});
  }

  static const std::string& Reason(const BackendChoice& choice, BackendRung rung) {
    static const std::string kNone;
    for (const auto& refusal : choice.refused) {
      if (refusal.rung == rung) return refusal.reason;
    }
    return kNone;
  }

  EngineInterface interface_{.legs = {{.interface = VethPair::kFar}},
                             .backend = {.backend = Backend::kAuto}};
  int shards_ = 0;
  std::shared_ptr<const FilterRules> rules_;

 private:
  // Of the capabilities that the thread may have, these are in effect.
  static bool Use(uint64_t capabilities) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return false;
    for (int i = 0; i < 2; ++i) {
      data[i].effective = data[i].permitted & static_cast<uint32_t>(capabilities >> (32 * i));
    }
    return syscall(SYS_capset, &header, data) == 0;
  }

  Outcome ChooseHere() {
    EngineOptions options;
    interface_.legs[0].ring = {.ring_bytes = 2 << 20, .block_bytes = 128 << 10};
    options.interfaces.push_back(interface_);
    options.shards = shards_;
    options.rules = rules_;
    options.shard.flow.max_flows = 100;
    auto engine = Engine::Create(
        std::move(options), [](const ShardPlace&) { return std::make_unique<NullConsumer>(); });
    if (!engine.ok()) return engine.status();
    const BackendChoice choice = (*engine)->backends().front();
    const bool packet =
        dynamic_cast<const PacketSource*>((*engine)->shard(0).sources().front().get()) != nullptr;
    EXPECT_EQ(packet, choice.rung >= BackendRung::kPacketEbpf);
    EXPECT_EQ((*engine)->Report(0).backend, BackendRungName(choice.rung));
    return choice;
  }
};

constexpr uint64_t Bit(int capability) { return uint64_t{1} << capability; }

TEST_F(BackendLadderTest, WithoutZeroCopyInTheDriverItIsCopy) {
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kXdpCopy);
  EXPECT_THAT(choice.refused, SizeIs(1));
  EXPECT_THAT(Reason(choice, BackendRung::kXdpZeroCopy), HasSubstr("no AF_XDP zero-copy"));
}

// A macvlan has no XDP in its driver.
TEST_F(BackendLadderTest, WithoutNativeXdpItIsGeneric) {
  pair_->far().Ip("link add link far0 name far1 type macvlan");
  pair_->far().Ip("link set far1 up");
  interface_.legs[0].interface = "far1";
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kXdpGeneric);
  EXPECT_THAT(Reason(choice, BackendRung::kXdpCopy), HasSubstr("no native XDP in the driver"));
}

TEST_F(BackendLadderTest, WithoutThePrivilegeForProgramsItIsAPacketSocket) {
  const BackendChoice choice = MustChoose(Bit(CAP_NET_RAW));
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  for (const BackendRung rung :
       {BackendRung::kXdpZeroCopy, BackendRung::kXdpCopy, BackendRung::kXdpGeneric}) {
    EXPECT_THAT(Reason(choice, rung), HasSubstr("CAP_BPF"));
  }
}

TEST_F(BackendLadderTest, ThreeCapabilitiesAreEnough) {
  constexpr uint64_t kEnough = Bit(CAP_NET_RAW) | Bit(CAP_NET_ADMIN) | Bit(CAP_BPF);
  EXPECT_EQ(MustChoose(kEnough).rung, BackendRung::kXdpCopy);
  pair_->far().Ip("address add 10.9.0.2/24 dev far0");
  interface_.backend.backend = Backend::kXdp;
  EXPECT_EQ(MustChoose(kEnough).rung, BackendRung::kXdpCopy);
}

TEST_F(BackendLadderTest, MemoryThatCannotBeLockedMeansAPacketSocket) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit little = {64 << 10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &little), 0);
  const BackendChoice choice = MustChoose(~Bit(CAP_IPC_LOCK));
  setrlimit(RLIMIT_MEMLOCK, &before);
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  for (const BackendRung rung :
       {BackendRung::kXdpZeroCopy, BackendRung::kXdpCopy, BackendRung::kXdpGeneric}) {
    EXPECT_THAT(Reason(choice, rung), HasSubstr("raise ulimit -l"));
  }
}

TEST_F(BackendLadderTest, AForeignProgramMeansAPacketSocketAndStays) {
  auto other = XdpProgram::Load({});
  ASSERT_TRUE(other.ok());
  {
    const auto scope = pair_->far().Enter();
    ASSERT_TRUE((*other)->Attach(*FindInterface(VethPair::kFar), true).ok());
  }
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(Reason(choice, BackendRung::kXdpGeneric), HasSubstr("weir"));
  EXPECT_TRUE(HasProgram());
}

TEST_F(BackendLadderTest, AnInterfaceWithAnAddressIsLeftToTheHost) {
  pair_->far().Ip("address add 10.9.0.2/24 dev far0");
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(choice.Refusals(),
              HasSubstr("AF_XDP zero-copy, AF_XDP copy, AF_XDP generic: far0 has the address "
                        "10.9.0.2"));
}

TEST_F(BackendLadderTest, APortOfABridgeIsLeftToTheHost) {
  pair_->far().Ip("link add br0 type bridge");
  pair_->far().Ip("link set far0 master br0");
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(choice.Refusals(), HasSubstr("far0 is a port of br0"));
}

TEST_F(BackendLadderTest, AnInterfaceBelowAnotherIsLeftToTheHost) {
  pair_->far().Ip("link add link far0 name far1 type macvlan");
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(choice.Refusals(), HasSubstr("far0 carries far1"));
}

TEST_F(BackendLadderTest, ShardsThatWouldGetPartsOfFlowsMeanPacketSockets) {
  MakePair(2);
  shards_ = 2;
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(choice.Refusals(), HasSubstr("symmetric RSS"));
  shards_ = 1;
  EXPECT_EQ(MustChoose().rung, BackendRung::kXdpCopy);
}

TEST_F(BackendLadderTest, OneShardReadsAllQueuesWhereFlowsWouldBeCut) {
  MakePair(2);
  interface_.backend.backend = Backend::kXdp;
  EXPECT_EQ(MustChoose().rung, BackendRung::kXdpCopy);
}

TEST_F(BackendLadderTest, MoreShardsThanQueuesAreAnErrorThatNamesTheCommand) {
  interface_.backend.backend = Backend::kXdp;
  shards_ = 4;
  const auto choice = Choose();
  ASSERT_FALSE(choice.ok());
  EXPECT_THAT(std::string(choice.status().message()), HasSubstr("ethtool -L far0 combined 4"));
}

TEST_F(BackendLadderTest, ForcedItIsTakenInSpiteOfAnAddress) {
  pair_->far().Ip("address add 10.9.0.2/24 dev far0");
  interface_.backend.backend = Backend::kXdp;
  EXPECT_EQ(MustChoose().rung, BackendRung::kXdpCopy);
}

TEST_F(BackendLadderTest, AModeThatWasAskedForIsTakenOrNothing) {
  interface_.backend = {.backend = Backend::kXdp, .xdp_mode = XdpMode::kGeneric};
  EXPECT_EQ(MustChoose().rung, BackendRung::kXdpGeneric);
  interface_.backend.xdp_mode = XdpMode::kZeroCopy;
  const auto choice = Choose();
  ASSERT_FALSE(choice.ok());
  EXPECT_THAT(std::string(choice.status().message()),
              testing::AllOf(HasSubstr("no AF_XDP on far0"), Not(HasSubstr("generic"))));
}

TEST_F(BackendLadderTest, APacketSocketThatWasAskedForTriesNothingElse) {
  interface_.backend.backend = Backend::kPacket;
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(choice.refused, IsEmpty());
}

TEST_F(BackendLadderTest, WhatAfXdpCannotDoMeansAPacketSocket) {
  interface_.legs[0].direction = CaptureDirection::kOut;
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacket);
  EXPECT_THAT(choice.Refusals(), HasSubstr("--direction out"));
}

// The filters' part of the ladder: packet sockets, with rules that fit or do not.
class FilterLadderTest : public BackendLadderTest {
 protected:
  void SetUp() override {
    BackendLadderTest::SetUp();
    interface_.backend.backend = Backend::kPacket;
  }
  void Use(FilterRules rules) { rules_ = std::make_shared<const FilterRules>(std::move(rules)); }
  static constexpr uint64_t kNoBpf = Bit(CAP_NET_RAW);
};

TEST_F(FilterLadderTest, RulesAndExpressionAreEbpf) {
  Use({.ip_only = true});
  interface_.legs[0].filter = "udp";
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacketEbpf);
  EXPECT_THAT(choice.refused, IsEmpty());
  EXPECT_EQ(choice.Text(), "far0: AF_PACKET with eBPF filter");
}

TEST_F(FilterLadderTest, WithoutThePrivilegeForProgramsTheyAreClassicBpf) {
  Use({.ip_only = true});
  interface_.legs[0].filter = "udp";
  const BackendChoice choice = MustChoose(kNoBpf);
  EXPECT_EQ(choice.rung, BackendRung::kPacketClassic);
  EXPECT_THAT(choice.refused, SizeIs(1));
  EXPECT_THAT(Reason(choice, BackendRung::kPacketEbpf), HasSubstr("needs CAP_BPF"));
}

TEST_F(FilterLadderTest, ListsTooLongForThatRunInTheShard) {
  Use(Mix::Rules(true, 3000));
  const BackendChoice choice = MustChoose(kNoBpf);
  EXPECT_EQ(choice.rung, BackendRung::kPacketShard);
  EXPECT_THAT(Reason(choice, BackendRung::kPacketEbpf), HasSubstr("needs CAP_BPF"));
  EXPECT_THAT(Reason(choice, BackendRung::kPacketClassic), HasSubstr("instructions"));
  EXPECT_THAT(choice.Text(), HasSubstr("far0: AF_PACKET, filters in the shard (not AF_PACKET with "
                                       "eBPF filter: "));
}

TEST_F(FilterLadderTest, AnExpressionThatNoProgramCanSayRunsInTheShard) {
  interface_.legs[0].filter = "ether[ether[6]] = 1";
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacketShard);
  EXPECT_THAT(Reason(choice, BackendRung::kPacketEbpf), HasSubstr("computes"));
  EXPECT_THAT(Reason(choice, BackendRung::kPacketClassic), HasSubstr("computes"));
}

TEST_F(FilterLadderTest, AnExpressionTooLongForTheKernelRunsInTheShard) {
  std::string& filter = interface_.legs[0].filter;  // libpcap is slow with many "or"
  for (int i = 0; i < 700; ++i) absl::StrAppend(&filter, "ether[", i, "] + ");
  filter += "ether[0] = 7";
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacketShard);
  EXPECT_THAT(Reason(choice, BackendRung::kPacketClassic), HasSubstr("instructions"));
}

TEST_F(FilterLadderTest, UnderAfXdpRulesAreInItsProgramAndTheExpressionInTheShard) {
  interface_.backend.backend = Backend::kAuto;
  Use({.ip_only = true});
  interface_.legs[0].filter = "udp";
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kXdpCopy);
  EXPECT_THAT(choice.Text(), HasSubstr("far0: AF_XDP copy, rules in XDP, --filter in the shard"));
}

TEST_F(FilterLadderTest, WhatOnlyPacketSocketsKnowMeansThem) {
  interface_.backend.backend = Backend::kAuto;
  interface_.legs[0].filter = "inbound";
  const BackendChoice choice = MustChoose();
  EXPECT_EQ(choice.rung, BackendRung::kPacketEbpf);
  EXPECT_THAT(Reason(choice, BackendRung::kXdpCopy), HasSubstr("known to packet sockets only"));
}

// A list that grows out of the kernel, and back.
TEST_F(FilterLadderTest, TheRungOfNowIsShown) {
  EngineOptions options;
  interface_.legs[0].ring = {.ring_bytes = 2 << 20, .block_bytes = 128 << 10};
  interface_.legs[0].highest_filter_rung = FilterRung::kClassic;
  options.interfaces.push_back(interface_);
  options.rules = std::make_shared<const FilterRules>();
  options.shard.flow.max_flows = 100;
  const auto scope = pair_->far().Enter();
  auto engine = Engine::Create(std::move(options),
                               [](const ShardPlace&) { return std::make_unique<NullConsumer>(); });
  ASSERT_TRUE(engine.ok()) << engine.status();
  const auto use = [&](const FilterRules& rules) {
    EXPECT_TRUE((*engine)->Reconfigure({.rules = std::make_shared<const FilterRules>(rules)}).ok());
    EXPECT_EQ((*engine)->Report(0).backend, BackendRungName((*engine)->backends()[0].rung));
    return (*engine)->backends()[0].rung;
  };
  EXPECT_EQ(use(Mix::Rules(true, 3000)), BackendRung::kPacketShard);
  EXPECT_EQ(use(Mix::Rules(false, 0)), BackendRung::kPacketClassic);
}

}  // namespace
}  // namespace weir::test
