#include "tools/load/traffic/payload.h"

#include <vector>

#include "engine/packet/checksum.h"
#include "gtest/gtest.h"

namespace weir::load {
namespace {

std::vector<uint8_t> Bytes(const PayloadPattern& pattern, uint64_t offset, size_t size) {
  std::vector<uint8_t> bytes(size);
  pattern.Write(offset, bytes);
  return bytes;
}

TEST(PayloadTest, AnyPieceIsTheSameAsInTheWhole) {
  const PayloadPattern pattern(3, 77, 1);
  const std::vector<uint8_t> whole = Bytes(pattern, 0, 2'000);
  for (size_t from = 0; from < 150; ++from) {
    for (const size_t size : {0, 1, 7, 8, 63, 64, 65, 200, 1448}) {
      EXPECT_EQ(Bytes(pattern, from, size),
                std::vector<uint8_t>(whole.begin() + from, whole.begin() + from + size))
          << from << " " << size;
    }
  }
}

TEST(PayloadTest, TheSumIsThatOfTheBytes) {
  const PayloadPattern pattern(3, 77, 1);
  for (const size_t size : {1, 7, 8, 63, 64, 65, 200, 1448, 60'000}) {
    for (const uint64_t offset : {0, 8, 3}) {
      std::vector<uint8_t> bytes(size);
      const uint64_t sum = pattern.Write(offset, bytes);
      EXPECT_EQ(ChecksumFold(sum), ChecksumFold(ChecksumAdd(bytes.data(), size)));
    }
  }
}

TEST(PayloadTest, FarOffsetsGoOn) {
  const PayloadPattern pattern(3, 77, 1);
  const uint64_t offset = (uint64_t{1} << 40) + 3;
  const std::vector<uint8_t> bytes = Bytes(pattern, offset, 100);
  EXPECT_EQ(Bytes(pattern, offset + 40, 60), std::vector<uint8_t>(bytes.begin() + 40, bytes.end()));
}

// Sender and receiver may be builds of different times, on different machines.
TEST(PayloadTest, TheBytesThemselvesArePinned) {
  EXPECT_EQ(Bytes(PayloadPattern(1, 0, 0), 5, 12),
            (std::vector<uint8_t>{0x68, 0xec, 0x83, 0x9d, 0x43, 0x5a, 0x7c, 0x24, 0x67, 0xd5, 0x5a,
                                  0x30}));
}

TEST(PayloadTest, TheFirstWrongByteIsFoundWhereverItStands) {
  const PayloadPattern pattern(1, 5, 0);
  for (const uint64_t offset : {0, 3, 1448}) {
    for (const size_t size : {1, 8, 64, 200, 1448}) {
      std::vector<uint8_t> bytes = Bytes(pattern, offset, size);
      EXPECT_EQ(pattern.Matching(offset, bytes), size);
      for (size_t wrong = 0; wrong < size; wrong += 1 + size / 50) {
        bytes[wrong] ^= 1;
        EXPECT_EQ(pattern.Matching(offset, bytes), wrong) << offset << " " << size;
        bytes[wrong] ^= 1;
      }
    }
  }
}

TEST(PayloadTest, OtherPlacesFlowsDirectionsAndSeedsDoNotMatch) {
  const PayloadPattern pattern(1, 5, 0);
  const std::vector<uint8_t> bytes = Bytes(pattern, 4'096, 64);
  EXPECT_LT(pattern.Matching(4'097, bytes), 3u);
  EXPECT_LT(pattern.Matching(4'104, bytes), 3u);
  EXPECT_LT(PayloadPattern(1, 5, 1).Matching(4'096, bytes), 3u);
  EXPECT_LT(PayloadPattern(1, 6, 0).Matching(4'096, bytes), 3u);
  EXPECT_LT(PayloadPattern(2, 5, 0).Matching(4'096, bytes), 3u);
}

TEST(PayloadTest, AnyFifteenBytesTellTheirPlace) {
  const PayloadPattern pattern(1, 5, 0);
  for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{7}, uint64_t{1'234'567'891}}) {
    const std::vector<uint8_t> bytes = Bytes(pattern, offset, 15);
    EXPECT_EQ(pattern.Locate(bytes), offset);
    EXPECT_EQ(pattern.Locate(std::span(bytes).first(14)), std::nullopt);
    EXPECT_EQ(PayloadPattern(1, 6, 0).Locate(bytes), std::nullopt);
  }
}

TEST(PayloadTest, ADatagramTellsItsPlace) {
  const PayloadPattern pattern(1, 5, 0);
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{12'345'678'901}}) {
    const std::vector<uint8_t> bytes = Bytes(pattern, number * kDatagramStride, kLeastDatagram);
    EXPECT_EQ(pattern.DatagramOffset(bytes), number * kDatagramStride);
    EXPECT_EQ(pattern.DatagramOffset(std::span(bytes).first(7)), std::nullopt);
    EXPECT_EQ(PayloadPattern(1, 5, 1).DatagramOffset(bytes), std::nullopt);
  }
  EXPECT_EQ(pattern.DatagramOffset(Bytes(pattern, kDatagramStride + 8, 100)), std::nullopt);
}

}  // namespace
}  // namespace weir::load
