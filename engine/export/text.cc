#include "engine/export/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "absl/time/civil_time.h"

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 24 * 60 * 60;
constexpr char kHex[] = "0123456789abcdef";

void Put2(char* to, int64_t value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

AddressText TextOfIpv4(const uint8_t* bytes) {
  AddressText text;
  char* at = text.bytes.data();
  char* const end = at + text.bytes.size();
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, end, bytes[i]).ptr;
  }
  text.size = static_cast<size_t>(at - text.bytes.data());
  return text;
}

AddressText TextOfIpv6(const uint8_t* bytes) {
  AddressText text;
  inet_ntop(AF_INET6, bytes, text.bytes.data(), static_cast<socklen_t>(text.bytes.size()));
  text.size = std::strlen(text.bytes.data());
  return text;
}

AddressText TextOfMac(const uint8_t* bytes) {
  AddressText text;
  for (int i = 0; i < 6; ++i) {
    if (i > 0) text.bytes[text.size++] = ':';
    text.bytes[text.size++] = kHex[bytes[i] >> 4];
    text.bytes[text.size++] = kHex[bytes[i] & 15];
  }
  return text;
}

// Suricata's util-proto-name.c spells them so.
std::string_view KnownProtocol(uint8_t protocol) {
  switch (protocol) {
    case 0:
      return "HOPOPT";
    case 1:
      return "ICMP";
    case 2:
      return "IGMP";
    case 4:
      return "IP-in-IP";
    case 6:
      return "TCP";
    case 8:
      return "EGP";
    case 17:
      return "UDP";
    case 27:
      return "RDP";
    case 33:
      return "DCCP";
    case 41:
      return "IPv6";
    case 43:
      return "IPv6-Route";
    case 44:
      return "IPv6-Frag";
    case 46:
      return "RSVP";
    case 47:
      return "GRE";
    case 50:
      return "ESP";
    case 51:
      return "AH";
    case 58:
      return "IPv6-ICMP";
    case 59:
      return "IPv6-NoNxt";
    case 60:
      return "IPv6-Opts";
    case 88:
      return "EIGRP";
    case 89:
      return "OSPF";
    case 97:
      return "ETHERIP";
    case 103:
      return "PIM";
    case 108:
      return "IPComp";
    case 112:
      return "VRRP";
    case 113:
      return "PGM";
    case 115:
      return "L2TP";
    case 124:
      return "IS-IS";
    case 132:
      return "SCTP";
    case 135:
      return "Mobility";
    case 136:
      return "UDPLite";
    case 137:
      return "MPLS-in-IP";
    case 139:
      return "HIP";
    default:
      return {};
  }
}

}  // namespace

AddressText TextOfAddress(AddressFamily family, const uint8_t* bytes) {
  switch (family) {
    case AddressFamily::kIpv4:
      return TextOfIpv4(bytes);
    case AddressFamily::kIpv6:
      return TextOfIpv6(bytes);
    case AddressFamily::kMac:
      return TextOfMac(bytes);
    case AddressFamily::kNone:
      break;
  }
  return {};
}

ProtocolText TextOfProtocol(uint8_t protocol) {
  ProtocolText text;
  const std::string_view name = KnownProtocol(protocol);
  if (name.empty()) {
    text.bytes[0] = static_cast<char>('0' + protocol / 100);
    Put2(text.bytes.data() + 1, protocol % 100);
    text.size = 3;
  } else {
    std::copy(name.begin(), name.end(), text.bytes.begin());
    text.size = name.size();
  }
  return text;
}

void TimestampFormatter::SetDay(int64_t day) {
  day_ = day;
  const absl::CivilDay date = absl::CivilDay(1970, 1, 1) + day;
  Put2(date_.data(), date.year() / 100);
  Put2(date_.data() + 2, date.year() % 100);
  date_[4] = '-';
  Put2(date_.data() + 5, date.month());
  date_[7] = '-';
  Put2(date_.data() + 8, date.day());
  date_[10] = 'T';
}

TimestampFormatter::Text TimestampFormatter::Format(int64_t time_ns) {
  int64_t second = time_ns / kSecond;
  int64_t nanosecond = time_ns % kSecond;
  if (nanosecond < 0) {
    nanosecond += kSecond;
    --second;
  }
  int64_t day = second / kDay;
  int64_t of_day = second % kDay;
  if (of_day < 0) {
    of_day += kDay;
    --day;
  }
  if (day != day_) SetDay(day);

  Text text;
  char* at = text.bytes.data();
  std::copy(date_.begin(), date_.end(), at);
  Put2(at + 11, of_day / 3600);
  at[13] = ':';
  Put2(at + 14, of_day / 60 % 60);
  at[16] = ':';
  Put2(at + 17, of_day % 60);
  at[19] = '.';
  const int64_t microsecond = nanosecond / 1000;
  Put2(at + 20, microsecond / 10'000);
  Put2(at + 22, microsecond / 100 % 100);
  Put2(at + 24, microsecond % 100);
  std::memcpy(at + 26, "+0000", 5);
  text.size = 31;
  return text;
}

}  // namespace weir
