// Runs the steering program in the kernel on one frame: BPF_PROG_TEST_RUN
// (Documentation/bpf/bpf_prog_run.rst). The frame is as received, its link header already taken
// off.
#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "bpf/steer.h"
#include "rings/steer_program.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

class SteerTest : public testing::Test {
 protected:
  static constexpr uint64_t kSeed = 0x77656972;

  void SetUp() override {
    auto program = LoadSteerProgram({.seed = kSeed});
    if (absl::IsPermissionDenied(program.status())) GTEST_SKIP() << program.status();
    ASSERT_TRUE(program.ok()) << program.status();
    program_ = *std::move(program);
  }

  // What the kernel takes modulo the number of sockets.
  uint32_t Steer(const Bytes& frame) { return SteerWith(program_, frame); }

  static uint32_t SteerWith(const UniqueFd& program, const Bytes& frame) {
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = 1);
    EXPECT_EQ(bpf_prog_test_run_opts(program.get(), &run), 0) << std::strerror(errno);
    return run.retval;
  }

  // What it must be for a flow between two addresses (both IPv4, or both IPv6).
  static uint32_t Pair(std::string_view one, std::string_view other) {
    return weir_steer_pair(Address(one) + Address(other));
  }

  static uint64_t Address(std::string_view text) {
    if (text.find(':') == std::string_view::npos) return AddressBytes(Ipv4Address(text));
    return AddressBytes(Ipv6Address(text));
  }

  static uint64_t AddressBytes(const Bytes& bytes) {
    if (bytes.size() == 4) {
      uint32_t address;
      std::memcpy(&address, bytes.data(), sizeof address);
      return weir_steer_ipv4(kSeed, address);
    }
    uint64_t half[2];
    std::memcpy(half, bytes.data(), sizeof half);
    return weir_steer_ipv6(kSeed, half[0], half[1]);
  }

  UniqueFd program_;
};

}  // namespace weir::test
