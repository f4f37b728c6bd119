// --counters of an interface: a thread of its own takes the snapshots while the shard runs.
#include "tools/weir/counters_output.h"

#include <gtest/gtest.h>
#include <time.h>

#include "engine/shard.h"
#include "rings/memory_source.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"
#include "tools/weir/counters_table.h"

namespace weir {
namespace {

int64_t ClockNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

TEST(CountersOutputTest, IntervalsOfALiveShardAreWrittenWhileItRuns) {
  const test::TemporaryFolder folder;
  CommandOptions options;
  options.interfaces = {{"eth0"}};
  options.counters = CountBy::kIp;
  options.counters_file = folder.File("counters.json");
  options.interval_ns = 20'000'000;
  ShardOptions shard_options;
  shard_options.live = true;
  shard_options.snapshots = CountersOutput::OptionsFor(options, ClockNs());
  auto source = *MemorySource::Create({.block_count = 4});
  const test::Bytes bytes =
      test::PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  const Frame frame = test::AsFrame(bytes, link_type::kEthernet, ClockNs());
  ASSERT_EQ(source->Refill({&frame, 1}), 1);
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  auto shard = *Shard::Create(shard_options, std::move(sources));
  auto output = *CountersOutput::Open(options, {shard->snapshots()});
  const auto written = [&] { return test::ReadFile(options.counters_file); };
  while (written().find("\"pkts\":1,") == std::string::npos) {
    shard->Poll();
    ASSERT_TRUE(shard->Wait(1'000'000).ok());
    ASSERT_TRUE(output->Collect().ok());
  }
  shard->Stop();
  while (!shard->done()) shard->Poll();
  EXPECT_TRUE(output->Finish().ok());
  EXPECT_NE(written().find("\"last\":true"), std::string::npos);
}

TEST(CountersTableTest, NamesTheBusiestAndTheRest) {
  CountersReport report({.by = CountBy::kIp});
  for (uint8_t host = 1; host <= 3; ++host) {
    report.addresses.Add({AddressFamily::kIpv4, {10, 0, 0, host}}, {{host, 0}, {host * 100u, 0}});
  }
  const std::string table = CountersTable(report, 1);
  EXPECT_NE(table.find("Addresses (of 3)"), std::string::npos);
  EXPECT_NE(table.find("10.0.0.3"), std::string::npos);
  EXPECT_EQ(table.find("10.0.0.2"), std::string::npos);
  EXPECT_NE(table.find("other                                      3      300 B"),
            std::string::npos)
      << table;
}

}  // namespace
}  // namespace weir
