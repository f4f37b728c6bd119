// A veth pair and a group of sources on its far end; frames that can be told apart.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "rings/packet_group.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

// Where each frame that ends in four bytes of `mark` came out.
using Arrivals = std::multimap<uint32_t, int>;  // mark: index of the source

inline Bytes Marked(PacketBuilder builder, uint32_t mark) {
  Bytes payload(8);
  std::memcpy(&payload[4], &mark, sizeof mark);
  return builder.Payload(payload).Build();
}

class PacketGroupTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    {
      const auto scope = pair_->near().Enter();
      near_ = std::make_unique<RawSender>(VethPair::kNear);
    }
    const auto scope = pair_->far().Enter();
    far_ = std::make_unique<RawSender>(VethPair::kFar);
    options_.interface = VethPair::kFar;
    options_.ring = {.ring_bytes = 8 << 20, .block_bytes = 128 << 10, .retire_ms = 4};
  }

  absl::StatusOr<PacketGroup> Open(const FanoutOptions& fanout, int count) {
    const auto scope = pair_->far().Enter();
    return OpenPacketGroup(options_, fanout, count);
  }

  void MustOpen(const FanoutOptions& fanout, int count = 4) {
    auto group = Open(fanout, count);
    ASSERT_TRUE(group.ok()) << group.status();
    group_ = *std::move(group);
    // A program that cannot be loaded is what the note is for; a live test has the privilege.
    ASSERT_EQ(group_.mode, fanout.mode) << group_.notes[0];
  }

  // What comes out of the group until nothing has for 100 ms; the first may take longer.
  static Arrivals ReceiveAll(PacketGroup& group) {
    Arrivals arrivals;
    Frame frames[kBatchFrames];
    for (auto last = std::chrono::steady_clock::now();;) {
      for (size_t i = 0; i < group.sources.size(); ++i) {
        const int got = group.sources[i]->Receive(frames);
        for (int f = 0; f < got; ++f) {
          uint32_t mark;
          std::memcpy(&mark, frames[f].data + frames[f].captured_length - sizeof mark, sizeof mark);
          arrivals.emplace(mark, static_cast<int>(i));
        }
        group.sources[i]->Release();
        if (got != 0) last = std::chrono::steady_clock::now();
      }
      const auto silence = std::chrono::milliseconds(arrivals.empty() ? 1000 : 100);
      if (std::chrono::steady_clock::now() - last > silence) return arrivals;
      poll(nullptr, 0, 1);
    }
  }
  Arrivals ReceiveAll() { return ReceiveAll(group_); }

  // Until all that were sent have come out or were dropped: on a busy machine the kernel's timer
  // may retire a block long after its time-out.
  Arrivals ReceiveAllOf(size_t sent) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    Arrivals arrivals = ReceiveAll();
    while (arrivals.size() + *Sum(group_).ring_dropped < sent &&
           std::chrono::steady_clock::now() < deadline) {
      arrivals.merge(ReceiveAll());
    }
    return arrivals;
  }

  static SourceCounters Sum(PacketGroup& group) {
    SourceCounters sum;
    sum.ring_dropped = 0;
    for (const auto& source : group.sources) {
      const SourceCounters counters = source->Counters();
      sum.received += counters.received;
      *sum.ring_dropped += *counters.ring_dropped;
    }
    return sum;
  }

  // Marks first...first+count-1, each once.
  static void ExpectOnce(const Arrivals& arrivals, uint32_t first, uint32_t count) {
    for (uint32_t mark = first; mark < first + count; ++mark) {
      ASSERT_EQ(arrivals.count(mark), 1u) << "frame " << mark;
    }
  }

  static PacketBuilder Flow(uint32_t flow, bool back) {
    const std::string client = "10.1.0." + std::to_string(flow % 250 + 1), server = "10.2.0.1";
    const auto port = static_cast<uint16_t>(1024 + flow);
    PacketBuilder builder;
    builder.Ethernet();
    return back ? builder.Ipv4(server, client).Udp(53, port)
                : builder.Ipv4(client, server).Udp(port, 53);
  }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<RawSender> near_;  // what it sends comes in
  std::unique_ptr<RawSender> far_;   // what it sends goes out
  PacketSourceOptions options_;
  PacketGroup group_;
};

}  // namespace weir::test
