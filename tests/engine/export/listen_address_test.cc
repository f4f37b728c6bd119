#include "engine/export/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

void ExpectAddress(std::string_view text, const std::string& host, uint16_t port) {
  const auto address = ParseListenAddress(text);
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, host) << text;
  EXPECT_EQ(address->port, port) << text;
}

TEST(ListenAddressTest, IsAnAddressOrANameAndAPort) {
  ExpectAddress("127.0.0.1:9090", "127.0.0.1", 9090);
  ExpectAddress("localhost:65535", "localhost", 65535);
  ExpectAddress("[::1]:9090", "::1", 9090);
  ExpectAddress("[fe80::1%eth0]:1", "fe80::1%eth0", 1);
}

TEST(ListenAddressTest, WithoutAnAddressItIsEveryAddress) { ExpectAddress(":9090", "", 9090); }

TEST(ListenAddressTest, PortZeroIsLeftToTheKernel) { ExpectAddress("127.0.0.1:0", "127.0.0.1", 0); }

TEST(ListenAddressTest, AnythingElseIsRefusedWithWhatWouldBeRight) {
  for (const char* text :
       {"", ":", "9090", "localhost", "localhost:", "localhost:x", "localhost:-1",
        "localhost:65536", "localhost:9090x", "::1:9090", "[::1]", "[::1]9090", "[]:9090",
        "[localhost]:9090", "http://localhost:9090"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_TRUE(absl::IsInvalidArgument(address.status()));
    EXPECT_THAT(std::string(address.status().message()),
                testing::HasSubstr("write ADDRESS:PORT, such as 127.0.0.1:9090"));
  }
}

}  // namespace
}  // namespace weir
