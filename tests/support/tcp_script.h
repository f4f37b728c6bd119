// TCP conversations written down segment by segment, sent through a shard, and what came out of it
// for each connection and direction.
//
//   TcpScript script;
//   TcpPeer client("10.0.0.1", 1000, "10.0.0.2", 80), server = client.Reverse();
//   script.Send(client, {.seq = 100, .flags = tcp_flag::kSyn});
//   script.Send(client, {.seq = 101}, "hello");
//   StreamsSeen seen = script.Run(options);
//   seen.connections[0].direction[0].bytes == "hello"
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/shard.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

// One end of a connection, as a sender.
struct TcpPeer {
  std::string address;
  uint16_t port = 0;
  std::string other_address;
  uint16_t other_port = 0;

  TcpPeer Reverse() const { return {other_address, other_port, address, port}; }
};

struct HoleSeen {
  uint64_t offset = 0;
  uint64_t size = 0;
  HoleReason reason = HoleReason::kEnd;
  bool operator==(const HoleSeen&) const = default;
};

struct StreamSeen {
  std::string bytes;  // what was delivered, holes left out
  std::vector<HoleSeen> holes;
  std::vector<StreamEnd> ends;
  uint64_t end_offset = 0;
  uint32_t conflicts = 0;
  bool contiguous = true;  // offsets of data and holes follow one another from 0
  uint64_t next = 0;
};

struct ConnectionSeen {
  FlowHandle flow;
  std::array<StreamSeen, 2> direction = {};  // 0 from the initiator
  FlowRecord record = {};                    // final
  bool ended = false;
};

struct StreamsSeen {
  std::vector<ConnectionSeen> connections;  // by their first event
  StreamCounters counters;
  bool balanced = true;  // stream ledger and frame ledger, after every batch
};

// Takes a shard's events: one call per Poll.
class StreamCollector {
 public:
  void Take(std::span<const Event> events);
  std::vector<ConnectionSeen>& connections() { return connections_; }

 private:
  ConnectionSeen& Of(FlowHandle flow);
  std::vector<ConnectionSeen> connections_;
};

// Options of a shard that tells streams and records.
ShardOptions StreamShardOptions(const StreamOptions& streams = {});

class TcpScript {
 public:
  // `step_ns` lies between two segments.
  explicit TcpScript(int64_t step_ns = 1'000'000) : step_ns_(step_ns) {}

  void Send(const TcpPeer& from, const TcpFields& fields, std::string_view payload = {});
  void Wait(int64_t duration_ns) { now_ns_ += duration_ns; }

  // SYN, SYN+ACK, ACK; the first bytes are then `client_seq` + 1 and `server_seq` + 1.
  void Handshake(const TcpPeer& client, uint32_t client_seq, uint32_t server_seq);

  StreamsSeen Run(const ShardOptions& options = StreamShardOptions()) const;

 private:
  int64_t step_ns_;
  int64_t now_ns_ = 1'700'000'000'000'000'000;
  std::vector<Bytes> bytes_;
  std::vector<int64_t> times_;
};

// Letters that tell their place: `size` bytes, the first one is that of `offset`.
std::string Lettered(size_t size, uint64_t offset = 0);

}  // namespace weir::test
