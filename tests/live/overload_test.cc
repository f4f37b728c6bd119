// --overload refuse-new on a packet socket whose shard did not look for a while: flows that were
// tracked before stay whole, new ones are shed by degrees, and every frame is in the ledger.
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/packet_source.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr int kFlows = 50;  // old ones, and as many new ones
constexpr uint16_t kOldPort = 1000, kNewPort = 2000;

class OverloadTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    PacketSourceOptions options;
    options.interface = VethPair::kFar;
    options.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10, .retire_ms = 60};
    std::vector<std::unique_ptr<FrameSource>> sources;
    {
      const auto scope = pair_->far().Enter();
      auto source = PacketSource::Open(options);
      ASSERT_TRUE(source.ok()) << source.status();
      source_ = source->get();
      sources.push_back(*std::move(source));
    }
    shard_ = *Shard::Create({.overload = Overload::kRefuseNew, .live = true}, std::move(sources));
    const auto scope = pair_->near().Enter();
    sender_ = std::make_unique<RawSender>(VethPair::kNear);
  }

  void Send(uint16_t first_port) {
    for (int i = 0; i < kFlows; ++i) SendOne(first_port + i);
  }
  void SendOne(int port) {
    const auto scope = pair_->near().Enter();
    sender_->Send(PacketBuilder()
                      .Ethernet()
                      .Ipv4("10.0.0.1", "10.0.0.2")
                      .Udp(static_cast<uint16_t>(port), 53)
                      .Payload(1000)
                      .Build());
    ++sent_[port];
    ++all_sent_;
  }
  void Poll() {
    for (const Event& event : shard_->Poll()) {
      if (event.kind != EventKind::kFlowEnded) continue;
      recorded_[event.record->key.source_port] += event.record->packets[0];
    }
  }
  // Until what was sent has come in, or two seconds have passed.
  bool Drain() {
    for (int i = 0; i < 2000 && shard_->ledger().received < all_sent_; ++i) {
      Poll();
      if (shard_->idle()) (void)shard_->Wait(1'000'000);
    }
    Poll();  // finds nothing: the ring is empty
    return shard_->ledger().received == all_sent_;
  }
  uint64_t refused() const { return shard_->ledger().shed[static_cast<size_t>(Shed::kOverload)]; }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<RawSender> sender_;
  const PacketSource* source_ = nullptr;
  std::unique_ptr<Shard> shard_;
  std::map<int, uint64_t> sent_, recorded_;
  uint64_t all_sent_ = 0;
};

TEST_F(OverloadTest, OldFlowsStayWholeNewOnesAreShedAndTheCountsClose) {
  Send(kOldPort);
  ASSERT_TRUE(Drain());
  ASSERT_EQ(shard_->flows().alive(), static_cast<uint32_t>(kFlows));

  // Nobody reads. A slow sender fills few of a block's places before it goes to the reader, so that
  // no frame is sent without a look.
  for (int i = 0; source_->Fill().used + 1 < source_->Fill().units; ++i) {
    SendOne((i % 2 == 0 ? kNewPort : kOldPort) + i / 2 % kFlows);
  }
  ASSERT_TRUE(Drain());
  const uint64_t refused = this->refused();
  EXPECT_GT(refused, 0u);

  Send(kNewPort);
  ASSERT_TRUE(Drain());
  EXPECT_EQ(this->refused(), refused);
  EXPECT_EQ(shard_->flows().alive(), 2u * kFlows);

  shard_->Stop();
  while (!shard_->done()) Poll();
  uint64_t recorded = 0;
  for (int i = 0; i < kFlows; ++i) {
    EXPECT_EQ(recorded_[kOldPort + i], sent_[kOldPort + i]) << i;
    recorded += recorded_[kOldPort + i] + recorded_[kNewPort + i];
  }
  EXPECT_EQ(*shard_->source_counters().ring_dropped, 0u);
  EXPECT_EQ(recorded + refused, all_sent_);
  EXPECT_EQ(shard_->ledger().tracked, recorded);
  EXPECT_TRUE(shard_->ledger().Balanced());
  EXPECT_EQ(shard_->ledger().ledger_errors, 0u);
}

}  // namespace
}  // namespace weir::test
