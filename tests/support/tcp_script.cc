#include "tests/support/tcp_script.h"

#include <algorithm>

#include "engine/flow/flow_tracker.h"
#include "engine/packet/packet.h"
#include "rings/memory_source.h"

namespace weir::test {

ConnectionSeen& StreamCollector::Of(FlowHandle flow) {
  for (auto it = connections_.rbegin(); it != connections_.rend(); ++it) {
    if (it->flow == flow && !it->ended) return *it;
  }
  return connections_.emplace_back(ConnectionSeen{.flow = flow});
}

void StreamCollector::Take(std::span<const Event> events) {
  for (const Event& event : events) {
    if (event.kind == EventKind::kTick) continue;
    ConnectionSeen& connection = Of(event.flow);
    StreamSeen& stream = connection.direction[event.direction];
    switch (event.kind) {
      case EventKind::kStreamData:
        stream.contiguous &= stream.ends.empty() && event.offset == stream.next;
        stream.bytes.append(reinterpret_cast<const char*>(event.data), event.size);
        stream.next = event.offset + event.size;
        break;
      case EventKind::kStreamHole:
        stream.contiguous &= stream.ends.empty() && event.offset == stream.next && event.size != 0;
        stream.holes.push_back({event.offset, event.size, event.reason});
        stream.next = event.offset + event.size;
        break;
      case EventKind::kStreamConflict:
        ++stream.conflicts;
        break;
      case EventKind::kStreamEnd:
        stream.contiguous &= event.offset == stream.next;
        stream.ends.push_back(event.end);
        stream.end_offset = event.offset;
        break;
      case EventKind::kFlowEnded:
        connection.record = *event.record;
        connection.ended = true;
        break;
      default:
        break;
    }
  }
}

ShardOptions StreamShardOptions(const StreamOptions& streams) {
  ShardOptions options;
  options.flow.streams = streams;
  options.flow.max_flows = 1000;
  options.events = event_mask::kStreams | event_mask::Of(EventKind::kFlowEnded);
  return options;
}

void TcpScript::Send(const TcpPeer& from, const TcpFields& fields, std::string_view payload) {
  PacketBuilder builder;
  builder.Ethernet().Ipv4(from.address, from.other_address).Tcp(from.port, from.other_port, fields);
  bytes_.push_back(builder.Payload(payload).Build());
  times_.push_back(now_ns_);
  now_ns_ += step_ns_;
}

void TcpScript::Handshake(const TcpPeer& client, uint32_t client_seq, uint32_t server_seq) {
  Send(client, {.seq = client_seq, .flags = tcp_flag::kSyn});
  Send(client.Reverse(),
       {.seq = server_seq, .ack = client_seq + 1, .flags = tcp_flag::kSyn | tcp_flag::kAck});
  Send(client, {.seq = client_seq + 1, .ack = server_seq + 1});
}

StreamsSeen TcpScript::Run(const ShardOptions& options) const {
  std::vector<Frame> frames;
  for (size_t i = 0; i < bytes_.size(); ++i) {
    frames.push_back(AsFrame(bytes_[i], link_type::kEthernet, times_[i]));
  }
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::FromFrames(frames));
  auto shard = *Shard::Create(options, std::move(sources));
  StreamCollector collector;
  StreamsSeen seen;
  while (!shard->done()) {
    collector.Take(shard->Poll());
    seen.balanced &= shard->flows().stream_counters().Balanced() && shard->ledger().Balanced();
  }
  seen.connections = std::move(collector.connections());
  seen.counters = shard->flows().stream_counters();
  return seen;
}

std::string Lettered(size_t size, uint64_t offset) {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) {
    const uint64_t place = offset + i;
    text[i] = static_cast<char>('!' + (place + place / 90 + place / 8100) % 90);
  }
  return text;
}

}  // namespace weir::test
