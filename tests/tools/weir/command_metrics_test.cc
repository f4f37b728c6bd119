// --prometheus from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_get.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

TEST(CommandMetricsTest, ThePageIsThereAsLongAsTheRun) {
  const uint16_t port = FreePort();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  Command command({"-r", "-", "--prometheus", address});
  command.WithInputPipe().Start();
  command.WriteInput(PcapOf({}));
  HttpAnswer answer;
  EXPECT_TRUE(Eventually([&] { return (answer = HttpGet(port, "/metrics")).status == 200; }));
  EXPECT_THAT(answer.body, HasSubstr("weir_build_info{version="));
  EXPECT_EQ(HttpGet(port, "/elsewhere").status, 404);
  command.CloseInput();
  const CommandResult result = command.Finish();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("weir: metrics at http://" + address + "/metrics\n"));
  EXPECT_EQ(HttpGet(port, "/metrics").status, 0);
}

TEST(CommandMetricsTest, APortThatIsTakenEndsTheRunAndSaysSo) {
  const uint16_t port = FreePort();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  Command first({"-r", "-", "--prometheus", address});
  first.WithInputPipe().Start();
  first.WriteInput(PcapOf({}));
  ASSERT_TRUE(Eventually([&] { return HttpGet(port, "/metrics").status == 200; }));
  const TemporaryFolder folder;
  WriteFile(folder.File("empty.pcap"), PcapOf({}));
  const CommandResult second = RunWeir({"-r", folder.File("empty.pcap"), "--prometheus", address});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, HasSubstr("another program listens there"));
  first.CloseInput();
  EXPECT_EQ(first.Finish().status, 0);
}

TEST(CommandMetricsTest, AnAddressThatIsNoneIsWrongUsage) {
  const CommandResult result = RunWeir({"-r", "x", "--prometheus", "9090"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--prometheus: '9090' has no port: write ADDRESS:PORT"));
}

}  // namespace
}  // namespace weir::test
