#include "rings/cidr_set.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

uint32_t LoadIpv4(const uint8_t* address) {
  uint32_t value;
  std::memcpy(&value, address, sizeof value);
  return ntohl(value);
}

unsigned __int128 LoadIpv6(const uint8_t* address) {
  unsigned __int128 value = 0;
  for (int i = 0; i < 16; ++i) value = value << 8 | address[i];
  return value;
}

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

// The bits behind the first `length` of `bits`, all set.
template <typename Address>
Address HostBits(int length, int bits) {
  return length == 0 ? static_cast<Address>(~Address{0})
                     : static_cast<Address>((Address{1} << (bits - length)) - 1);
}

std::string Written(uint8_t family, unsigned __int128 address, int bits) {
  uint8_t bytes[16];
  for (int i = 0; i < bits / 8; ++i) {
    bytes[i] = static_cast<uint8_t>(address >> (bits - 8 - 8 * i));
  }
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, bytes, text, sizeof text);
  return text;
}

}  // namespace

template <typename Address>
void CidrSet::Intervals<Address>::Add(Address start, Address end) {
  starts.push_back(start);
  ends.push_back(end);
}

// Sorts, and joins what overlaps or touches.
template <typename Address>
void CidrSet::Intervals<Address>::Settle() {
  std::vector<std::pair<Address, Address>> all;
  for (size_t i = 0; i < starts.size(); ++i) all.emplace_back(starts[i], ends[i]);
  std::sort(all.begin(), all.end());
  starts.clear();
  ends.clear();
  for (const auto& [start, end] : all) {
    const bool joins = !ends.empty() && (start <= ends.back() || start - ends.back() == 1);
    if (joins) {
      ends.back() = std::max(ends.back(), end);
    } else {
      Add(start, end);
    }
  }
}

template <typename Address>
bool CidrSet::Intervals<Address>::Contains(Address address) const {
  const auto behind = std::upper_bound(starts.begin(), starts.end(), address);
  return behind != starts.begin() &&
         address <= ends[static_cast<size_t>(behind - starts.begin()) - 1];
}

bool CidrSet::ContainsIpv4(const uint8_t* address) const {
  return ipv4_.Contains(LoadIpv4(address));
}
bool CidrSet::ContainsIpv6(const uint8_t* address) const {
  return ipv6_.Contains(LoadIpv6(address));
}

absl::Status CidrSet::AddLine(std::string_view line) {
  const size_t slash = line.find('/');
  const std::string address(line.substr(0, slash));
  uint8_t bytes[16];
  const bool ipv6 = address.find(':') != std::string::npos;
  if (inet_pton(ipv6 ? AF_INET6 : AF_INET, address.c_str(), bytes) != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is no address; write 10.0.0.0/8 or 2001:db8::/32"));
  }
  const int bits = ipv6 ? 128 : 32;
  int length = bits;
  if (slash != std::string_view::npos) {
    const char* const end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data() + slash + 1, end, length);
    if (error != std::errc() || stop != end || length < 0 || length > bits) {
      return absl::InvalidArgumentError(absl::StrCat("the prefix length of \"", Absl(line),
                                                     "\" is not a number from 0 to ", bits));
    }
  }
  const unsigned __int128 start = ipv6 ? LoadIpv6(bytes) : LoadIpv4(bytes);
  const unsigned __int128 host =
      ipv6 ? HostBits<Address128>(length, 128) : HostBits<uint32_t>(length == 0 ? 0 : length, 32);
  if ((start & host) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", Absl(line), "\" has host bits set; write ",
                     Written(ipv6 ? AF_INET6 : AF_INET, start & ~host, bits), "/", length));
  }
  if (ipv6) {
    ipv6_.Add(start, start | host);
  } else {
    ipv4_.Add(static_cast<uint32_t>(start), static_cast<uint32_t>(start | host));
  }
  return absl::OkStatus();
}

absl::StatusOr<CidrSet> CidrSet::Parse(std::string_view text, std::string_view name) {
  CidrSet set;
  for (int number = 1; !text.empty(); ++number) {
    const size_t newline = text.find('\n');
    const std::string_view whole = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    const absl::string_view line =
        absl::StripAsciiWhitespace(Absl(whole.substr(0, whole.find('#'))));
    if (line.empty()) continue;
    absl::Status status = set.AddLine({line.data(), line.size()});
    if (set.ipv4_.starts.size() + set.ipv6_.starts.size() > kMostNetworks) {
      status = absl::InvalidArgumentError(
          absl::StrCat("more than ", kMostNetworks, " networks; join neighbours into larger ones"));
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Absl(name), ":", number, ": ", status.message()));
    }
  }
  set.ipv4_.Settle();
  set.ipv6_.Settle();
  return set;
}

namespace {

// Cuts [start, end] into networks: each time the largest one that begins at `start` and fits.
template <typename Address>
void Cut(Address start, Address end, bool ipv6, std::vector<CidrSet::Network>& networks) {
  constexpr int kBits = sizeof(Address) * 8;
  for (bool more = true; more;) {
    int host_bits = 0;
    while (host_bits < kBits) {
      const Address host = HostBits<Address>(kBits - host_bits - 1, kBits);
      if ((start & host) != 0 || end - start < host) break;
      ++host_bits;
    }
    CidrSet::Network network{ipv6, {}, kBits - host_bits};
    for (int i = 0; i < kBits / 8; ++i) {
      network.address[i] = static_cast<uint8_t>(start >> (kBits - 8 - 8 * i));
    }
    networks.push_back(network);
    const Address last =
        host_bits == 0 ? start : start | HostBits<Address>(kBits - host_bits, kBits);
    more = last != end;
    start = static_cast<Address>(last + 1);
  }
}

}  // namespace

std::vector<CidrSet::Network> CidrSet::Networks() const {
  std::vector<Network> networks;
  for (size_t i = 0; i < ipv4_.starts.size(); ++i) {
    Cut(ipv4_.starts[i], ipv4_.ends[i], false, networks);
  }
  for (size_t i = 0; i < ipv6_.starts.size(); ++i) {
    Cut(ipv6_.starts[i], ipv6_.ends[i], true, networks);
  }
  return networks;
}

std::vector<CidrSet::Ipv4Range> CidrSet::Ipv4Ranges() const {
  std::vector<Ipv4Range> ranges;
  for (size_t i = 0; i < ipv4_.starts.size(); ++i) {
    ranges.push_back({ipv4_.starts[i], ipv4_.ends[i]});
  }
  return ranges;
}

absl::StatusOr<CidrSet> CidrSet::ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  return Parse(text, path);
}

}  // namespace weir
