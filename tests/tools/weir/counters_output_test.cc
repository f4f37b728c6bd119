// --counters of an interface: a thread of its own takes the snapshots while the shard runs.
#include "tools/weir/counters_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

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

// Rows go to a pipe that nobody reads for a while: the merger hangs in a write, in the middle of
// its work.
class SlowReader {
 public:
  explicit SlowReader(const std::string& path) {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    fd_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fcntl(fd_, F_SETPIPE_SZ, 4096);
  }
  ~SlowReader() { close(fd_); }

  // All that is there now.
  void Read() {
    char bytes[4096];
    for (ssize_t count; (count = read(fd_, bytes, sizeof bytes)) > 0;) {
      text_.append(bytes, static_cast<size_t>(count));
    }
  }
  const std::string& text() const { return text_; }

 private:
  int fd_ = -1;
  std::string text_;
};

uint64_t PacketsOfTotals(const std::string& text) {
  uint64_t packets = 0;
  for (const std::string& line : test::Lines(text)) {
    const size_t at = line.find("\"pkts\":");
    if (line.find("\"counters_total\"") == std::string::npos || at == std::string::npos) continue;
    packets += std::strtoull(line.c_str() + at + 7, nullptr, 10);
  }
  return packets;
}

class LiveCounters : public testing::Test {
 protected:
  void Start(const std::string& file, int64_t interval_ns) {
    options_.interfaces = {{"eth0"}};
    options_.counters = CountBy::kIp;
    options_.counters_file = file;
    options_.interval_ns = interval_ns;
    ShardOptions shard_options;
    shard_options.live = true;
    shard_options.snapshots = CountersOutput::OptionsFor(options_, ClockNs());
    auto source = *MemorySource::Create({.block_count = 4});
    source_ = source.get();
    std::vector<std::unique_ptr<FrameSource>> sources;
    sources.push_back(std::move(source));
    shard_ = *Shard::Create(shard_options, std::move(sources));
    output_ = *CountersOutput::Open(options_, {shard_->snapshots()});
    output_->Start();
  }
  void Receive() {
    const Frame frame = test::AsFrame(bytes_, link_type::kEthernet, ClockNs());
    sent_ += source_->Refill({&frame, 1});
  }
  void Poll() {
    shard_->Poll();
    ASSERT_TRUE(shard_->Wait(1'000'000).ok());
    ASSERT_TRUE(output_->Collect().ok());
  }
  void Stop() {
    shard_->Stop();
    while (!shard_->done()) shard_->Poll();
  }
  double LagSeconds() { return static_cast<double>(output_->SnapshotLagNs(0).value_or(0)) / 1e9; }

  test::TemporaryFolder folder_;
  CommandOptions options_;
  const test::Bytes bytes_ =
      test::PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  MemorySource* source_ = nullptr;  // the shard's
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<CountersOutput> output_;
  uint64_t sent_ = 0;
};

TEST_F(LiveCounters, ASlowMergerIsSeenInTheLagAndInJoinedIntervalsAndLosesNoCounts) {
  SlowReader reader(folder_.File("fifo"));
  Start(folder_.File("fifo"), 30'000'000);
  while (LagSeconds() < 0.5 || shard_->Counters().joined_intervals < 5) {
    Receive();
    Poll();
  }
  // It is read again: what is late comes, then intervals are on time.
  while (LagSeconds() > 0.25 || PacketsOfTotals(reader.text()) < sent_) {
    reader.Read();
    Poll();
  }
  Receive();
  while (shard_->ledger().received < sent_) Poll();
  Stop();
  EXPECT_TRUE(output_->Finish().ok());
  reader.Read();
  EXPECT_EQ(PacketsOfTotals(reader.text()), sent_);
  EXPECT_NE(reader.text().find("\"last\":true"), std::string::npos);
}

TEST_F(LiveCounters, IntervalsAreWrittenWhileTheShardRuns) {
  Start(folder_.File("counters.json"), 20'000'000);
  Receive();
  const auto written = [&] { return test::ReadFile(options_.counters_file); };
  while (PacketsOfTotals(written()) < 1) Poll();
  Stop();
  EXPECT_TRUE(output_->Finish().ok());
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
