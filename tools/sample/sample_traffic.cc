#include "tools/sample/sample_traffic.h"

#include <string>
#include <utility>

#include "engine/packet/packet.h"

namespace weir::sample {
namespace {

constexpr uint32_t kClients = 0xc0000200;   // 192.0.2.0/24
constexpr uint32_t kServers = 0xc6336400;   // 198.51.100.0/24
constexpr uint32_t kResolver = 0xcb007135;  // 203.0.113.53
constexpr int64_t kGapNs = 250'000;
constexpr size_t kIpHeader = 20;

void Put16(std::vector<uint8_t>& bytes, uint32_t value) {
  bytes.push_back(static_cast<uint8_t>(value >> 8));
  bytes.push_back(static_cast<uint8_t>(value));
}

void Put32(std::vector<uint8_t>& bytes, uint32_t value) {
  Put16(bytes, value >> 16);
  Put16(bytes, value);
}

void PutText(std::vector<uint8_t>& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

// The Internet checksum (RFC 1071), `sum` being what the pseudo header adds.
uint16_t Checksum(std::span<const uint8_t> bytes, uint32_t sum) {
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void SetChecksum(std::vector<uint8_t>& bytes, size_t at, uint32_t sum) {
  const uint16_t checksum = Checksum(bytes, sum);
  bytes[at] = static_cast<uint8_t>(checksum >> 8);
  bytes[at + 1] = static_cast<uint8_t>(checksum);
}

uint32_t Halves(uint32_t address) { return (address >> 16) + (address & 0xffff); }

}  // namespace

Traffic::Traffic(int conversations) {
  for (int i = 0; i < conversations; ++i) AddConversation(static_cast<uint32_t>(i));
  for (size_t i = 0; i < bytes_.size(); ++i) {
    frames_[i].data = bytes_[i].data();
    frames_[i].captured_length = frames_[i].wire_length = static_cast<uint32_t>(bytes_[i].size());
  }
}

void Traffic::AddConversation(uint32_t number) {
  const Endpoint client = {kClients + 1 + number % 20, static_cast<uint16_t>(20'000 + number)};
  const Endpoint resolver = {kResolver, 53};
  const Endpoint server = {kServers + 1 + number % 7, 80};
  AddUdp(client, resolver, "question");
  AddUdp(resolver, client, "question and answer");

  using tcp_flag::kAck, tcp_flag::kFin, tcp_flag::kPsh, tcp_flag::kSyn;
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  const std::string response(200 + number * 37 % 1'000, 'x');
  const uint32_t asked = 1'001 + static_cast<uint32_t>(request.size());
  const uint32_t told = 5'001 + static_cast<uint32_t>(response.size());
  AddTcp(client, server, kSyn, 1'000, 0);
  AddTcp(server, client, kSyn | kAck, 5'000, 1'001);
  AddTcp(client, server, kAck, 1'001, 5'001);
  AddTcp(client, server, kAck | kPsh, 1'001, 5'001, request);
  AddTcp(server, client, kAck | kPsh, 5'001, asked, response);
  AddTcp(client, server, kAck, asked, told);
  AddTcp(server, client, kFin | kAck, told, asked);
  AddTcp(client, server, kFin | kAck, asked, told + 1);
  AddTcp(server, client, kAck, told + 1, asked + 1);
}

void Traffic::AddUdp(const Endpoint& from, const Endpoint& to, std::string_view payload) {
  Segment segment{ip_protocol::kUdp, {}, 6};
  Put16(segment.bytes, from.port);
  Put16(segment.bytes, to.port);
  Put16(segment.bytes, static_cast<uint32_t>(8 + payload.size()));
  Put16(segment.bytes, 0);
  PutText(segment.bytes, payload);
  AddFrame(from, to, std::move(segment));
}

void Traffic::AddTcp(const Endpoint& from, const Endpoint& to, uint8_t flags, uint32_t seq,
                     uint32_t ack, std::string_view payload) {
  Segment segment{ip_protocol::kTcp, {}, 16};
  Put16(segment.bytes, from.port);
  Put16(segment.bytes, to.port);
  Put32(segment.bytes, seq);
  Put32(segment.bytes, ack);
  segment.bytes.push_back(5 << 4);  // data offset in words
  segment.bytes.push_back(flags);
  Put16(segment.bytes, 65'535);
  Put32(segment.bytes, 0);  // checksum, urgent pointer
  PutText(segment.bytes, payload);
  AddFrame(from, to, std::move(segment));
}

void Traffic::AddFrame(const Endpoint& from, const Endpoint& to, Segment segment) {
  const auto length = static_cast<uint32_t>(segment.bytes.size());
  SetChecksum(segment.bytes, segment.checksum_at,
              Halves(from.address) + Halves(to.address) + segment.protocol + length);

  std::vector<uint8_t> ip = {0x45, 0};
  Put16(ip, static_cast<uint32_t>(kIpHeader) + length);
  Put32(ip, 0x4000);  // no identification, don't fragment
  ip.push_back(64);
  ip.push_back(segment.protocol);
  Put16(ip, 0);
  Put32(ip, from.address);
  Put32(ip, to.address);
  SetChecksum(ip, 10, 0);

  std::vector<uint8_t> frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00};
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), segment.bytes.begin(), segment.bytes.end());
  bytes_.push_back(std::move(frame));
  frames_.push_back({.timestamp_ns = time_ns_ += kGapNs});
}

}  // namespace weir::sample
