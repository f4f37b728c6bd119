// The host beside AF_XDP: what it keeps where the interface has an address, what stays on the
// interface when the process is killed, and who else is there.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/live/xdp_fixture.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kFarAddress[] = "10.9.0.2", kFarAddress6[] = "fd09::2";

// Both ends have addresses, and IPv6.
class XdpHostTest : public XdpTest {
 protected:
  void SetUp() override {
    XdpTest::SetUp();
    if (IsSkipped()) return;
    for (const auto* side : {&pair_->near(), &pair_->far()}) {
      const bool near = side == &pair_->near();
      const std::string name = near ? VethPair::kNear : VethPair::kFar;
      const auto scope = side->Enter();
      ASSERT_EQ(std::system(absl::StrCat("echo 0 > /proc/sys/net/ipv6/conf/", name,
                                         "/disable_ipv6; echo 0 > /proc/sys/net/ipv6/conf/", name,
                                         "/accept_dad")
                                .c_str()),
                0);
      side->Ip(absl::StrCat("address add ", near ? "10.9.0.1/24" : "10.9.0.2/24", " dev ", name));
      side->Ip(absl::StrCat("address add ", near ? "fd09::1/64" : "fd09::2/64", " dev ", name,
                            " nodad"));
    }
  }

  // Something that listens on a port of the far host.
  UniqueFd Listen(int family, uint16_t port) {
    const auto scope = pair_->far().Enter();
    UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;  // an earlier connection's port may linger
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in6 address{};
    address.sin6_family = static_cast<sa_family_t>(family);
    address.sin6_port = htons(port);  // at the same place for both families
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address),
                   family == AF_INET ? sizeof(sockaddr_in) : sizeof address),
              0);
    EXPECT_EQ(listen(fd.get(), 5), 0);
    return fd;
  }

  // A connection from the near host; not valid when it does not come about within two seconds.
  UniqueFd Connect(int family, uint16_t port) {
    const auto scope = pair_->near().Enter();
    UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{2, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in6 to6{};
    to6.sin6_family = AF_INET6;
    to6.sin6_port = htons(port);
    inet_pton(AF_INET6, kFarAddress6, &to6.sin6_addr);
    sockaddr_in to4{};
    to4.sin_family = AF_INET;
    to4.sin_port = htons(port);
    inet_pton(AF_INET, kFarAddress, &to4.sin_addr);
    const bool four = family == AF_INET;
    const auto* const to =
        four ? reinterpret_cast<sockaddr*>(&to4) : reinterpret_cast<sockaddr*>(&to6);
    if (connect(fd.get(), to, four ? sizeof to4 : sizeof to6) != 0) return {};
    return fd;
  }

  // Says something over a connection and hears it on the other side.
  static bool Carries(const UniqueFd& from, const UniqueFd& to) {
    char heard[5] = "";
    const timeval patience{2, 0};
    setsockopt(to.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return send(from.get(), "weir", 4, 0) == 4 && recv(to.get(), heard, 4, 0) == 4 &&
           std::string(heard) == "weir";
  }

  void ForgetNeighbours() {
    pair_->near().Ip("neighbour flush all");
    pair_->far().Ip("neighbour flush all");
  }
};

class XdpHostModeTest : public XdpHostTest, public testing::WithParamInterface<XdpMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, XdpHostModeTest, testing::Values(XdpMode::kCopy, XdpMode::kGeneric),
                         [](const auto& test) {
                           return test.param == XdpMode::kCopy ? "Copy" : "Generic";
                         });

TEST_P(XdpHostModeTest, ConnectionsLiveOnAndNewOnesComeAbout) {
  options_.mode = GetParam();
  for (const int family : {AF_INET, AF_INET6}) {
    SCOPED_TRACE(family == AF_INET ? "IPv4" : "IPv6");
    const UniqueFd server = Listen(family, 22);
    const UniqueFd before = Connect(family, 22);
    ASSERT_TRUE(static_cast<bool>(before));
    const UniqueFd accepted(accept(server.get(), nullptr, nullptr));
    MustOpen();
    EXPECT_TRUE(Carries(before, accepted));
    ForgetNeighbours();  // ARP and neighbour discovery have to find each other anew
    EXPECT_TRUE(Carries(before, accepted));
    EXPECT_TRUE(Carries(accepted, before));
    EXPECT_TRUE(static_cast<bool>(Connect(family, 22)));
    EXPECT_GT(source().Counters().left_to_host, 5u);
    EXPECT_THAT(ReceiveStray(), IsEmpty());
    group_ = {};
  }
}

TEST_F(XdpHostTest, WhatIsForOthersIsTakenAndEachFrameIsCountedOnce) {
  MustOpen();
  EXPECT_THAT(group_.notes, testing::Contains(HasSubstr("far0 has the address 10.9.0.2")));
  const auto left_before = source().Counters().left_to_host;
  const Bytes others[] = {
      UdpFrame(30, 53, "10.9.0.3"),
      PacketBuilder().Ethernet().Vlan(5).Ipv4("10.9.0.1", "10.1.1.1").Udp(1, 2).Build(),
      PacketBuilder().Ethernet().Ipv6("fd09::1", "fd09::3").Udp(1, 2).Payload(9).Build(),
      PacketBuilder().Ethernet().Ipv4("10.9.0.2", "10.9.0.3").Tcp(22, 9999).Build()};
  const Bytes own[] = {
      UdpFrame(30, 9, kFarAddress),
      PacketBuilder().Ethernet().Vlan(5).Ipv4("10.1.1.1", kFarAddress).Udp(1, 2).Build(),
      PacketBuilder().Ethernet().Vlan(5).Vlan(6).Ipv6("fd01::1", kFarAddress6).Udp(1, 2).Build(),
      PacketBuilder().Ethernet().Ipv4("10.9.0.1", "255.255.255.255").Udp(67, 68).Build(),
      PacketBuilder().Ethernet().Ipv6("fe80::1", "fe80::9").Udp(547, 546).Build(),
      PacketBuilder().Ethernet().Ipv6("fe80::1", "ff02::1").Icmpv6(134, 0).Build(),
      PacketBuilder().Ethernet().Ipv6("fe80::1", "ff02::16").HopByHop().Icmpv6(143, 0).Build(),
      PacketBuilder().Ethernet().Raw(Bytes(46), 0x0806).Build(),
      PacketBuilder().Ethernet().Raw(Bytes(46), 0x88cc).Build()};
  for (const Bytes& frame : own) sender_->Send(frame);
  for (const Bytes& frame : others) sender_->Send(frame);
  const auto got = Receive(std::size(others));
  ASSERT_THAT(got, SizeIs(std::size(others)));
  EXPECT_THAT(ReceiveStray(), IsEmpty());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].bytes, others[i]) << i;
  // The near host's own chatter (its neighbour discovery) may come on top.
  EXPECT_GE(source().Counters().left_to_host - left_before, std::size(own));
  EXPECT_EQ(*source().Counters().ring_dropped, 0u);
}

TEST_F(XdpHostTest, AnAddressThatTheHostGetsLaterIsItsOwn) {
  MustOpen();
  sender_->Send(UdpFrame(30, 9, "10.9.0.77"));
  EXPECT_THAT(Receive(1), SizeIs(1));
  pair_->far().Ip("address add 10.9.0.77/24 dev far0");
  const uint64_t left = [&] {
    const auto scope = pair_->far().Enter();
    return source().Counters().left_to_host;
  }();
  sender_->Send(UdpFrame(30, 9, "10.9.0.77"));
  EXPECT_THAT(ReceiveStray(), IsEmpty());
  EXPECT_GT(source().Counters().left_to_host, left);
}

class XdpProcessTest : public XdpTest {
 protected:
  void StartCommand() {
    command_ = std::make_unique<Command>(std::vector<std::string>{
        "-i", VethPair::kFar, "--backend", "xdp", "--ring-mib", "2", "--eve", folder_.File("eve")});
    const auto scope = pair_->far().Enter();
    command_->Start();
    ASSERT_TRUE(command_->WaitUntilReady());
  }

  TemporaryFolder folder_;
  std::unique_ptr<Command> command_;
};

TEST_F(XdpProcessTest, AfterKillNineNoProgramIsLeftAndTheNextOneReceives) {
  StartCommand();
  EXPECT_TRUE(HasProgram());
  command_->Signal(SIGKILL);
  EXPECT_EQ(command_->Finish().status, 128 + SIGKILL);
  EXPECT_FALSE(HasProgram());
  MustOpen();
  sender_->Send(UdpFrame(30));
  EXPECT_THAT(Receive(1), SizeIs(1));
}

// Also when the privileges that opened it are gone.
TEST_F(XdpProcessTest, TheReportSaysWhatWasLeftToTheHost) {
  pair_->far().Ip("address add 10.9.0.2/24 dev far0");
  StartCommand();
  for (int i = 0; i < 7; ++i) sender_->Send(UdpFrame(30, 9, kFarAddress));
  for (int i = 0; i < 5; ++i) sender_->Send(UdpFrame(30, 9, "10.9.0.3"));
  usleep(300'000);
  command_->Signal(SIGTERM);
  const CommandResult result = command_->Finish();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("far0 has the address 10.9.0.2: frames to the host's own"));
  EXPECT_THAT(result.out, testing::ContainsRegex("left_to_host +7\n"));
  std::ifstream eve(folder_.File("eve"));
  const std::string text((std::istreambuf_iterator<char>(eve)), {});
  EXPECT_THAT(text, testing::AllOf(HasSubstr("\"left_to_host\":7"), HasSubstr("\"tracked\":5")));
}

TEST_F(XdpProcessTest, TheSecondWeirSaysWhyNotAndTheFirstGoesOn) {
  StartCommand();
  const auto second = Open();
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("another weir receives on far0 by AF_XDP"));
  sender_->Send(UdpFrame(30));
  usleep(300'000);
  command_->Signal(SIGTERM);
  const CommandResult result = command_->Finish();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("far0: AF_XDP copy (not AF_XDP zero-copy: "));
  EXPECT_THAT(result.out, HasSubstr("tracked"));
  EXPECT_FALSE(HasProgram());
}

TEST_F(XdpProcessTest, APacketSocketBesideItIsNotDisturbedOnAnotherInterface) {
  StartCommand();
  CommandResult other;
  {
    const auto scope = pair_->near().Enter();
    other = Command({"-i", VethPair::kNear, "--duration", "200ms"}).Run();
  }
  EXPECT_EQ(other.status, 0) << other.err;
  command_->Signal(SIGTERM);
  EXPECT_EQ(command_->Finish().status, 0);
}

// Attached as xdp-loader and ip(8) do it: nothing but the netlink message.
TEST_F(XdpTest, AForeignProgramIsExplainedAndStays) {
  pair_->far().Ip(
      absl::StrCat("link set far0 xdp object ", WEIR_FOREIGN_PROGRAM, " program pass_frame"));
  ASSERT_TRUE(HasProgram());
  for (const XdpMode mode : {XdpMode::kCopy, XdpMode::kGeneric}) {
    options_.mode = mode;
    const auto group = Open();
    ASSERT_FALSE(group.ok());
    const std::string message(group.status().message());
    EXPECT_THAT(message, HasSubstr("far0 has an XDP program of somebody else's: \"pass_frame\""));
    EXPECT_THAT(message, HasSubstr("ip link show far0"));
    EXPECT_THAT(message, HasSubstr("It is not replaced"));
  }
  ASSERT_TRUE(HasProgram());
  pair_->far().Ip("link set far0 xdp off");
  MustOpen();
}

}  // namespace
}  // namespace weir::test
