// peer_libtins flows|streams SHAPE PACKETS: parsing by EthernetII, as its documentation has it;
// flows are counted in a hash map by endpoints, streams are StreamFollower's with its defaults.
#include <tins/ethernetII.h>
#include <tins/ip.h>
#include <tins/tcp.h>
#include <tins/tcp_ip/stream_follower.h>

#include <array>
#include <unordered_map>

#include "bench/peers/peer_run.h"

namespace weir::bench {
namespace {

// Calls `use` with each frame of a batch; returns how many there were.
template <typename Use>
int ForBatch(MemorySource& source, Use use) {
  std::array<Frame, kBatchFrames> frames;
  source.Release();
  const int count = source.Receive(frames);
  for (const Frame& frame : std::span(frames).first(static_cast<size_t>(count))) use(frame);
  return count;
}

void Streams(const PeerRun& run) {
  StreamTraffic traffic(static_cast<StreamShape>(run.shape));
  const auto source = *MemorySource::Create({});
  uint64_t delivered = 0;
  Tins::TCPIP::StreamFollower follower;
  follower.new_stream_callback([&](Tins::TCPIP::Stream& stream) {
    stream.client_data_callback(
        [&](Tins::TCPIP::Stream& s) { delivered += s.client_payload().size(); });
    stream.server_data_callback(
        [&](Tins::TCPIP::Stream& s) { delivered += s.server_payload().size(); });
  });
  RunStreams("libtins", run, traffic, *source, delivered, [&] {
    return ForBatch(*source, [&](const Frame& frame) {
      Tins::EthernetII packet(frame.data, frame.captured_length);
      follower.process_packet(packet);
    });
  });
}

// The lower endpoint first, so that both directions are one flow.
struct Key {
  uint64_t low, high;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    uint64_t hash = (key.low * 0x9e37'79b9'7f4a'7c15) ^ key.high;
    hash = (hash ^ hash >> 32) * 0xd6e8'feb8'6659'fd93;
    return hash ^ hash >> 32;
  }
};

struct Counts {
  uint32_t initiator = 0;
  uint64_t packets = 0, bytes = 0;
};

uint32_t HostOrder(const Tins::IPv4Address& address) {
  return __builtin_bswap32(static_cast<uint32_t>(address));
}

void Flows(const PeerRun& run) {
  FlowTraffic traffic(static_cast<FlowShape>(run.shape));
  const auto source = *MemorySource::Create({});
  std::unordered_map<Key, Counts, KeyHash> flows;
  flows.reserve(traffic.flows());
  RunFlows(
      "libtins", run, traffic, *source,
      [&] {
        return ForBatch(*source, [&](const Frame& frame) {
          const Tins::EthernetII packet(frame.data, frame.captured_length);
          const auto* const ip = packet.find_pdu<Tins::IP>();
          const auto* const tcp = packet.find_pdu<Tins::TCP>();
          if (ip == nullptr || tcp == nullptr) return;
          const uint32_t client = HostOrder(ip->src_addr());
          const uint64_t from = uint64_t{client} << 16 | tcp->sport();
          const uint64_t to = uint64_t{HostOrder(ip->dst_addr())} << 16 | tcp->dport();
          Counts& counts = flows[from < to ? Key{from, to} : Key{to, from}];
          if (counts.packets++ == 0) counts.initiator = client;
          counts.bytes += frame.wire_length;
        });
      },
      [&](FlowAnswers& answers) {
        for (const auto& [key, counts] : flows)
          answers.push_back({counts.initiator, counts.packets, counts.bytes});
      });
}

}  // namespace
}  // namespace weir::bench

int main(int, char** arguments) {
  const auto run = weir::bench::RunOf(arguments);
  run.flows ? weir::bench::Flows(run) : weir::bench::Streams(run);
}
