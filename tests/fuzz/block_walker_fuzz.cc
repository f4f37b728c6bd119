// A ring block of any content: the walker stays inside it and comes to an end.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "rings/block_walker.h"
#include "rings/frame.h"
#include "tests/support/block_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const size_t bytes = size & ~size_t{7};
  if (bytes < weir::BlockWalker::kDescriptorBytes) return 0;
  const auto block = std::make_unique<uint64_t[]>(bytes / 8);
  std::memcpy(block.get(), data, bytes);
  const int batch = 1 + data[0] % weir::kBatchFrames;
  const auto walked =
      weir::test::WalkBlock(reinterpret_cast<const uint8_t*>(block.get()), bytes, batch);
  if (!walked.inside || walked.frames > bytes / weir::BlockWalker::kHeaderBytes) std::abort();
  return 0;
}
