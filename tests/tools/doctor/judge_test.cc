// What cannot be planted on a veth: devices with rings, hash keys and offloads of their own.
#include "tools/doctor/judge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/doctor/doctor_command.h"

namespace weir::doctor {
namespace {

LinkFacts GoodLink() {
  LinkFacts link;
  link.name = "eth7";
  link.up = link.carrier = true;
  link.mtu = 1500;
  link.speed_mbits = 10'000;
  link.channels = Channels{.receive = 4, .most = 4};
  link.rings = RingSizes{.receive = 4096, .most = 4096};
  link.hash = ReceiveHash{.function = "toeplitz", .key = std::vector<uint8_t>(40, 0x5a)};
  link.offloads = {{"rx-gro", {}}, {"rx-lro", {}}};
  return link;
}

HostFacts GoodHost() {
  HostFacts host;
  host.executable = "/usr/bin/weir";
  host.net_raw = host.net_admin = host.bpf = true;
  host.processors = 4;
  host.huge_page_bytes = 2 << 20;
  host.huge_pages = host.huge_pages_free = 1024;
  host.transparent = "madvise";
  host.clock_source = "tsc";
  host.clock_synchronised = true;
  return host;
}

SteeringFacts GoodSteering() { return {.queues = 4, .flows = 50, .two_way = 40}; }

class JudgeTest : public testing::Test {
 protected:
  Finding Find(const std::string& check) {
    const auto all = Judge(options_, link_, host_, steering_, backend_);
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Finding& one) { return one.check == check; });
    EXPECT_NE(found, all.end()) << check;
    return found != all.end() ? *found : Finding{};
  }

  DoctorOptions options_{.interface = "eth7"};
  LinkFacts link_ = GoodLink();
  HostFacts host_ = GoodHost();
  SteeringFacts steering_ = GoodSteering();
  BackendFacts backend_{{}, {.interface = "eth7", .rung = BackendRung::kXdpZeroCopy}};
};

using Commands = std::vector<std::string>;

TEST_F(JudgeTest, NothingIsToMendWhereAllIsWell) {
  for (const Finding& finding : Judge(options_, link_, host_, steering_, backend_))
    EXPECT_EQ(finding.health, Health::kFine) << finding.check << ": " << finding.says;
}

TEST_F(JudgeTest, MemoryThatCannotBeLockedForAfXdp) {
  options_.backend = Backend::kXdp;
  options_.ring_mib = 4;  // and four queues
  host_.lockable_bytes = uint64_t{16} << 20;
  EXPECT_EQ(Find("privileges").health, Health::kFine);
  host_.lockable_bytes = uint64_t{8} << 20;
  EXPECT_EQ(Find("privileges").health, Health::kMend);
  EXPECT_NE(Find("privileges").says.find("locks 16 MiB for its queues, while ulimit -l is 8192"),
            std::string::npos)
      << Find("privileges").says;
  EXPECT_EQ(Find("privileges").mend,
            Commands{"setcap cap_net_raw,cap_net_admin,cap_bpf,cap_ipc_lock+ep /usr/bin/weir"});
  options_.backend = Backend::kPacket;
  EXPECT_EQ(Find("privileges").health, Health::kFine);
}

TEST_F(JudgeTest, ADeviceRingBelowItsMost) {
  link_.rings = RingSizes{.receive = 512, .most = 4096};
  EXPECT_EQ(Find("device ring").health, Health::kAdvice);
  EXPECT_EQ(Find("device ring").mend, Commands{"ethtool -G eth7 rx 4096"});
  link_.missed = 17;  // and it lost frames
  EXPECT_EQ(Find("device ring").health, Health::kMend);
}

TEST_F(JudgeTest, AHashKeyThatIsNotSymmetric) {
  steering_ = {.status = absl::PermissionDeniedError("needs CAP_NET_RAW"), .queues = 4};
  link_.hash->key = {0x6d, 0x5a, 0x56, 0xda};
  EXPECT_EQ(Find("steering").health, Health::kAdvice) << "--fanout ebpf makes up for it";
  EXPECT_EQ(Find("steering").mend, Commands{"ethtool -X eth7 hkey 6d:5a:6d:5a"});
  options_.backend = Backend::kXdp;
  EXPECT_EQ(Find("steering").health, Health::kMend);
}

TEST_F(JudgeTest, KeysAndTransformsThatAreSymmetric) {
  steering_.two_way = 0;  // so that only the key can tell
  link_.hash->key = {0x6d, 0x5a, 0x6d, 0x5a, 0x6d};
  EXPECT_EQ(Find("steering").health, Health::kUnknown);
  link_.hash->key = {1, 2, 3, 4};
  EXPECT_EQ(Find("steering").health, Health::kAdvice);
  link_.hash->symmetric_xor = true;
  EXPECT_EQ(Find("steering").health, Health::kUnknown);
}

TEST_F(JudgeTest, FlowsThatWereSeenCutCountMoreThanTheKey) {
  steering_.cut = 3;
  options_.fanout = FanoutMode::kQueue;
  EXPECT_EQ(Find("steering").health, Health::kMend);
  EXPECT_EQ(Find("steering").mend, Commands{"weir -i eth7 --fanout ebpf"});
  options_.backend = Backend::kXdp;
  EXPECT_EQ(Find("steering").mend, Commands{"weir -i eth7 --backend packet --fanout ebpf"});
  link_.hash->key = {1, 2, 3, 4};
  EXPECT_EQ(Find("steering").mend, Commands{"ethtool -X eth7 hkey 6d:5a:6d:5a"});
}

TEST_F(JudgeTest, OffloadsThatJoinAndThoseThatStay) {
  link_.offloads["rx-lro"].on = true;
  link_.offloads["rx-gro-hw"] = {.on = true, .fixed = true};
  const Finding finding = Find("offloads");
  EXPECT_EQ(finding.health, Health::kMend);
  EXPECT_EQ(finding.mend, Commands{"ethtool -K eth7 lro off"});
  EXPECT_NE(finding.says.find("cannot turn rx-gro-hw off"), std::string::npos) << finding.says;
}

TEST_F(JudgeTest, TheRingIsMeasuredByTheLink) {
  options_.ring_mib = 16;  // four shards: 64 MiB, 54 ms of 10 Gbit/s
  EXPECT_EQ(Find("weir's ring").health, Health::kFine);
  link_.speed_mbits = 100'000;
  EXPECT_EQ(Find("weir's ring").mend, Commands{"weir -i eth7 --ring-mib 256"});
}

TEST_F(JudgeTest, HugePagesWithoutTransparentOnes) {
  host_.huge_pages = host_.huge_pages_free = 0;
  EXPECT_EQ(Find("huge pages").health, Health::kAdvice);
  host_.transparent = "never";
  EXPECT_EQ(Find("huge pages").health, Health::kMend);
  EXPECT_EQ(Find("huge pages").mend.size(), 2u);
}

TEST_F(JudgeTest, PagesInUseComeOnTop) {
  host_.huge_pages = 100;
  host_.huge_pages_free = 10;
  options_.backend = Backend::kPacket;
  EXPECT_EQ(Find("huge pages").mend, Commands{"sysctl -w vm.nr_hugepages=218"});  // 90 + 128
}

TEST_F(JudgeTest, ASlowClock) {
  host_.clock_source = "hpet";
  EXPECT_EQ(Find("clock").health, Health::kMend);
  EXPECT_TRUE(Find("clock").mend.empty()) << "there is no other";
  host_.clock_sources = {"hpet", "tsc"};
  EXPECT_EQ(Find("clock").mend.size(), 1u);
}

TEST_F(JudgeTest, TheRungAndWhyNoBetterOne) {
  EXPECT_EQ(Find("back-end").says, "AF_XDP zero-copy");
  backend_.choice.rung = BackendRung::kXdpCopy;
  backend_.choice.refused = {{BackendRung::kXdpZeroCopy, "the driver has none"}};
  EXPECT_EQ(Find("back-end").health, Health::kFine);
  EXPECT_EQ(Find("back-end").says, "AF_XDP copy; not AF_XDP zero-copy: the driver has none");
  backend_.choice.rung = BackendRung::kPacketClassic;
  EXPECT_EQ(Find("back-end").health, Health::kAdvice) << "refused frames are not counted";
  backend_.status = absl::UnavailableError("it is on fire");
  EXPECT_EQ(Find("back-end").health, Health::kMend);
  EXPECT_EQ(Find("back-end").says, "weir would not start: it is on fire");
}

TEST_F(JudgeTest, CapabilitiesByBackend) {
  host_.net_admin = false;
  options_.backend = Backend::kPacket;
  EXPECT_EQ(Find("privileges").health, Health::kFine);
  options_.backend = Backend::kXdp;
  EXPECT_EQ(Find("privileges").health, Health::kMend);
  EXPECT_EQ(Find("privileges").mend,
            Commands{"setcap cap_net_raw,cap_net_admin,cap_bpf+ep /usr/bin/weir"});
}

TEST(Describe, CommandsStandBelowWhatTheyMend) {
  const std::string text =
      Describe("eth7", {{Health::kMend, "link", "is down", {"ip link set dev eth7 up"}}});
  EXPECT_NE(text.find("  MEND     link         is down\n                        "
                      "# ip link set dev eth7 up\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 to mend, 0 to consider"), std::string::npos);
}

}  // namespace
}  // namespace weir::doctor
