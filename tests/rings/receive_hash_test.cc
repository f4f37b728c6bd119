#include "rings/receive_hash.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::test {
namespace {

TEST(ReceiveHash, AKeyThatRepeatsTwoBytesIsSymmetric) {
  std::vector<uint8_t> key;
  for (int i = 0; i < 20; ++i) key.insert(key.end(), {0x6d, 0x5a});
  EXPECT_TRUE(IsSymmetricKey(key));
  key[17] ^= 1;
  EXPECT_FALSE(IsSymmetricKey(key));
}

TEST(ReceiveHash, MicrosoftsKeyIsNotSymmetric) {
  const uint8_t key[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                         0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb};
  EXPECT_FALSE(IsSymmetricKey(key));
}

TEST(ReceiveHash, WithoutAKeyNothingIsShown) { EXPECT_FALSE(IsSymmetricKey({})); }

TEST(ReceiveHash, AnInterfaceThatIsNotThereHasOneQueue) {
  EXPECT_TRUE(FlowsKeepTheirQueue("nosuch0"));
}

}  // namespace
}  // namespace weir::test
