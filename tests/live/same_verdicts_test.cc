// An expression says the same of the same frames wherever it runs: in the kernel as eBPF or as
// classic BPF, where VLAN tags are taken out of the bytes; in the shard behind a packet socket, for
// which that is so, too; in the shard behind AF_XDP and on a capture file, where they are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "engine/engine.h"
#include "engine/expression_filter.h"
#include "rings/capture_file_source.h"
#include "rings/vlan_tag.h"
#include "tests/support/filter_frames.h"
#include "tests/support/netns.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

constexpr int64_t kMost = 2'000'000'000;  // nanoseconds

// Keeps what the filters before it let pass, as it stood on the wire.
class Recorder final : public PacketFilter {
 public:
  void Apply(std::span<const Frame> frames, std::span<Packet> packets) override {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < frames.size(); ++i) {
      if (packets[i].verdict == Verdict::kFiltered) continue;
      const Frame wire = WithTagInBytes(frames[i], room_);
      passed_.emplace_back(wire.data, wire.data + wire.captured_length);
    }
  }
  std::vector<Bytes> passed() const {
    const std::lock_guard lock(mutex_);
    return passed_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<uint8_t> room_;
  std::vector<Bytes> passed_;
};

class NullConsumer : public ShardConsumer {
 public:
  absl::Status OnBatch(Shard&, std::span<const Event>) override { return absl::OkStatus(); }
};

struct Answer {
  std::vector<Bytes> passed;
  uint64_t refused = 0;  // by the expression, wherever
};

absl::StatusOr<std::unique_ptr<Engine>> MakeEngine(EngineOptions options,
                                                   std::shared_ptr<Recorder> recorder) {
  options.publish_ns = 10'000'000;
  options.shard.flow.max_flows = 1000;
  options.shard.filters.push_back(std::move(recorder));
  return Engine::Create(std::move(options),
                        [](const ShardPlace&) { return std::make_unique<NullConsumer>(); });
}

constexpr auto kExpression = static_cast<size_t>(FilterReason::kExpression);

// No value: the kernel did not count.
std::optional<uint64_t> Refused(const Engine& engine) {
  const ShardCounters counters = engine.Counters();
  if (!counters.source.kernel_filtered) return std::nullopt;
  return counters.ledger.filtered[kExpression] + (*counters.source.kernel_filtered)[kExpression];
}

Answer FromFile(const std::vector<Bytes>& frames, const char* expression) {
  const TemporaryFolder folder;
  WriteFile(folder.File("pcap"), PcapOf(frames));
  EngineOptions options;
  options.sources.emplace_back().push_back(*OpenCaptureFile(folder.File("pcap"), {}));
  options.shard.filters.push_back(*ExpressionFilter::Create(expression, link_type::kEthernet));
  auto recorder = std::make_shared<Recorder>();
  auto engine = MakeEngine(std::move(options), recorder);
  EXPECT_TRUE(engine.ok() && (*engine)->Start().ok() && (*engine)->Join().ok());
  return {recorder->passed(), (*engine)->Counters().ledger.filtered[kExpression]};
}

struct Way {
  const char* name;
  BackendRung rung;
  BackendOptions backend;
  FilterRung highest = FilterRung::kEbpf;
};
const Way kWays[] = {
    {"PacketEbpf", BackendRung::kPacketEbpf, {.backend = Backend::kPacket}},
    {"PacketClassic",
     BackendRung::kPacketClassic,
     {.backend = Backend::kPacket},
     FilterRung::kClassic},
    {"PacketShard", BackendRung::kPacketShard, {.backend = Backend::kPacket}, FilterRung::kShard},
    {"XdpCopy", BackendRung::kXdpCopy, {.backend = Backend::kAuto}},
    {"XdpGeneric",
     BackendRung::kXdpGeneric,
     {.backend = Backend::kXdp, .xdp_mode = XdpMode::kGeneric}},
};

class SameVerdictsTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_.emplace();
  }

  // Sends the frames and waits until the last one of those that should pass is there; then for one
  // more that should not.
  Answer Live(const std::vector<Bytes>& frames, const char* expression, const Answer& wanted) {
    EngineOptions options;
    EngineInterface& interface = options.interfaces.emplace_back();
    interface.legs.push_back({.interface = VethPair::kFar,
                              .ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10},
                              .filter = expression,
                              .highest_filter_rung = GetParam().highest});
    interface.backend = GetParam().backend;
    auto recorder = std::make_shared<Recorder>();
    auto engine = [&] {
      const auto scope = pair_->far().Enter();
      return MakeEngine(std::move(options), recorder);
    }();
    EXPECT_TRUE(engine.ok()) << engine.status();
    if (!engine.ok() || !(*engine)->Start().ok()) return {};
    EXPECT_EQ((*engine)->backends()[0].rung, GetParam().rung) << (*engine)->backends()[0].Text();
    {
      const auto scope = pair_->near().Enter();
      RawSender sender(VethPair::kNear);
      for (const Bytes& frame : frames) sender.Send(frame);
    }
    const auto counted = [&] { return Refused(**engine).value_or(wanted.refused); };
    for (int64_t waited = 0; waited < kMost; waited += 10'000'000) {
      if (recorder->passed().size() >= wanted.passed.size() && counted() >= wanted.refused) break;
      usleep(10'000);
    }
    (*engine)->Stop();
    EXPECT_TRUE((*engine)->Join().ok());
    return {recorder->passed(), counted()};
  }

  std::optional<VethPair> pair_;
};

INSTANTIATE_TEST_SUITE_P(Ways, SameVerdictsTest, testing::ValuesIn(kWays),
                         [](const auto& test) { return std::string(test.param.name); });

// The kernel itself drops a frame that ends within the first tag or less than two bytes behind it.
std::vector<Bytes> SomeFrames() {
  FilterFrames generated(21);
  std::vector<Bytes> frames;
  while (frames.size() < 200) {
    Bytes frame = generated.Next();
    if (frame.size() >= 20) frames.push_back(std::move(frame));
  }
  return frames;
}

TEST_P(SameVerdictsTest, AreThoseOfACaptureFile) {
  const std::vector<Bytes> frames = SomeFrames();
  for (const char* const expression :
       {"ip", "not ip", "udp port 53 or (vlan and udp port 53)", "vlan 2 or vlan 3", "len > 90",
        "vlan and (ip6 or arp)", "ether[12:2] = 0x8100", "ether[14:2] & 0xfff = 2"}) {
    SCOPED_TRACE(expression);
    const Answer wanted = FromFile(frames, expression);
    EXPECT_GT(wanted.passed.size(), 2u);
    EXPECT_GT(wanted.refused, 2u);
    EXPECT_EQ(wanted.passed.size() + wanted.refused, frames.size());
    const Answer answer = Live(frames, expression, wanted);
    EXPECT_EQ(answer.passed, wanted.passed);
    EXPECT_EQ(answer.refused, wanted.refused);
  }
}

}  // namespace
}  // namespace weir::test
