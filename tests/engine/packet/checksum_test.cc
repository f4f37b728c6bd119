#include "engine/packet/checksum.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace weir {
namespace {

TEST(Checksum, MatchesTheExampleOfRfc1071) {
  const std::array<uint8_t, 8> bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  const uint16_t sum = ChecksumFold(ChecksumAdd(bytes.data(), bytes.size()));
  EXPECT_EQ(__builtin_bswap16(sum), static_cast<uint16_t>(~0xddf2));
}

TEST(Checksum, AnOddByteCountsAsIfAZeroFollowed) {
  const std::array<uint8_t, 4> bytes = {1, 2, 3, 0};
  EXPECT_EQ(ChecksumFold(ChecksumAdd(bytes.data(), 3)), ChecksumFold(ChecksumAdd(bytes.data(), 4)));
}

TEST(Checksum, AddsUpInPieces) {
  std::vector<uint8_t> bytes(1501);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 251);
  const uint16_t whole = ChecksumFold(ChecksumAdd(bytes.data(), bytes.size()));
  for (size_t cut : {2u, 20u, 1000u, 1500u}) {
    const uint64_t head = ChecksumAdd(bytes.data(), cut);
    EXPECT_EQ(ChecksumFold(ChecksumAdd(bytes.data() + cut, bytes.size() - cut, head)), whole);
  }
}

// RFC 1071 as it is written: 16 bits at a time.
uint16_t Plainly(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<uint32_t>(bytes[i]) << (i % 2 * 8);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

TEST(Checksum, IsExactForEveryLength) {
  std::mt19937 random(1);
  for (size_t size = 0; size < 400; ++size) {
    std::vector<uint8_t> bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(ChecksumFold(ChecksumAdd(bytes.data(), size)), Plainly(bytes)) << size;
  }
}

TEST(Checksum, CarriesWhateverTheBytesAre) {
  for (const size_t size : {64u, 1448u, 65'535u}) {
    for (const uint8_t byte : {0x00, 0x01, 0x80, 0xff}) {
      const std::vector<uint8_t> bytes(size, byte);
      EXPECT_EQ(ChecksumFold(ChecksumAdd(bytes.data(), size)), Plainly(bytes)) << size;
    }
  }
}

TEST(Checksum, KnowsARightIpv4Header) {
  // The header of RFC 1071's usual example: 192.168.0.1 > 192.168.0.199, UDP.
  std::array<uint8_t, 20> header = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                    0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  EXPECT_TRUE(Ipv4HeaderSumIsRight(header.data()));
  for (size_t i = 0; i < header.size(); ++i) {
    header[i] ^= 0x10;
    EXPECT_FALSE(Ipv4HeaderSumIsRight(header.data())) << i;
    header[i] ^= 0x10;
  }
}

}  // namespace
}  // namespace weir
