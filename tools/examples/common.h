// What the examples share, so that each shows one thing only: where frames come from, how a flow is
// printed, and whether the totals are right.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/shard.h"

namespace weir::examples {

// The sources of a shard: the capture file that is the program's argument, or made-up traffic. Ends
// the program with a message when the file cannot be read.
std::vector<std::unique_ptr<FrameSource>> Sources(int argc, char** argv);

// The sources of several shards: a file for each argument; without, made-up traffic in two parts.
// Ends the program with a message when a file cannot be read.
std::vector<std::vector<std::unique_ptr<FrameSource>>> SourcesOfShards(int argc, char** argv);

// A shard over Sources(). Ends the program with a message when it cannot be.
std::unique_ptr<Shard> MakeShard(int argc, char** argv, const ShardOptions& options = {});

// "192.0.2.1:20000 > 198.51.100.1:80", from the initiator to the responder.
std::string Ends(const FlowKey& key);

// "192.0.2.1:20000 > 198.51.100.1:80 tcp closed: 5 packets 300 bytes, 4 packets 500 bytes"
void Print(const FlowRecord& record);

// Adds up what a run saw.
struct Totals {
  uint64_t flows = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;

  void Add(const FlowRecord& record);
  void Add(const Totals& other);
};

// The exit status: 0 when the flows' sums are the ledger's, and the flows as many as the made-up
// traffic has. Says so.
int Verdict(const Totals& totals, const Ledger& ledger, bool made_up);

}  // namespace weir::examples
