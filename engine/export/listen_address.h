// Where a server listens, as a person writes it. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weir {

struct ListenAddress {
  std::string host;   // name or address; empty: every address of this machine
  uint16_t port = 0;  // 0: the kernel chooses one
};

// "127.0.0.1:9100", "localhost:9100", "[::1]:9100", ":9100". Says what is wrong with anything else.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace weir
