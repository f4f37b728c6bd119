#include "tests/model/stream_shrink.h"

#include <algorithm>
#include <vector>

namespace weir::test {
namespace {

using Fails = std::function<bool(const StreamCase&)>;

bool RemoveSome(StreamCase& test_case, const Fails& fails) {
  bool removed = false;
  for (size_t size = std::max<size_t>(1, test_case.ops.size() / 2); size > 0; size /= 2) {
    for (size_t at = 0; at + size <= test_case.ops.size();) {
      StreamCase smaller = test_case;
      smaller.ops.erase(smaller.ops.begin() + at, smaller.ops.begin() + at + size);
      if (fails(smaller)) {
        test_case = smaller;
        removed = true;
      } else {
        at += size;
      }
    }
  }
  return removed;
}

// Each of these makes an operation simpler, or leaves it as it is.
const std::vector<std::function<void(StreamOp&)>> kSimplify = {
    [](StreamOp& op) { op.step_ns = 0; },
    [](StreamOp& op) { op.fin = false; },
    [](StreamOp& op) { op.wire_length = op.length; },
    [](StreamOp& op) { op.variant = 0; },
    [](StreamOp& op) { op.variant = std::min<uint8_t>(op.variant, 1); },
    [](StreamOp& op) { op.wire_length -= op.length - op.length / 2, op.length /= 2; },
    [](StreamOp& op) {
      if (op.length > 1) --op.length, --op.wire_length;
    },
    [](StreamOp& op) {
      if (op.offset > 0) op.offset /= 2;
    },
    [](StreamOp& op) {
      if (op.offset > 0) --op.offset;
    },
};

bool SimplifySome(StreamCase& test_case, const Fails& fails) {
  bool simplified = false;
  for (size_t i = 0; i < test_case.ops.size(); ++i) {
    for (const auto& simplify : kSimplify) {
      StreamCase simpler = test_case;
      simplify(simpler.ops[i]);
      const StreamOp &now = simpler.ops[i], &was = test_case.ops[i];
      const bool same = now.step_ns == was.step_ns && now.fin == was.fin &&
                        now.wire_length == was.wire_length && now.variant == was.variant &&
                        now.length == was.length && now.offset == was.offset;
      if (same || !fails(simpler)) continue;
      test_case = simpler;
      simplified = true;
    }
  }
  return simplified;
}

}  // namespace

StreamCase Shrink(StreamCase test_case, const Fails& fails) {
  for (int round = 0; round < 50; ++round) {
    const bool removed = RemoveSome(test_case, fails);
    const bool simplified = SimplifySome(test_case, fails);
    if (!removed && !simplified) break;
  }
  return test_case;
}

}  // namespace weir::test
