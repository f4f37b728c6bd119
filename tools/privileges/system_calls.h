// The system calls of a run: everything that shards, outputs, the metrics server and the C library
// use after the start.
#pragma once

#include <span>

namespace weir {

// Names, as libseccomp knows them. socket(2) is not among them: see AllowedFamilies.
std::span<const char* const> AllowedSystemCalls();

// Address families of socket(2) that any run may use: the metrics server's, and netlink, by which
// the interface's counters are read. AF_PACKET comes on top where an interface can be opened again.
std::span<const int> AllowedFamilies();

}  // namespace weir
