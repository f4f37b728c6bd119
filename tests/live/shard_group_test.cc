// The same frames through memory, one packet socket and four: the same flow records, whatever the
// number of shards, as long as the fanout mode keeps flows whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/shard.h"
#include "rings/memory_source.h"
#include "rings/packet_group.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr int kConversations = 41;  // no multiple of a number of shards

// One conversation's frames; `back` swaps its sides.
class Conversation {
 public:
  Conversation(int number, bool whole_only) : number_(number), whole_only_(whole_only) {}

  std::vector<Bytes> Frames() const {
    std::vector<Bytes> frames;
    const uint8_t flags[] = {0x02, 0x12, 0x10, 0x18, 0x18, 0x11, 0x11, 0x10};
    for (size_t i = 0; i < std::size(flags); ++i) {
      frames.push_back(Tcp(i % 2 == 1, {.seq = Seq(i), .ack = Seq(i + 1), .flags = flags[i]}));
    }
    for (bool back : {false, true}) {
      frames.push_back(Ip(Link(), back).Udp(Port(back), Port(!back)).Payload(50).Build());
    }
    if (whole_only_) return frames;
    AddFragments(frames);
    const Bytes about = frames[1];
    const size_t link = about.size() - 40;
    frames.push_back(PacketBuilder()
                         .Ethernet()
                         .Ipv4(absl::StrCat("10.4.0.", number_ + 1), Client())
                         .Icmp(11, 0)
                         .Payload(Bytes(about.begin() + link, about.end()))
                         .Build());
    return frames;
  }

 private:
  static uint32_t Seq(size_t i) { return 1000 + static_cast<uint32_t>(i / 2); }
  std::string Client() const { return absl::StrCat("10.1.0.", number_ + 1); }
  uint16_t Port(bool server) const { return server ? 443 : static_cast<uint16_t>(2000 + number_); }

  // whole_only_: no tunnels, for the kernel's hash need not look inside.
  PacketBuilder Link() const {
    PacketBuilder builder;
    builder.Ethernet();
    switch (number_ % (whole_only_ ? 2 : 4)) {
      case 0:
        return builder;
      case 1:
        return builder.Vlan(7);
      case 2:
        return builder.Ipv4("10.9.0.1", "10.9.0.2").GreKey(3);
      default:
        return builder.Vlan(7, 0x88a8).Vlan(8).Ipv4("10.9.0.1", "10.9.0.2").Gre();
    }
  }
  PacketBuilder Ip(PacketBuilder builder, bool back) const {
    return back ? builder.Ipv4("10.2.0.1", Client()) : builder.Ipv4(Client(), "10.2.0.1");
  }
  Bytes Tcp(bool back, const TcpFields& fields) const {
    return Ip(Link(), back).Tcp(Port(back), Port(!back), fields).Build();
  }

  // A datagram in three pieces.
  void AddFragments(std::vector<Bytes>& frames) const {
    const Bytes datagram = PacketBuilder().Udp(Port(false), Port(true)).Payload(2800).Build();
    for (uint32_t at = 0; at < datagram.size(); at += 1000) {
      const size_t end = std::min<size_t>(at + 1000, datagram.size());
      frames.push_back(Ip(Link(), false)
                           .Ipv4Fragment(static_cast<uint16_t>(number_), at, end < datagram.size())
                           .Payload(Bytes(datagram.begin() + at, datagram.begin() + end))
                           .Build());
    }
  }

  int number_;
  bool whole_only_;
};

// All conversations, their frames by turns.
std::vector<Bytes> Traffic(bool whole_only) {
  std::vector<Bytes> frames;
  bool more = true;
  for (size_t round = 0; more; ++round) {
    more = false;
    for (int i = 0; i < kConversations; ++i) {
      const std::vector<Bytes> own = Conversation(i, whole_only).Frames();
      if (round < own.size()) frames.push_back(own[round]);
      more |= round + 1 < own.size();
    }
  }
  return frames;
}

std::string Line(const FlowRecord& record) {
  const auto address = [](const std::array<uint8_t, 16>& bytes) {
    return absl::StrCat(int{bytes[0]}, ".", int{bytes[1]}, ".", int{bytes[2]}, ".", int{bytes[3]});
  };
  const FlowKey& key = record.key;
  return absl::StrCat(int{key.protocol}, " ", address(key.source), ":", key.source_port, " ",
                      address(key.destination), ":", key.destination_port, " packets ",
                      record.packets[0], "/", record.packets[1], " bytes ", record.bytes[0], "/",
                      record.bytes[1]);
}

using Shards = std::vector<std::unique_ptr<Shard>>;

void Add(Shards& shards, std::unique_ptr<FrameSource> source, bool live) {
  ShardOptions options;
  options.flow.max_flows = 1000;
  options.live = live;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  auto shard = Shard::Create(options, std::move(sources));
  ASSERT_TRUE(shard.ok()) << shard.status();
  shards.push_back(*std::move(shard));
}

// Polls them by turns until they have received `frames` (or 2 s have passed), then ends them.
// Returns what they say of the flows, sorted.
std::vector<std::string> RunAll(Shards& shards, size_t frames) {
  std::vector<std::string> lines;
  uint64_t received = 0;
  const auto poll_all = [&] {
    received = 0;
    bool done = true;
    for (const auto& shard : shards) {
      for (const Event& event : shard->Poll()) {
        if (event.kind == EventKind::kFlowEnded) lines.push_back(Line(*event.record));
      }
      received += shard->ledger().received;
      done &= shard->done();
    }
    return done;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (received < frames && std::chrono::steady_clock::now() < deadline) poll_all();
  EXPECT_EQ(received, frames);
  for (const auto& shard : shards) shard->Stop();
  while (!poll_all()) {
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> FromMemory(const std::vector<Bytes>& traffic) {
  std::vector<Frame> frames;
  for (const Bytes& bytes : traffic) {
    const auto time_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(frames.size()) * 1000;
    frames.push_back(AsFrame(bytes, link_type::kEthernet, time_ns));
  }
  Shards shards;
  Add(shards, *MemorySource::FromFrames(frames), false);
  return RunAll(shards, frames.size());
}

struct Way {
  FanoutMode mode;
  int shards;
};

class ShardGroupTest : public testing::TestWithParam<Way> {};

INSTANTIATE_TEST_SUITE_P(Ways, ShardGroupTest,
                         testing::Values(Way{FanoutMode::kHash, 1}, Way{FanoutMode::kHash, 4},
                                         Way{FanoutMode::kEbpf, 4}),
                         [](const auto& test) {
                           return absl::StrCat(std::string(FanoutModeName(test.param.mode)),
                                               test.param.shards);
                         });

TEST_P(ShardGroupTest, FlowRecordsAreThoseOfTheMemorySource) {
  WEIR_SKIP_WITHOUT_NETNS();
  const auto [mode, count] = GetParam();
  // The kernel's hash does not keep tunnels, fragments and errors with their flows.
  const std::vector<Bytes> traffic = Traffic(mode == FanoutMode::kHash && count > 1);
  const VethPair pair;
  PacketSourceOptions options;
  options.interface = VethPair::kFar;
  options.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10};
  Shards shards;
  {
    const auto scope = pair.far().Enter();
    auto group = OpenPacketGroup(options, {.mode = mode}, count);
    ASSERT_TRUE(group.ok()) << group.status();
    ASSERT_EQ(group->mode, mode) << group->notes[0];
    for (auto& source : group->sources) Add(shards, std::move(source), true);
  }
  {
    const auto scope = pair.near().Enter();
    RawSender sender(VethPair::kNear);
    for (const Bytes& frame : traffic) sender.Send(frame);
  }
  const std::vector<std::string> records = RunAll(shards, traffic.size());
  EXPECT_GE(records.size(), size_t{2 * kConversations});
  EXPECT_THAT(records, testing::ElementsAreArray(FromMemory(traffic)));
  const auto busy = std::count_if(shards.begin(), shards.end(),
                                  [](const auto& shard) { return shard->ledger().received > 0; });
  EXPECT_EQ(busy, count);
}

}  // namespace
}  // namespace weir::test
