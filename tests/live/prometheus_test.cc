// A real Prometheus scrapes a live run: the figures that it has are those of the wire, and the
// alerts fire.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "tests/live/prometheus_process.h"
#include "tests/support/http_get.h"
#include "tests/support/metric_names.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

constexpr char kMonitoring[] = WEIR_SOURCE_FOLDER "/tools/monitoring";

Bytes UdpFrame(size_t payload) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Udp(1000, 53)
      .Payload(payload)
      .Build();
}

class LivePrometheusTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    const auto near = pair_->near().Enter();
    sender_ = std::make_unique<RawSender>(VethPair::kNear);
  }

  // In the far namespace, where the calling thread must be; answers when this returns.
  void StartWeir(std::vector<std::string> more = {}) {
    port_ = FreePort();
    std::vector<std::string> arguments = {"-i", VethPair::kFar, "--prometheus",
                                          "127.0.0.1:" + std::to_string(port_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    weir_ = std::make_unique<Command>(std::move(arguments));
    weir_->Start();
    ASSERT_TRUE(
        Eventually([&] { return Page().find("state=\"running\"} 1") != std::string::npos; }));
  }
  std::string Page() const { return HttpGet(port_, "/metrics").body; }
  void Send(int frames, size_t payload = 30) {
    for (int i = 0; i < frames; ++i) sender_->Send(UdpFrame(payload));
  }
  void StopWeir() {
    weir_->Signal(SIGINT);
    const CommandResult result = weir_->Finish();
    EXPECT_EQ(result.status, 0) << result.err;
  }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<RawSender> sender_;
  std::unique_ptr<Command> weir_;
  uint16_t port_ = 0;
};

TEST_F(LivePrometheusTest, APrometheusServerHasWhatWasReceivedAndDroppedAndItsAlertFires) {
  if (const std::string missing = WhyNoPrometheus(); !missing.empty()) GTEST_SKIP() << missing;
  constexpr int kFrames = 500, kFlood = 8000;
  const auto far = pair_->far().Enter();
  StartWeir({"--shards", "1", "--ring-mib", "1", "--block-kib", "128"});
  const PrometheusProcess prometheus(port_, std::string(kMonitoring) + "/weir-alerts.yml");
  Send(kFrames);
  ASSERT_EQ(prometheus.QueryUntil("sum(weir_received_frames_total)", kFrames), kFrames)
      << prometheus.log();
  EXPECT_EQ(prometheus.Query("sum(weir_tracked_frames_total{interface=\"far0\",shard=\"0\"})"),
            kFrames);
  EXPECT_EQ(prometheus.Query("sum(weir_ring_dropped_frames_total)"), 0);
  EXPECT_EQ(prometheus.Query("sum(weir_flows_alive)"), 1);
  EXPECT_EQ(prometheus.Query("sum(weir_ledger_errors_total)"), 0);
  EXPECT_EQ(prometheus.Query("sum(weir_delivery_delay_seconds_count)"), kFrames);
  EXPECT_EQ(prometheus.Query("count(ALERTS)"), std::nullopt);

  // More than the ring holds, while nobody reads.
  weir_->Signal(SIGSTOP);
  Send(kFlood, 1000);
  weir_->Signal(SIGCONT);
  constexpr int kAll = kFrames + kFlood;
  EXPECT_EQ(prometheus.QueryUntil(
                "sum(weir_received_frames_total) + sum(weir_ring_dropped_frames_total)", kAll),
            kAll);
  EXPECT_GT(prometheus.Query("sum(weir_ring_dropped_frames_total)").value_or(0), 0);
  EXPECT_GT(prometheus.Query("sum(weir_ring_freezes_total)").value_or(0), 0);
  EXPECT_EQ(prometheus.QueryUntil("count(ALERTS{alertname=\"WeirDropsFrames\",severity=\"warning\","
                                  "alertstate=\"firing\",interface=\"far0\",shard=\"0\"})",
                                  1),
            1);
  StopWeir();
}

TEST_F(LivePrometheusTest, ALiveRunExportsEveryMetricThatDashboardAndAlertsUse) {
  const auto far = pair_->far().Enter();
  const TemporaryFolder folder;
  StartWeir({"--shards", "1", "--counters", "ip", "--counters-file", folder.File("rows"),
             "--interval", "200ms"});
  Send(10);
  const std::string received = "weir_received_frames_total{shard=\"0\",interface=\"far0\"} 10\n";
  EXPECT_TRUE(Eventually([&] { return Page().find(received) != std::string::npos; })) << Page();
  EXPECT_TRUE(Eventually([&] { return Page().find("weir_snapshot_lag_") != std::string::npos; }));
  const std::set<std::string> exported = MetricNamesExported(Page());
  for (const char* file : {"/weir-alerts.yml", "/weir-dashboard.json"}) {
    EXPECT_EQ(MissingNames(MetricNamesUsed(ReadFile(kMonitoring + std::string(file))), exported),
              "")
        << file;
  }
  StopWeir();
}

TEST_F(LivePrometheusTest, EachOfSeveralShardsHasItsSeries) {
  constexpr int kFlows = 200;
  const auto far = pair_->far().Enter();
  StartWeir({"--shards", "2", "--fanout", "hash"});
  for (uint16_t i = 0; i < kFlows; ++i) {
    sender_->Send(PacketBuilder()
                      .Ethernet()
                      .Ipv4("10.0.0.1", "10.0.0." + std::to_string(2 + i))
                      .Udp(1000, 53)
                      .Payload(30)
                      .Build());
  }
  const auto received = [&](int shard) {
    const std::string name =
        "\nweir_received_frames_total{shard=\"" + std::to_string(shard) + "\",interface=\"far0\"} ";
    const std::string page = Page();
    const size_t at = page.find(name);
    return at == std::string::npos ? -1 : std::atoi(page.c_str() + at + name.size());
  };
  EXPECT_TRUE(Eventually([&] { return received(0) + received(1) == kFlows; }))
      << received(0) << " " << received(1);
  EXPECT_GT(received(0), 0);
  EXPECT_GT(received(1), 0);
  StopWeir();
}

TEST_F(LivePrometheusTest, TheHeartbeatGoesOnWhileTheWireIsSilent) {
  const auto far = pair_->far().Enter();
  StartWeir();
  const auto heartbeat = [&] {
    const std::string page = Page(), name = "\nweir_shard_heartbeat_timestamp_seconds{";
    const size_t at = page.find(name);
    return at == std::string::npos ? 0.0 : std::atof(page.c_str() + page.find("} ", at) + 2);
  };
  const double first = heartbeat();
  EXPECT_GT(first, 1.6e9);
  EXPECT_TRUE(Eventually([&] { return heartbeat() > first; }));
  StopWeir();
}

}  // namespace
}  // namespace weir::test
