// The alert rules and the dashboard: sound, and about metrics that weir exports.
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>
#include <rapidjson/document.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "engine/export/prometheus_metrics.h"
#include "tests/support/metric_names.h"
#include "tests/support/promtool.h"
#include "tests/support/temporary_folder.h"

namespace weir {
namespace {

using rapidjson::Value;
using test::Promtool;
using test::ReadFile;

const std::string kFolder = WEIR_SOURCE_FOLDER "/tools/monitoring";
const std::string kTestFolder = WEIR_SOURCE_FOLDER "/tests/tools/monitoring";

// The page of a shard that knows everything.
std::string FullPage() {
  ShardMetrics view;
  view.interface = "eth0";
  view.snapshot_lag_ns = 1;
  view.state = ShardState::kRunning;
  view.shown_ns = 1;
  view.counters.ring = {.used = 1, .units = 2};
  view.delays.emplace();
  view.delays->Add(1);
  view.counters.time_ns = 1;
  view.counters.dedup.covered_window_ns = 1;
  view.counters.dedup.least_covered_window_ns = 1;
  SourceCounters& source = view.counters.source;
  source.ring_dropped = source.ring_freezes = source.nic_missed = 0;
  source.kernel_filtered.emplace();
  const PrometheusMetrics collected([&] { return std::vector<ShardMetrics>{view}; });
  return prometheus::TextSerializer().Serialize(collected.Collect());
}

TEST(MonitoringTest, MetricsFollowPrometheusConventions) {
  WEIR_SKIP_WITHOUT_PROMTOOL();
  EXPECT_EQ(Promtool("check metrics", FullPage()), "");
}

TEST(MonitoringTest, AlertRulesAreValid) {
  WEIR_SKIP_WITHOUT_PROMTOOL();
  EXPECT_EQ(Promtool("check rules " + kFolder + "/weir-alerts.yml"), "");
}

TEST(MonitoringTest, AlertsFireForWhatTheyAreAboutOnly) {
  WEIR_SKIP_WITHOUT_PROMTOOL();
  EXPECT_EQ(Promtool("test rules " + kTestFolder + "/weir-alerts-test.yml"), "");
}

TEST(MonitoringTest, EachAlertIsTested) {
  const std::string rules = ReadFile(kFolder + "/weir-alerts.yml");
  const std::string tests = ReadFile(kTestFolder + "/weir-alerts-test.yml");
  int alerts = 0;
  for (size_t at = 0; (at = rules.find("- alert: ", at)) != std::string::npos; ++alerts) {
    at += 9;
    const std::string name = rules.substr(at, rules.find('\n', at) - at);
    EXPECT_NE(tests.find(name), std::string::npos) << name;
  }
  EXPECT_GT(alerts, 0);
}

TEST(MonitoringTest, RulesAndDashboardUseMetricsThatAreExported) {
  const auto exported = test::MetricNamesExported(FullPage());
  for (const char* file : {"/weir-alerts.yml", "/weir-dashboard.json"}) {
    const auto used = test::MetricNamesUsed(ReadFile(kFolder + file));
    EXPECT_GT(used.size(), 5u) << file;
    EXPECT_EQ(test::MissingNames(used, exported), "") << file;
  }
}

class DashboardTest : public testing::Test {
 protected:
  void SetUp() override {
    dashboard_.Parse(ReadFile(kFolder + "/weir-dashboard.json").c_str());
    ASSERT_FALSE(dashboard_.HasParseError()) << "at " << dashboard_.GetErrorOffset();
    ASSERT_GT(dashboard_["panels"].Size(), 0u);
  }
  rapidjson::Document dashboard_;
};

TEST_F(DashboardTest, EachPanelHasATitleAUnitAndQueries) {
  std::set<int> ids;
  for (const Value& panel : dashboard_["panels"].GetArray()) {
    const std::string title = panel["title"].GetString();
    EXPECT_NE(title, "");
    EXPECT_TRUE(ids.insert(panel["id"].GetInt()).second) << title;
    if (std::string(panel["type"].GetString()) == "row") continue;
    EXPECT_NE(std::string(panel["fieldConfig"]["defaults"]["unit"].GetString()), "") << title;
    std::set<std::string> queries;
    for (const Value& target : panel["targets"].GetArray()) {
      EXPECT_TRUE(queries.insert(target["refId"].GetString()).second) << title;
      EXPECT_NE(std::string(target["legendFormat"].GetString()), "") << title;
    }
    EXPECT_GT(queries.size(), 0u) << title;
  }
}

TEST_F(DashboardTest, PanelsDoNotCoverEachOther) {
  std::set<std::pair<int, int>> taken;
  for (const Value& panel : dashboard_["panels"].GetArray()) {
    const Value& at = panel["gridPos"];
    EXPECT_LE(at["x"].GetInt() + at["w"].GetInt(), 24);
    for (int x = 0; x < at["w"].GetInt(); ++x) {
      for (int y = 0; y < at["h"].GetInt(); ++y) {
        ASSERT_TRUE(taken.insert({at["x"].GetInt() + x, at["y"].GetInt() + y}).second)
            << panel["title"].GetString();
      }
    }
  }
}

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// As rules, with values for Grafana's variables.
TEST_F(DashboardTest, PrometheusUnderstandsEachQuery) {
  WEIR_SKIP_WITHOUT_PROMTOOL();
  const test::TemporaryFolder folder;
  std::ofstream rules(folder.File("rules.yml"));
  rules << "groups:\n- name: dashboard\n  rules:\n";
  int queries = 0;
  for (const Value& panel : dashboard_["panels"].GetArray()) {
    if (std::string(panel["type"].GetString()) == "row") continue;
    for (const Value& target : panel["targets"].GetArray()) {
      std::string query = Replaced(target["expr"].GetString(), "$__rate_interval", "5m");
      query = Replaced(Replaced(query, "$__range", "1h"), "'", "''");
      rules << "  - {record: 'query:" << ++queries << "', expr: '" << query << "'}\n";
    }
  }
  rules.close();
  EXPECT_GT(queries, 20);
  EXPECT_EQ(Promtool("check rules " + folder.File("rules.yml")), "");
}

}  // namespace
}  // namespace weir
