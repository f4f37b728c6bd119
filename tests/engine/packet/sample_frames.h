// One frame of each kind that the decoder knows: each leads to 10.0.0.1:1000 > 10.0.0.2:2000 or to
// the IPv6 addresses below, as UDP with the payload "inside".
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/support/packet_builder.h"

namespace weir::test {

struct SampleFrame {
  std::string name;
  uint16_t link_type;
  Bytes bytes;
};

void PrintTo(const SampleFrame& sample, std::ostream* out);

// For INSTANTIATE_TEST_SUITE_P: the sample's name as a test's name may be.
std::string NameOfSample(const testing::TestParamInfo<SampleFrame>& info);

// The innermost headers, behind whatever the builder has so far.
PacketBuilder Inside(PacketBuilder builder);
PacketBuilder Inside6(PacketBuilder builder);

std::vector<SampleFrame> SampleLinks();
std::vector<SampleFrame> SampleTunnels();
std::vector<SampleFrame> AllSamples();  // these, and TCP, ICMP, fragments, extension headers

}  // namespace weir::test
