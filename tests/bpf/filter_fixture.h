// The places where FilterRules run, asked about one frame after another: they must say the same.
// The kernel's programs run by BPF_PROG_TEST_RUN (Documentation/bpf/bpf_prog_run.rst).
#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "judge_xdp.skel.h"
#include "rings/classic_rules.h"
#include "rings/filter_rules.h"
#include "rings/kernel_rules.h"
#include "rings/socket_program.h"
#include "tests/support/classic_machine.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

inline uint32_t TestRun(int program, const Bytes& bytes) {
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = bytes.data(),
              .data_size_in = static_cast<uint32_t>(bytes.size()), .repeat = 1);
  EXPECT_EQ(bpf_prog_test_run_opts(program, &run), 0) << std::strerror(errno);
  return run.retval;
}

class FilterPlacesTest : public testing::Test {
 protected:
  static constexpr uint32_t kSnapLength = 777;
  static constexpr size_t kMostBytes = 1500;  // that a test run takes

  void SetUp() override {
    auto program = SocketProgram::Load({.snap_length = kSnapLength});
    if (absl::IsPermissionDenied(program.status())) GTEST_SKIP() << program.status();
    ASSERT_TRUE(program.ok()) << program.status();
    socket_.emplace(*std::move(program));
    auto kernel_rules = KernelRules::Create();
    ASSERT_TRUE(kernel_rules.ok()) << kernel_rules.status();
    kernel_rules_.emplace(*std::move(kernel_rules));
    xdp_.reset(judge_xdp__open_and_load());
    ASSERT_NE(xdp_, nullptr) << std::strerror(errno);
  }

  // All places have these rules from now on.
  void Use(const FilterRules& rules) {
    rules_ = rules;
    classic_ = ClassicRules(rules, true);
    classic_.push_back(BPF_STMT(BPF_RET | BPF_K, kSnapLength));
    const int maps[] = {socket_->rules_map(), bpf_map__fd(xdp_->maps.weir_rules)};
    const absl::Status status = kernel_rules_->Use(rules, maps);
    ASSERT_TRUE(status.ok()) << status;
  }

  // What user space says, after all places have said the same; the socket filter by its counters,
  // see ExpectCounts.
  std::optional<FilterReason> Judge(const Frame& frame) {
    Frame short_frame = frame;
    short_frame.captured_length =
        std::min(frame.captured_length, static_cast<uint32_t>(kMostBytes));
    const auto reason = rules_.WhyRefused(short_frame);
    if (reason) ++refused_[static_cast<size_t>(*reason)];
    const Bytes bytes(short_frame.data, short_frame.data + short_frame.captured_length);
    EXPECT_EQ(TestRun(bpf_program__fd(xdp_->progs.judge_xdp), bytes), Verdict(reason)) << "XDP";
    EXPECT_EQ(RunClassic(classic_, bytes), reason ? 0 : kSnapLength) << "classic BPF";
    // A test run takes the link header off: here one that is put before the frame's own.
    Bytes wrapped(14, 0xff);
    wrapped.insert(wrapped.end(), bytes.begin(), bytes.end());
    EXPECT_EQ(TestRun(socket_->fd(), wrapped), reason ? 0 : kSnapLength) << "socket filter";
    return reason;
  }

  // Both programs have counted what user space refused, by reason.
  void ExpectCounts() {
    EXPECT_EQ(*socket_->Counts(), refused_);
    EXPECT_EQ(*ReadFilterCounts(bpf_map__fd(xdp_->maps.weir_filter_counts)), refused_);
  }
  const FilterCounts& refused() const { return refused_; }

 private:
  struct Destroy {
    void operator()(judge_xdp* program) const { judge_xdp__destroy(program); }
  };
  // enum weir_verdict
  static uint32_t Verdict(const std::optional<FilterReason>& reason) {
    return reason ? static_cast<uint32_t>(*reason) + 1 : 0;
  }

  FilterRules rules_;
  std::vector<sock_filter> classic_ = {BPF_STMT(BPF_RET | BPF_K, kSnapLength)};
  FilterCounts refused_{};
  std::optional<KernelRules> kernel_rules_;
  std::optional<SocketProgram> socket_;
  std::unique_ptr<judge_xdp, Destroy> xdp_;
};

}  // namespace weir::test
