// The smallest HTTP client that reads a metrics page. Blocks; a server that hangs fails the test
// after ten seconds.
#pragma once

#include <cstdint>
#include <string>

namespace weir::test {

struct HttpAnswer {
  int status = 0;  // 0: no connection, or no answer
  std::string body;
};

// From 127.0.0.1 of the calling thread's network namespace. `path` as it stands in the request.
HttpAnswer HttpGet(uint16_t port, const std::string& path);

// One that nothing listens on at this moment.
uint16_t FreePort();

}  // namespace weir::test
