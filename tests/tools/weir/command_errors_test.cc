// What goes wrong, and what the command says to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class CommandErrorsTest : public testing::Test {
 protected:
  static std::vector<Bytes> Frames(int count) {
    std::vector<Bytes> frames;
    for (int i = 0; i < count; ++i) {
      frames.push_back(PacketBuilder()
                           .Ethernet()
                           .Ipv4("10.0.0.1", "10.0.0.2")
                           .Udp(static_cast<uint16_t>(1000 + i), 53)
                           .Payload(10)
                           .Build());
    }
    return frames;
  }
  std::string Capture(const Bytes& bytes) {
    const std::string path = folder_.File("in.pcap");
    WriteFile(path, bytes);
    return path;
  }
  static void ExpectFailure(const CommandResult& result, int status, const std::string& message) {
    EXPECT_EQ(result.status, status) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("weir: "), HasSubstr(message)));
  }
  TemporaryFolder folder_;
};

TEST_F(CommandErrorsTest, NoSource) {
  const auto result = RunWeir({});
  ExpectFailure(result, 2, "which traffic?");
  EXPECT_THAT(result.out, IsEmpty());
}

TEST_F(CommandErrorsTest, BothSources) {
  ExpectFailure(RunWeir({"-i", "lo", "-r", "x"}), 2, "not both");
}

TEST_F(CommandErrorsTest, TheCaptureThatIsReadIsNeverOverwritten) {
  const Bytes bytes = PcapOf(Frames(3));
  const std::string capture = Capture(bytes), other_name = folder_.File("./in.pcap");
  for (const char* option : {"--write", "--eve"}) {
    ExpectFailure(RunWeir({"-r", capture, option, other_name}), 2, "it would be overwritten");
  }
  EXPECT_EQ(ReadFile(capture), std::string(bytes.begin(), bytes.end()));
}

TEST_F(CommandErrorsTest, NoSuchInterfaceListsThoseThereAre) {
  ExpectFailure(RunWeir({"-i", "nosuch0"}), 1, "no interface \"nosuch0\": there are ");
}

TEST_F(CommandErrorsTest, NoPrivilegeNamesTheCapability) {
  ExpectFailure(Command({"-i", "lo", "--count", "1"}).WithoutPrivilege().Run(), 1, "CAP_NET_RAW");
}

TEST_F(CommandErrorsTest, ABadNetworkIsNamedByFileAndLine) {
  const std::string list = folder_.File("networks");
  const std::string text = "10.0.0.0/8\n# a comment\n10.0.0.300/8\n";
  WriteFile(list, Bytes(text.begin(), text.end()));
  const std::string capture = Capture(PcapOf(Frames(1)));
  ExpectFailure(RunWeir({"-r", capture, "--ignore-dst", list}), 2, list + ":3");
  ExpectFailure(RunWeir({"-r", capture, "--accept-src", list}), 2, list + ":3");
}

TEST_F(CommandErrorsTest, AMissingListOfNetworks) {
  ExpectFailure(RunWeir({"-r", Capture(PcapOf(Frames(1))), "--ignore-dst", "/no/such/list"}), 1,
                "/no/such/list");
}

TEST_F(CommandErrorsTest, ABadExpressionIsShown) {
  ExpectFailure(RunWeir({"-r", Capture(PcapOf(Frames(1))), "--filter", "tcp prot 80"}), 2,
                "tcp prot 80");
}

TEST_F(CommandErrorsTest, NoSuchFile) {
  ExpectFailure(RunWeir({"-r", "/no/such/file.pcap"}), 1, "/no/such/file.pcap: No such file");
}

TEST_F(CommandErrorsTest, NoCaptureFile) {
  ExpectFailure(RunWeir({"-r", Capture(Bytes(100, 'x'))}), 1, "not a capture file");
}

TEST_F(CommandErrorsTest, ACutFileGivesWhatLiesBeforeTheCut) {
  Bytes bytes = PcapOf(Frames(5));
  bytes.resize(bytes.size() - 20);
  const auto result = RunWeir({"-r", Capture(bytes), "--eve", "-", "-q"});
  ExpectFailure(result, 1, "in.pcap");
  EXPECT_THAT(Lines(result.out), SizeIs(4 + 1)) << "four flows and the ledger";
}

TEST_F(CommandErrorsTest, ACutFileIsReportedAllTheSame) {
  Bytes bytes = PcapOf(Frames(5));
  bytes.resize(bytes.size() - 20);
  const auto result = RunWeir({"-r", Capture(bytes)});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("4 packets"));
}

TEST_F(CommandErrorsTest, FullDiskUnderEve) {
  ExpectFailure(RunWeir({"-r", Capture(PcapOf(Frames(5))), "--eve", "/dev/full", "-q"}), 1,
                "cannot write to /dev/full: No space left on device: make room");
}

TEST_F(CommandErrorsTest, FullDiskUnderFrames) {
  ExpectFailure(RunWeir({"-r", Capture(PcapOf(Frames(5))), "--write", "/dev/full", "-q"}), 1,
                "/dev/full: No space left on device");
}

TEST_F(CommandErrorsTest, FullDiskUnderTheReport) {
  ExpectFailure(Command({"-r", Capture(PcapOf(Frames(5)))}).OutputTo("/dev/full").Run(), 1,
                "cannot write the report: No space left on device");
}

// `weir ... --eve - | head -1`
TEST_F(CommandErrorsTest, AClosedPipeEndsQuietly) {
  const auto result =
      Command({"-r", Capture(PcapOf(Frames(2000))), "--eve", "-", "-q"}).WithClosedReader().Run();
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(CommandErrorsTest, AClosedPipeUnderTheReport) {
  const auto result = Command({"-r", Capture(PcapOf(Frames(5)))}).WithClosedReader().Run();
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(CommandErrorsTest, AFolderThatIsNotThere) {
  ExpectFailure(RunWeir({"-r", Capture(PcapOf(Frames(5))), "--eve", "/no/such/folder/eve.json"}), 1,
                "/no/such/folder/eve.json");
}

}  // namespace
}  // namespace weir::test
