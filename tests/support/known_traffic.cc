#include "tests/support/known_traffic.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weir::test {

std::array<uint8_t, 16> AddressOf(const std::string& text) {
  const Bytes bytes = text.find(':') == std::string::npos ? Ipv4Address(text) : Ipv6Address(text);
  std::array<uint8_t, 16> address{};
  std::copy(bytes.begin(), bytes.end(), address.begin());
  return address;
}

void AddTo(AddressTotals& totals, const std::array<uint8_t, 16>& from,
           const std::array<uint8_t, 16>& to, uint64_t packets, uint64_t bytes) {
  totals[from][0] += packets;
  totals[from][1] += bytes;
  totals[to][2] += packets;
  totals[to][3] += bytes;
}

KnownTraffic::KnownTraffic(int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (int host = 0; host < 23; ++host) {
      AddIpv4(absl::StrCat("10.1.0.", host + 1), "10.2.0.1", round);
      AddIpv6(absl::StrCat("fd00::1:", host + 1), "fd00::2:1", round);
    }
  }
}

void KnownTraffic::Add(const std::string& from, const std::string& to, Bytes frame) {
  AddTo(totals_, AddressOf(from), AddressOf(to), 1, frame.size());
  frames_.push_back(std::move(frame));
}

void KnownTraffic::AddIpv4(const std::string& client, const std::string& server, int round) {
  const auto port = static_cast<uint16_t>(2000 + round);
  const auto size = static_cast<size_t>(100 + round);
  flows_ += 3;
  Add(client, server,
      PacketBuilder().Ethernet().Ipv4(client, server).Udp(port, 53).Payload(size).Build());
  Add(server, client,
      PacketBuilder().Ethernet().Ipv4(server, client).Tcp(80, port).Payload(size).Build());
  // A datagram in two pieces: the second one has no ports, whatever its bytes look like.
  Bytes datagram =
      PacketBuilder().Ethernet().Ipv4(client, server).Udp(port, 99).Payload(1600).Build();
  datagram.erase(datagram.begin(), datagram.begin() + 34);
  for (const bool second : {false, true}) {
    const ptrdiff_t middle = 800;
    const Bytes piece = second ? Bytes(datagram.begin() + middle, datagram.end())
                               : Bytes(datagram.begin(), datagram.begin() + middle);
    Add(client, server,
        PacketBuilder()
            .Ethernet()
            .Ipv4(client, server)
            .Ipv4Fragment(static_cast<uint16_t>(round + 1), second ? 800 : 0, !second)
            .Payload(piece)
            .Build());
  }
}

// Behind extension headers.
void KnownTraffic::AddIpv6(const std::string& client, const std::string& server, int round) {
  const auto port = static_cast<uint16_t>(2000 + round);
  flows_ += 2;
  Add(client, server,
      PacketBuilder()
          .Ethernet()
          .Ipv6(client, server)
          .HopByHop()
          .DestinationOptions()
          .Udp(port, 53)
          .Payload(100)
          .Build());
  Add(server, client,
      PacketBuilder().Ethernet().Ipv6(server, client).Routing().Tcp(80, port).Build());
}

}  // namespace weir::test
