// Any operations on a reassembler: it agrees with a byte map, which includes that its ledger
// balances, that data and holes follow upon each other, and that all memory comes back.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/model/stream_check.h"

namespace {

constexpr int64_t kSteps[] = {0, 1'000'000, 150'000'000, 2'000'000'000};

weir::StreamOptions OptionsOf(const uint8_t* bytes) {
  weir::StreamOptions options;
  options.overlap = static_cast<weir::OverlapPolicy>(bytes[0] % weir::kOverlapPolicies);
  options.memory_bytes = 1 << 20;
  if ((bytes[1] & 1) != 0) options.stream_bytes = bytes[2] + 1u;
  if ((bytes[1] & 2) != 0) options.stream_pieces = bytes[2] % 8 + 1u;
  if ((bytes[1] & 4) != 0) options.history_bytes = 4096;
  if ((bytes[1] & 8) != 0) options.depth = bytes[3];
  if ((bytes[1] & 16) != 0) options.hole_timeout_ns = 1'000'000'000;
  if ((bytes[1] & 32) != 0) options.acknowledged_grace_ns = 0;
  return options;
}

weir::test::StreamOp OpOf(const uint8_t* bytes) {
  using Kind = weir::test::StreamOp::Kind;
  weir::test::StreamOp op;
  const unsigned kind = bytes[0] & 15;
  op.kind = kind < 8 ? Kind::kSegment : static_cast<Kind>(kind - 8);
  op.connection = bytes[0] >> 4 & 1;
  op.side = bytes[0] >> 5 & 1;
  op.variant = bytes[1] & 3;
  op.fin = (bytes[1] & 0x1C) == 0x1C;
  op.step_ns = kSteps[bytes[1] >> 6];
  op.offset = static_cast<int64_t>(bytes[2] << 8 | bytes[3]) - 128;
  if ((bytes[1] & 0x20) == 0) op.offset = bytes[3];
  op.length = op.wire_length = bytes[4];
  if ((bytes[2] & 0xC0) == 0xC0) op.length = op.wire_length = bytes[4] * 64u;
  if (op.kind == Kind::kSegment && (bytes[5] & 0x80) != 0) op.wire_length += bytes[5] & 0x7F;
  if (op.kind != Kind::kSegment) op.offset = std::max<int64_t>(op.offset, 0);
  return op;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHead = 12, kOp = 6;
  if (size < kHead + kOp) return 0;
  weir::test::StreamCase test_case;
  test_case.options = OptionsOf(data);
  for (int i = 0; i < 4; ++i) {
    test_case.start[i / 2][i % 2] = uint32_t{data[4 + i]} << 24 | data[8 + i];
    test_case.midstream[i / 2][i % 2] = (data[8 + i] & 1) != 0;
  }
  for (size_t at = kHead; at + kOp <= size && test_case.ops.size() < 300; at += kOp) {
    test_case.ops.push_back(OpOf(data + at));
  }
  weir::test::StreamCheck check(test_case.options);
  if (const auto difference = check.Run(test_case)) {
    std::fprintf(stderr, "%s\n%s", difference->c_str(), weir::test::Print(test_case).c_str());
    std::abort();
  }
  return 0;
}
