// What a counter of traffic must do, continued: the command on an interface, from outside. Rows of
// each interval that are exact for each address and flow, a page to be scraped meanwhile, and the
// last interval written on SIGTERM.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <csignal>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/http_get.h"
#include "tests/support/known_traffic.h"
#include "tests/support/netns.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

// What the command wrote, added up.
struct Counted {
  AddressTotals addresses;
  std::set<std::string> flows;
  uint64_t packets = 0;  // by the intervals' totals
  int intervals = 0;
  bool last = false;  // the last interval says that it is
};

void AddRow(const rapidjson::Document& row, Counted& counted) {
  const auto number = [](const rapidjson::Value& value, const char* name) {
    return value[name].GetUint64();
  };
  if (row.HasMember("ip")) {
    auto& totals = counted.addresses[AddressOf(row["ip"].GetString())];
    totals[0] += number(row["sent"], "pkts");
    totals[1] += number(row["sent"], "bytes");
    totals[2] += number(row["received"], "pkts");
    totals[3] += number(row["received"], "bytes");
    return;
  }
  const auto& flow = row["flow"];
  const std::string source = row["src_ip"].GetString(), destination = row["dest_ip"].GetString();
  AddTo(counted.addresses, AddressOf(source), AddressOf(destination), number(flow, "pkts_toserver"),
        number(flow, "bytes_toserver"));
  AddTo(counted.addresses, AddressOf(destination), AddressOf(source), number(flow, "pkts_toclient"),
        number(flow, "bytes_toclient"));
  counted.flows.insert(absl::StrCat(source, " ", row["src_port"].GetInt(), " ", destination, " ",
                                    row["dest_port"].GetInt(), " ", row["proto"].GetString()));
}

Counted Read(const std::string& text) {
  Counted counted;
  for (const std::string& line : Lines(text)) {
    rapidjson::Document row;
    EXPECT_FALSE(row.Parse(line.c_str()).HasParseError()) << line;
    if (std::string(row["event_type"].GetString()) == "counters") {
      AddRow(row, counted);
      continue;
    }
    counted.packets += row["pkts"].GetUint64();
    counted.intervals += row["pkts"].GetUint64() > 0;
    counted.last = row["last"].GetBool();
  }
  return counted;
}

class TrafficCounterCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    rows_ = folder_.File("rows.json");
  }

  // Two shards; counts when this returns.
  void Start(const std::string& by, const std::string& interval) {
    port_ = FreePort();
    weir_ = std::make_unique<Command>(std::vector<std::string>{
        "-i", VethPair::kFar, "--shards", "2", "--fanout", "ebpf", "--ring-mib", "4", "--quiet",
        "--counters", by, "--counters-file", rows_, "--interval", interval, "--prometheus",
        absl::StrCat("127.0.0.1:", port_)});
    const auto scope = pair_->far().Enter();
    weir_->Start();
    const auto runs = [&](const char* shard) {
      return absl::StrContains(Page(), absl::StrCat("weir_shard_state{shard=\"", shard,
                                                    "\",interface=\"far0\","
                                                    "state=\"running\"} 1\n"));
    };
    const bool started = Eventually([&] { return runs("0") && runs("1"); });
    ASSERT_TRUE(started) << Page() << Said();
  }
  void Send(const std::vector<Bytes>& frames) {
    const auto scope = pair_->near().Enter();
    RawSender sender(VethPair::kNear);
    for (const Bytes& frame : frames) sender.Send(frame);
  }
  std::string Page() const {
    const auto scope = pair_->far().Enter();
    return HttpGet(port_, "/metrics").body;
  }
  // The sum over the shards; -1: it is not there.
  double Metric(const std::string& name) const {
    const std::string page = Page();
    double sum = -1;
    for (const std::string& line : Lines(page)) {
      if (!absl::StartsWith(line, name + "{")) continue;
      sum = std::max(sum, 0.0) + std::atof(line.c_str() + line.rfind(' '));
    }
    return sum;
  }
  bool Tracked(size_t frames) const {
    return Eventually(
        [&] { return Metric("weir_tracked_frames_total") == static_cast<double>(frames); });
  }
  // Ends it: what it had to say.
  std::string Said() {
    weir_->Signal(SIGTERM);
    const CommandResult result = weir_->Finish();
    return absl::StrCat("status ", result.status, ": ", result.err);
  }
  Counted End() {
    weir_->Signal(SIGTERM);
    const CommandResult result = weir_->Finish();
    EXPECT_EQ(result.status, 0) << result.err;
    return Read(ReadFile(rows_));
  }

  TemporaryFolder folder_;
  std::string rows_;
  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<Command> weir_;
  uint16_t port_ = 0;
};

TEST_F(TrafficCounterCommandTest, AddressesOfAllIntervalsAddUpToWhatWasSent) {
  const KnownTraffic traffic;
  Start("ip", "50ms");
  Send(traffic.frames());
  ASSERT_TRUE(Tracked(traffic.frames().size())) << Page();
  EXPECT_TRUE(Eventually([&] { return Read(ReadFile(rows_)).packets == traffic.frames().size(); }))
      << "intervals are written while it runs";
  Send(traffic.frames());
  ASSERT_TRUE(Tracked(2 * traffic.frames().size())) << Page();
  const Counted counted = End();
  AddressTotals twice = traffic.totals();
  for (auto& [address, totals] : twice) {
    for (uint64_t& total : totals) total *= 2;
  }
  EXPECT_EQ(counted.addresses, twice);
  EXPECT_EQ(counted.packets, 2 * traffic.frames().size());
  EXPECT_GT(counted.intervals, 1);
  EXPECT_TRUE(counted.last);
}

TEST_F(TrafficCounterCommandTest, FlowsOfAllIntervalsAddUpToWhatWasSent) {
  const KnownTraffic traffic;
  Start("flow", "50ms");
  Send(traffic.frames());
  ASSERT_TRUE(Tracked(traffic.frames().size())) << Page();
  const Counted counted = End();
  EXPECT_EQ(counted.addresses, traffic.totals());
  EXPECT_EQ(counted.flows.size(), traffic.flows());
  EXPECT_EQ(counted.packets, traffic.frames().size());
  EXPECT_TRUE(counted.last);
}

// None has ended when the signal comes: all of it is in the last one.
TEST_F(TrafficCounterCommandTest, SigtermWritesTheLastIntervalOfEveryShard) {
  const KnownTraffic traffic(3);
  for (const char* by : {"ip", "flow"}) {
    Start(by, "1h");
    Send(traffic.frames());
    ASSERT_TRUE(Tracked(traffic.frames().size())) << Page();
    EXPECT_EQ(ReadFile(rows_), "");
    const Counted counted = End();
    EXPECT_EQ(counted.addresses, traffic.totals()) << by;
    EXPECT_EQ(counted.intervals, 1);
    EXPECT_TRUE(counted.last);
    rows_ = folder_.File("more.json");
  }
}

// Frames that lie in a block of the ring which the kernel has not handed over yet are counted, too.
TEST_F(TrafficCounterCommandTest, SigtermRightBehindTheLastFrameLosesNone) {
  const KnownTraffic traffic;
  Start("ip", "1h");
  Send(traffic.frames());
  EXPECT_EQ(End().addresses, traffic.totals());
}

TEST_F(TrafficCounterCommandTest, APageIsServedWhileItCounts) {
  const KnownTraffic traffic;
  Start("ip", "50ms");
  Send(traffic.frames());
  ASSERT_TRUE(Tracked(traffic.frames().size())) << Page();
  const auto frames = static_cast<double>(traffic.frames().size());
  EXPECT_EQ(Metric("weir_received_frames_total"), frames);
  EXPECT_EQ(Metric("weir_ring_dropped_frames_total"), 0);
  EXPECT_EQ(Metric("weir_flows_alive"), static_cast<double>(traffic.flows()));
  EXPECT_EQ(Metric("weir_malformed_frames_total"), 0);
  EXPECT_TRUE(Eventually([&] { return Metric("weir_snapshot_lag_seconds") >= 0; }));
  EXPECT_TRUE(End().last);
}

}  // namespace
}  // namespace weir::test
