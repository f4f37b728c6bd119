#include "tests/engine/packet/sample_frames.h"

#include <cctype>
#include <ostream>

namespace weir::test {
namespace {

PacketBuilder Outer() { return PacketBuilder().Ethernet().Ipv4("192.0.2.1", "192.0.2.2"); }
PacketBuilder Start(const Bytes& header, uint16_t protocol = 0) {
  return PacketBuilder().Raw(header, protocol);
}

// LLC and SNAP behind an IEEE 802.11 header.
Bytes Wifi(const Bytes& header) {
  Bytes bytes = header;
  bytes.insert(bytes.end(), {0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00});
  return bytes;
}

Bytes WifiHeader(uint8_t control, uint8_t flags, size_t size) {
  Bytes header(size);
  header[0] = control;
  header[1] = flags;
  return header;
}

Bytes Radiotap(uint8_t padding_flag) {
  Bytes header = {0, 0, 17, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, padding_flag};
  return header;
}

Bytes Join(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// A-MSDU: QoS control with the aggregation bit, then two addresses and a length of everything.
Bytes Aggregated() {
  Bytes header = WifiHeader(0x88, 0x01, 26);
  header[24] = 0x80;
  header.resize(26 + 12);
  return Wifi(Join(header, {0, 8 + 20 + 8 + 6}));
}

SampleFrame Link(const char* name, uint16_t type, const PacketBuilder& builder) {
  return {name, type, Inside(builder).Build()};
}

SampleFrame Tunnel(const char* name, const PacketBuilder& builder) {
  return {name, link_type::kEthernet, Inside(builder).Build()};
}

}  // namespace

void PrintTo(const SampleFrame& sample, std::ostream* out) { *out << sample.name; }

std::string NameOfSample(const testing::TestParamInfo<SampleFrame>& info) {
  std::string name;
  for (char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

PacketBuilder Inside(PacketBuilder builder) {
  return builder.Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 2000).Payload("inside");
}

PacketBuilder Inside6(PacketBuilder builder) {
  return builder.Ipv6("2001:db8::1", "2001:db8::2").Udp(1000, 2000).Payload("inside");
}

std::vector<SampleFrame> SampleLinks() {
  using namespace link_type;
  const PacketBuilder none, ethernet = PacketBuilder().Ethernet();
  auto eth = [] { return PacketBuilder().Ethernet(); };
  auto start = [] { return PacketBuilder(); };
  return {
      Link("ethernet", kEthernet, ethernet),
      Link("vlan", kEthernet, eth().Vlan(5)),
      Link("qinq", kEthernet, eth().Vlan(5, 0x88a8).Vlan(6)),
      Link("five tags", kEthernet, eth().Vlan(1).Vlan(2, 0x9100).Vlan(3).Vlan(4).Vlan(5)),
      Link("llc snap", kEthernet, eth().Llc()),
      Link("vlan llc snap", kEthernet, eth().Vlan(9).Llc()),
      Link("llc ip", kEthernet, eth().Llc(false)),
      Link("cisco metadata", kEthernet, eth().Raw({1, 1, 0, 1, 0, 7, 0x08, 0x00}, 0x8909)),
      Link("fabricpath", kEthernet, eth().Raw({0x40, 0x20}, 0x8903).Ethernet()),
      Link("backbone service", kEthernet, eth().Raw({0, 0, 1, 2}, 0x88e7).Ethernet()),
      Link("mpls", kEthernet, eth().Mpls(77)),
      Link("mpls stack", kEthernet, eth().Mpls(77).Mpls(78).Mpls(79)),
      Link("mpls control word", kEthernet, eth().Mpls(77).Raw(Bytes(4), 0).Ethernet()),
      Link("mpls ethernet", kEthernet, eth().Mpls(77).Ethernet()),
      Link("mpls associated channel", kEthernet, eth().Mpls(77).Raw({0x10, 0, 0, 0x21}, 0)),
      Link("pppoe", kEthernet, eth().Pppoe(3)),
      Link("pppoe in qinq", kEthernet, eth().Vlan(5).Vlan(6).Pppoe(3)),
      Link("sll", kLinuxSll, start().Sll()),
      Link("sll vlan", kLinuxSll, start().Sll().Vlan(5)),
      Link("sll2", kLinuxSll2, start().Sll2()),
      Link("null", kNull, start().Null()),
      Link("null swapped", kNull, start().Null(true)),
      Link("null ethertype", kNull, start().Raw({0x00, 0x08, 0, 0}, 0)),
      Link("loop", kLoop, start().Null(true)),
      Link("raw", kRaw, none),
      Link("raw bsd", kRawBsd, none),
      Link("raw openbsd", kRawOpenBsd, none),
      Link("raw ipv4", kIpv4, none),
      Link("ppp", kPpp, start().Ppp()),
      Link("ppp hdlc", kPppHdlc, start().Ppp(true)),
      Link("ppp compressed", kPpp, start().Ppp(false, true)),
      Link("ppp hdlc compressed", kPppHdlc, start().Ppp(true, true)),
      Link("ppp bridged", kPpp, start().Ppp().Raw({0, 1}, 0x0031).Ethernet()),
      Link("ppp mpls", kPpp, start().Ppp().Mpls(5)),
      Link("pppoe link", kPppEther, start().Pppoe(3)),
      Link("c-hdlc", kCiscoHdlc, start().CiscoHdlc()),
      Link("c-hdlc mpls", kCiscoHdlc, start().CiscoHdlc().Mpls(1)),
      Link("frame relay nlpid", kFrameRelay, Start({0x18, 0x41, 0x03, 0xcc})),
      Link("frame relay pad", kFrameRelay, Start({0x18, 0x41, 0x03, 0x00, 0xcc})),
      Link("frame relay snap", kFrameRelay, Start({0x18, 0x41, 0x03, 0x80, 0, 0, 0, 0x08, 0x00})),
      Link("frame relay bridged", kFrameRelay,
           Start({0x18, 0x41, 0x03, 0x80, 0x00, 0x80, 0xc2, 0, 7}).Ethernet()),
      Link("frame relay cisco", kFrameRelay, Start({0x18, 0x41, 0x08, 0x00})),
      Link("frame relay long address", kFrameRelay, Start({0x18, 0x40, 0x02, 0x03, 0x03, 0xcc})),
      Link("fddi", kFddi, Start(Wifi({0x50, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))),
      Link("802.11", kIeee80211, Start(Wifi(WifiHeader(0x08, 0x01, 24)))),
      Link("802.11 qos", kIeee80211, Start(Wifi(WifiHeader(0x88, 0x02, 26)))),
      Link("802.11 qos htc", kIeee80211, Start(Wifi(WifiHeader(0x88, 0x81, 30)))),
      Link("802.11 four addresses", kIeee80211, Start(Wifi(WifiHeader(0x08, 0x03, 30)))),
      Link("802.11 a-msdu", kIeee80211, Start(Aggregated())),
      Link("radiotap", kRadiotap, Start(Join(Radiotap(0), Wifi(WifiHeader(0x08, 0x01, 24))))),
      Link("radiotap padded", kRadiotap,
           Start(Join(Radiotap(0x20), Wifi(WifiHeader(0x88, 0x01, 28))))),
      Link("ppi", kPpi, Start(Join({0, 0, 8, 0, 105, 0, 0, 0}, Wifi(WifiHeader(0x08, 0x01, 24))))),
      Link("ppi ethernet", kPpi, Start({0, 0, 8, 0, 1, 0, 0, 0}).Ethernet()),
  };
}

std::vector<SampleFrame> SampleTunnels() {
  auto udp = [](uint16_t port) { return Outer().Udp(50'000, port); };
  const Bytes gtp_extended = {0x34, 255, 0, 44, 0, 0, 0, 9, 0, 1, 0, 0x85, 1, 0, 9, 0};
  return {
      Tunnel("ip in ip", Outer()),
      Tunnel("4in6", PacketBuilder().Ethernet().Ipv6("2001:db8::a", "2001:db8::b")),
      Tunnel("gre", Outer().Gre()),
      Tunnel("gre key", Outer().GreKey(5)),
      Tunnel("gre all fields", Outer().Raw({0xf0, 0, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0,
                                            0,    1, 0x08, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0},
                                           47)),
      Tunnel("gre ethernet", Outer().Gre().Ethernet()),
      Tunnel("nvgre", Outer().GreKey(0x00500001).Ethernet()),
      Tunnel("gre pptp",
             Outer().Raw({0x30, 0x81, 0x88, 0x0b, 0, 36, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2}, 47).Ppp()),
      Tunnel("gre mpls", Outer().Gre().Mpls(3)),
      Tunnel("wccp", Outer().Raw({0, 0, 0x88, 0x3e, 0, 0, 0, 0}, 47)),
      Tunnel("erspan 1", Outer().Raw({0, 0, 0x88, 0xbe}, 47).Ethernet()),
      Tunnel(
          "erspan 2",
          Outer().Raw({0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 9, 0, 0, 0, 0}, 47).Ethernet()),
      Tunnel("erspan 3",
             Outer()
                 .Raw({0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0}, 47)
                 .Ethernet()),
      Tunnel("erspan 3 platform", Outer()
                                      .Raw({0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 0, 0,
                                            0,    0, 0,    0,    0, 1, 0, 0, 0,    0, 0, 0, 0, 0},
                                           47)
                                      .Ethernet()),
      Tunnel("etherip", Outer().Raw({0x30, 0}, 97).Ethernet()),
      Tunnel("mpls in ip", Outer().Mpls(4)),
      Tunnel("vxlan", udp(4789).Vxlan(5).Ethernet()),
      Tunnel("vxlan vlan", udp(4789).Vxlan(5).Ethernet().Vlan(8)),
      Tunnel("vxlan gpe", udp(4790).Raw({0x0c, 0, 0, 1, 0, 0, 5, 0}, 0)),
      Tunnel("vxlan gpe nsh", udp(4790).Raw({0x0c, 0, 0, 4, 0, 0, 5, 0, 0, 6, 2, 1, 0, 0, 1, 0xff,
                                             0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                            0)),
      Tunnel("geneve", udp(6081).Geneve(5).Ethernet()),
      Tunnel("geneve options", udp(6081).Geneve(5, 12)),
      Tunnel("gtp-u", udp(2152).GtpU(9)),
      Tunnel("gtp-u extension", udp(2152).Raw(gtp_extended, 0)),
      Tunnel("gtp version 0",
             udp(3386).Raw({0x1e, 255, 0, 34, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0)),
      Tunnel("l2tp", udp(1701).Raw({0, 2, 0, 1, 0, 7}, 0).Ppp(true)),
      Tunnel("l2tp all fields",
             udp(1701).Raw({0x4a, 2, 0, 54, 0, 1, 0, 7, 0, 0, 0, 0, 0, 2, 0, 0}, 0).Ppp()),
      Tunnel("capwap 802.3", udp(5247).Raw({0, 0x10, 0x02, 0, 0, 0, 0, 0}, 0).Ethernet()),
      Tunnel(
          "capwap 802.11",
          udp(5247).Raw(Join({0, 0x10, 0x03, 0, 0, 0, 0, 0}, Wifi(WifiHeader(0x01, 0x08, 24))), 0)),
      Tunnel("mpls over udp", udp(6635).Mpls(6)),
      Tunnel("gre over udp", udp(4754).Gre()),
      Tunnel("gtp ethernet", udp(2152).GtpU(9).Ethernet()),
      Tunnel("tzsp", udp(37'008).Raw({1, 0, 0, 1, 0, 10, 1, 7, 1}, 0).Ethernet()),
      Tunnel("ayiya", udp(5072).Raw({0x24, 0x12, 0x11, 4, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, 0)),
      Tunnel("lisp data", udp(4341).Raw({0, 0, 0, 0, 0, 0, 0, 0}, 0)),
  };
}

std::vector<SampleFrame> AllSamples() {
  std::vector<SampleFrame> all = SampleLinks();
  for (SampleFrame& sample : SampleTunnels()) all.push_back(std::move(sample));
  auto add = [&all](const char* name, const PacketBuilder& builder) {
    all.push_back({name, link_type::kEthernet, builder.Build()});
  };
  auto ipv4 = [] { return PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2"); };
  auto ipv6 = [] { return PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2"); };
  add("tcp", ipv4().Tcp(1, 2, {.options = {2, 4, 5, 180}}).Payload(20));
  add("tcp vlan", PacketBuilder().Ethernet().Vlan(9).Ipv4("10.0.0.1", "10.0.0.2").Tcp(1, 2));
  add("tcp ipv6", ipv6().Tcp(1, 2).Payload(20));
  add("udp ipv6", ipv6().Udp(1, 2).Payload(20));
  add("ipv4 options", ipv4().Ipv4Options({7, 7, 4, 0, 0, 0, 0}).Udp(1, 2));
  add("extension headers",
      ipv6().HopByHop().Routing().DestinationOptions().Authentication().Udp(1, 2));
  add("authentication in ipv4", ipv4().Authentication().Udp(1, 2));
  add("mobility", ipv6().Raw({59, 0, 0, 0, 0, 0, 0, 0}, 135));
  add("atomic fragment", ipv6().Fragment(1, 0, false, 17).Udp(1, 2));
  add("first fragment", ipv4().Ipv4Fragment(5, 0, true).Udp(1, 2).Payload(16));
  add("later fragment", ipv6().Fragment(5, 1480, false).Payload(16));
  add("icmp echo", ipv4().Icmp(8, 0, 7, 1).Payload(16));
  add("icmpv6 echo", ipv6().Icmpv6(128, 0, 7, 1).Payload(16));
  add("icmp error", ipv4().Icmp(3, 3).Raw(Inside(PacketBuilder()).Build(), 0));
  add("sctp", ipv4().Sctp(1, 2).Payload(16));
  add("6in4", Inside6(Outer()));
  add("teredo", Inside6(Outer().Udp(3544, 50'000)));
  add("teredo headers",
      Inside6(Outer()
                  .Udp(3544, 50'000)
                  .Raw({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6}, 0)));
  return all;
}

}  // namespace weir::test
