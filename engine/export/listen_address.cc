#include "engine/export/listen_address.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace weir {
namespace {

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrFormat(
      "'%s' %s: write ADDRESS:PORT, such as 127.0.0.1:9090, [::1]:9090 or :9090 (every address)",
      text, why));
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Wrong(text, "has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return Wrong(text, "has no IPv6 address in []");
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return Wrong(text, "has an IPv6 address without [], or no port");
  }
  ListenAddress address;
  address.host = host;
  const char* const end = port.data() + port.size();
  const auto [rest, error] = std::from_chars(port.data(), end, address.port);
  if (error != std::errc() || rest != end) return Wrong(text, "has no port from 0 to 65535");
  return address;
}

}  // namespace weir
