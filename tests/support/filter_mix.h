// Frames and lists for tests that exchange lists under traffic and count exactly.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rings/filter_rules.h"
#include "rings/frame_source.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

// A frame for each reason, that every list judges alike, and one that the lists disagree about.
struct Mix {
  static Bytes Udp(const char* source, const char* destination, uint16_t vlan) {
    PacketBuilder builder;
    builder.Ethernet();
    if (vlan != 0) builder.Vlan(vlan);
    return builder.Ipv4(source, destination).Udp(1, 2).Payload(20).Build();
  }
  static std::vector<Bytes> Frames() {
    return {PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build(),  // not_ip
            Udp("10.1.0.1", "10.3.0.1", 8),                                // vlan
            Udp("10.1.0.1", "10.2.0.1", 7),                                // ignored_destination
            Udp("10.9.0.1", "10.3.0.1", 7),                                // not_accepted_source
            Udp("10.1.0.1", "10.3.0.1", 0),
            Udp("10.1.0.1", "10.3.0.1", 7),
            Udp("10.1.0.1", "10.4.0.1", 7)};  // ignored by every second list
  }
  // `longer`: a list of `networks` more that no frame comes from or goes to.
  static FilterRules Rules(bool longer, int networks) {
    std::string ignore = "10.2.0.0/16\n", accept = "10.1.0.0/24\n";
    if (longer) {
      ignore += "10.4.0.0/16\n";
      for (int i = 0; i < networks; ++i) {
        const std::string network = std::to_string(i / 128) + "." + std::to_string(i % 128 * 2);
        ignore += "172." + network + ".0/24\n";
        accept += "173." + network + ".0/24\n";
      }
    }
    FilterRules rules{.ip_only = true};
    rules.vlans = *ParseVlans("7,untagged");
    rules.ignore_destinations = *CidrSet::Parse(ignore, "ignore");
    rules.accept_sources = *CidrSet::Parse(accept, "accept");
    return rules;
  }
  // To 10.4.0.0/16, which the lists disagree about.
  static bool Disputed(const Frame& frame) {
    const uint32_t ip = frame.data[12] == 0x81 ? 18 : 14;
    return frame.data[ip + 17] == 4;
  }
  // What the kernel counted after `sent` times all frames, when `disputed` of the last kind came
  // in.
  static void ExpectExact(const SourceCounters& counters, uint64_t sent, uint64_t disputed) {
    EXPECT_GT(sent, 100u);
    EXPECT_GT(disputed, 0u);
    EXPECT_LT(disputed, sent);
    FilterCounts wanted{};
    wanted[static_cast<size_t>(FilterReason::kNotIp)] = sent;
    wanted[static_cast<size_t>(FilterReason::kVlan)] = sent;
    wanted[static_cast<size_t>(FilterReason::kIgnoredDestination)] = 2 * sent - disputed;
    wanted[static_cast<size_t>(FilterReason::kNotAcceptedSource)] = sent;
    EXPECT_EQ(counters.kernel_filtered, wanted);
  }
};

}  // namespace weir::test
