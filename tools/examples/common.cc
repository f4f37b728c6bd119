#include "tools/examples/common.h"

#include <arpa/inet.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "rings/capture_file_source.h"
#include "rings/memory_source.h"
#include "tools/sample/sample_traffic.h"

namespace weir::examples {
namespace {

constexpr int kConversations = 10;

template <typename Value>
Value OrExit(absl::StatusOr<Value> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
  std::exit(1);
}

std::string Endpoint(const FlowKey& key, const uint8_t* address, uint16_t port) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (key.family == AddressFamily::kIpv4) inet_ntop(AF_INET, address, text, sizeof(text));
  if (key.family == AddressFamily::kIpv6) inet_ntop(AF_INET6, address, text, sizeof(text));
  return std::string(text) + ":" + std::to_string(port);
}

}  // namespace

std::vector<std::unique_ptr<FrameSource>> Sources(int argc, char** argv) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  if (argc > 1) {
    sources.push_back(OrExit(OpenCaptureFile(argv[1])));
  } else {
    const sample::Traffic traffic(kConversations);
    sources.push_back(OrExit(MemorySource::FromFrames(traffic.frames())));
  }
  return sources;
}

std::vector<std::vector<std::unique_ptr<FrameSource>>> SourcesOfShards(int argc, char** argv) {
  std::vector<std::vector<std::unique_ptr<FrameSource>>> shards;
  for (int i = 1; i < argc; ++i) shards.emplace_back().push_back(OrExit(OpenCaptureFile(argv[i])));
  if (argc > 1) return shards;
  // As a fanout group does it: by the address pair, so that flows stay whole.
  constexpr size_t kSource = 14 + 15, kDestination = 14 + 19;  // last bytes of the IPv4 addresses
  const sample::Traffic traffic(kConversations);
  std::vector<Frame> parts[2];
  for (const Frame& frame : traffic.frames()) {
    parts[(frame.data[kSource] ^ frame.data[kDestination]) & 1].push_back(frame);
  }
  for (const auto& part : parts) {
    shards.emplace_back().push_back(OrExit(MemorySource::FromFrames(part)));
  }
  return shards;
}

std::unique_ptr<Shard> MakeShard(int argc, char** argv, const ShardOptions& options) {
  return OrExit(Shard::Create(options, Sources(argc, argv)));
}

std::string Ends(const FlowKey& key) {
  return Endpoint(key, key.source.data(), key.source_port) + " > " +
         Endpoint(key, key.destination.data(), key.destination_port);
}

void Print(const FlowRecord& record) {
  std::printf("%s protocol %d %s: %llu packets %llu bytes, %llu packets %llu bytes\n",
              Ends(record.key).c_str(), record.key.protocol,
              std::string(Name(record.state)).c_str(),
              static_cast<unsigned long long>(record.packets[0]),
              static_cast<unsigned long long>(record.bytes[0]),
              static_cast<unsigned long long>(record.packets[1]),
              static_cast<unsigned long long>(record.bytes[1]));
}

void Totals::Add(const FlowRecord& record) {
  ++flows;
  packets += record.packets[0] + record.packets[1];
  bytes += record.bytes[0] + record.bytes[1];
}

void Totals::Add(const Totals& other) {
  flows += other.flows;
  packets += other.packets;
  bytes += other.bytes;
}

int Verdict(const Totals& totals, const Ledger& ledger, bool made_up) {
  bool right =
      ledger.Balanced() && totals.packets == ledger.tracked && totals.bytes == ledger.tracked_bytes;
  if (made_up) {
    right = right && totals.flows == kConversations * sample::Traffic::kFlowsPerConversation &&
            totals.packets == kConversations * sample::Traffic::kPacketsPerConversation;
  }
  std::printf("%llu flows, %llu packets of %llu frames: %s\n",
              static_cast<unsigned long long>(totals.flows),
              static_cast<unsigned long long>(totals.packets),
              static_cast<unsigned long long>(ledger.received), right ? "adds up" : "WRONG");
  return right ? 0 : 1;
}

}  // namespace weir::examples
