#include "engine/export/prometheus_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include "tests/support/http_get.h"

namespace weir {
namespace {

using testing::HasSubstr;

class Answer final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::MetricFamily family{"answer", "help", prometheus::MetricType::Gauge, {{}}};
    family.metric[0].gauge.value = 42;
    return {family};
  }
};

absl::StatusOr<std::unique_ptr<PrometheusServer>> Start(const ListenAddress& address) {
  return PrometheusServer::Start(address, std::make_shared<Answer>());
}

std::string Complaint(const ListenAddress& address) {
  const auto server = Start(address);
  return server.ok() ? "" : std::string(server.status().message());
}

TEST(PrometheusServerTest, ServesWhatIsCollected) {
  auto server = Start({"127.0.0.1", 0});
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_NE((*server)->port(), 0);
  EXPECT_EQ((*server)->url(), "http://127.0.0.1:" + std::to_string((*server)->port()) + "/metrics");
  const test::HttpAnswer answer = test::HttpGet((*server)->port(), "/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("# TYPE answer gauge\nanswer 42\n"));
  EXPECT_EQ(test::HttpGet((*server)->port(), "/elsewhere").status, 404);
}

TEST(PrometheusServerTest, AnswersAtEveryAddressAndByName) {
  for (const char* host : {"", "localhost"}) {
    auto server = Start({host, 0});
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ(test::HttpGet((*server)->port(), "/metrics").status, 200);
    EXPECT_THAT((*server)->url(), HasSubstr("http://localhost:"));
  }
}

TEST(PrometheusServerTest, ThePortIsFreeAgainWhenTheServerIsGone) {
  auto server = Start({"127.0.0.1", 0});
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  server->reset();
  EXPECT_EQ(test::HttpGet(port, "/metrics").status, 0);
  EXPECT_EQ(Complaint({"127.0.0.1", port}), "");
}

TEST(PrometheusServerTest, SaysThatAPortIsTaken) {
  auto first = Start({"127.0.0.1", 0});
  ASSERT_TRUE(first.ok()) << first.status();
  const uint16_t port = (*first)->port();
  EXPECT_EQ(Complaint({"127.0.0.1", port}),
            "cannot serve metrics on 127.0.0.1:" + std::to_string(port) +
                ": another program listens there, choose another port");
  EXPECT_THAT(Complaint({"", port}), HasSubstr("another program listens there"));
}

TEST(PrometheusServerTest, SaysThatAnAddressIsNotOfThisMachine) {
  EXPECT_EQ(Complaint({"192.0.2.1", 9090}),
            "cannot serve metrics on 192.0.2.1:9090: this machine does not have that address");
}

TEST(PrometheusServerTest, ServesOrSaysThatThisBuildHasNoIpv6) {
  const auto server = Start({"::1", 0});
  if (server.ok()) {
    EXPECT_THAT((*server)->url(), HasSubstr("http://[::1]:"));
  } else {
    EXPECT_THAT(std::string(server.status().message()),
                testing::AnyOf(HasSubstr("[::1]:0: the HTTP server of this build, civetweb, has no "
                                         "IPv6: give an IPv4 address"),
                               HasSubstr("this machine does not have that address")));
  }
}

TEST(PrometheusServerTest, SaysThatANameIsUnknown) {
  EXPECT_THAT(Complaint({"no such host", 9090}), HasSubstr("cannot serve metrics on no such host"));
}

}  // namespace
}  // namespace weir
