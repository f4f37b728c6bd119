// Opening a live source: what it says when it cannot, and what it has to do without.
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "tests/live/packet_source_fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

TEST_F(PacketSourceTest, ABadFilterIsQuoted) {
  options_.filter = "tcp prot 80";
  const auto status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tcp prot 80"));
}

TEST_F(PacketSourceTest, ATunDeviceGivesRawIp) {
  pair_->far().Ip("tuntap add dev tun7 mode tun");
  pair_->far().Ip("link set tun7 up");
  options_.interface = "tun7";
  MustOpen();
  EXPECT_EQ(source_->interfaces()[0].link_type, link_type::kRaw);
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

}  // namespace
}  // namespace weir::test
