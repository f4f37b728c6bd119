// Several sources of one interface, one for each shard: together they see every frame once.
//
// All sockets are members of one fanout group of the kernel's before any of them takes a frame:
// each is bound behind a filter that refuses everything, joins, and only when the last one has
// joined are the filters exchanged, one after another within microseconds. No frame is ever handed
// out twice, and every frame that arrives after OpenPacketGroup returned is taken by the one it was
// steered to.
//
// Each source has a ring of RingGeometry's size of its own. Its memory comes from the NUMA node
// that the calling thread runs on. A source that is destroyed leaves the group: the kernel
// distributes among those that are left, and most flows move.
//
// Thread: any one; each source then belongs to its shard. The network namespace is the calling
// thread's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/packet_fanout.h"
#include "rings/packet_source.h"

namespace weir {

struct PacketGroup {
  std::vector<std::unique_ptr<PacketSource>> sources;
  FanoutMode mode = FanoutMode::kHash;       // that the kernel uses
  std::shared_ptr<SocketFilters> filters;    // theirs
  std::shared_ptr<const UniqueFd> steering;  // kEbpf: the program
  std::vector<std::string> notes;            // what differs from what was asked for, for people
};

// `count` sources. Where mode kEbpf cannot be had (CAP_BPF, kernel) the group's is kHash, and a
// note says why. One source without FanoutOptions::defragment needs no group.
//
// `again`: a former group with these options, whose programs are used again; so CAP_NET_RAW alone
// suffices. Its sources need not be there any more.
absl::StatusOr<PacketGroup> OpenPacketGroup(const PacketSourceOptions& options,
                                            const FanoutOptions& fanout, int count,
                                            const PacketGroup* again = nullptr);

}  // namespace weir
