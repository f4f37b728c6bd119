// The system calls of a run: everything that shards, outputs, the metrics server and the C library
// use after the start.
#pragma once

#include <span>

namespace weir {

// Names, as libseccomp knows them. Not among them are those that depend on an argument, which are
// below or in call_filter.cc.
std::span<const char* const> AllowedSystemCalls();

// Address families of socket(2) that any run may use: the metrics server's, and netlink, by which
// the interface's counters are read. AF_PACKET comes on top where an interface can be opened again.
std::span<const int> AllowedFamilies();

// Of ioctl(2): what an interface is asked when it is opened again, and a terminal's size.
std::span<const unsigned long> AllowedRequests();

// Of bpf(2): counters are read, lists exchanged, queues given back to the host.
std::span<const int> AllowedBpfCommands();

}  // namespace weir
