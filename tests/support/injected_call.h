// Makes another process do a system call, as a debugger would: what its kernel says to it is what
// it would say to whoever took that process over. Needs ptrace(2) rights over it; x86-64 only.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>

namespace weir::test {

// What the call returned in `thread`: a value, or -errno. No value: it could not be tried.
std::optional<int64_t> InjectCall(pid_t thread, long number, std::array<uint64_t, 3> arguments);

}  // namespace weir::test
