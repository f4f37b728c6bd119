// Bytes of every kind: cut at each place, or changed at random. The sanitizers watch the reads;
// here the fast path must say what the slow one says, and what it says must lie in the frame.
#include <memory>
#include <random>

#include "engine/packet/decode_state.h"
#include "tests/engine/packet/decoding.h"
#include "tests/engine/packet/sample_frames.h"

namespace weir::test {
namespace {

// A copy with nothing behind it, so that a read beyond its end is seen.
struct Alone {
  explicit Alone(const Bytes& bytes) : data(new uint8_t[bytes.size()]), size(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), data.get());
  }
  std::unique_ptr<uint8_t[]> data;
  size_t size;
};

bool Within(const uint8_t* pointer, size_t size, const Alone& frame) {
  return pointer >= frame.data.get() && pointer + size <= frame.data.get() + frame.size;
}

void ExpectSane(const Packet& p, const Alone& frame) {
  if (p.verdict == Verdict::kTracked || p.verdict == Verdict::kFragmentHeld) {
    const size_t address = p.family == AddressFamily::kIpv6 ? 16 : 4;
    EXPECT_TRUE(Within(p.source, address, frame));
    EXPECT_TRUE(Within(p.destination, address, frame));
    EXPECT_TRUE(Within(p.payload, p.payload_length, frame));
    EXPECT_LE(p.payload_length, p.payload_wire_length);
    EXPECT_LE(p.ip_offset, p.transport_offset);
    EXPECT_LE(p.transport_offset, frame.size);
  } else {
    EXPECT_EQ(p.source, nullptr);
    EXPECT_EQ(p.family, AddressFamily::kNone);
  }
}

void ExpectEqual(const Packet& a, const Packet& b) {
  ASSERT_EQ(VerdictOf(a), VerdictOf(b));
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.destination, b.destination);
  EXPECT_EQ(a.family, b.family);
  EXPECT_EQ(a.wire_length, b.wire_length);
  EXPECT_EQ(a.label, b.label);
  EXPECT_EQ(a.anomalies, b.anomalies);
  EXPECT_EQ(a.vlan_count, b.vlan_count);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.tunnel == nullptr, b.tunnel == nullptr);
  if (a.tunnel != nullptr && b.tunnel != nullptr) {
    ASSERT_EQ(a.tunnel->length, b.tunnel->length);
    EXPECT_EQ(std::memcmp(a.tunnel->bytes, b.tunnel->bytes, a.tunnel->length), 0);
  }
  if (a.verdict == Verdict::kNotIp || a.verdict == Verdict::kMalformed) return;
  EXPECT_EQ(a.payload, b.payload);
  EXPECT_EQ(a.payload_length, b.payload_length);
  EXPECT_EQ(a.payload_wire_length, b.payload_wire_length);
  EXPECT_EQ(a.source_port, b.source_port);
  EXPECT_EQ(a.destination_port, b.destination_port);
  EXPECT_EQ(a.protocol, b.protocol);
  EXPECT_EQ(a.tcp_flags, b.tcp_flags);
  EXPECT_EQ(a.icmp_type, b.icmp_type);
  EXPECT_EQ(a.ip_offset, b.ip_offset);
  EXPECT_EQ(a.transport_offset, b.transport_offset);
  if ((a.flags & packet_flag::kTcpFields) != 0) {
    EXPECT_EQ(a.tcp_seq, b.tcp_seq);
    EXPECT_EQ(a.tcp_ack, b.tcp_ack);
    EXPECT_EQ(a.tcp_window, b.tcp_window);
  }
}

void Check(const Bytes& bytes, Frame frame) {
  const Alone alone(bytes);
  frame.data = alone.data.get();
  frame.captured_length = static_cast<uint32_t>(alone.size);
  Packet fast, slow;
  TunnelPath fast_path, slow_path;
  std::memset(static_cast<void*>(&fast_path), 0xff, sizeof fast_path);
  const DecoderOptions options;
  Decoder(options).Decode(frame, fast, fast_path);
  decode::Everything(frame, slow, slow_path, options);
  ExpectSane(fast, alone);
  ExpectEqual(fast, slow);
}

class AnyBytes : public testing::TestWithParam<SampleFrame> {};

TEST_P(AnyBytes, CutAtEachByte) {
  const SampleFrame& sample = GetParam();
  const Frame whole = AsFrame(sample.bytes, sample.link_type);
  for (size_t size = 0; size <= sample.bytes.size(); ++size) {
    SCOPED_TRACE(sample.name + " cut at " + std::to_string(size));
    const Bytes cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<ptrdiff_t>(size));
    Check(cut, whole);
    Check(cut, AsFrame(cut, sample.link_type));  // cut on the wire as well
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(AnyBytes, ChangedAtRandom) {
  const SampleFrame& sample = GetParam();
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes = sample.bytes;
    for (uint32_t changes = random() % 4 + 1; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    Frame frame = AsFrame(bytes, sample.link_type);
    frame.wire_length += random() % 3 == 0 ? random() % 2000 : 0;
    if (random() % 4 == 0)
      frame.vlan_tpid = 0x8100, frame.vlan_tci = static_cast<uint16_t>(random());
    Check(bytes, frame);
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Decode, AnyBytes, testing::ValuesIn(AllSamples()), NameOfSample);

TEST(DecodeAnyBytesTest, RandomBytesOfEveryLinkType) {
  std::mt19937 random(8);
  for (int round = 0; round < 50'000; ++round) {
    Bytes bytes(random() % 120);
    for (uint8_t& byte : bytes)
      byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 8);
    constexpr uint16_t kTypes[] = {0,   1,   9,   10,  12,  50,  51,  101, 104,
                                   105, 107, 108, 113, 127, 192, 228, 229, 276};
    Check(bytes, AsFrame(bytes, kTypes[random() % std::size(kTypes)]));
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir::test
