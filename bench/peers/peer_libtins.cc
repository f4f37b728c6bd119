// peer_libtins SHAPE PACKETS: StreamFollower with its defaults; parsing is part of its work.
#include <tins/ethernetII.h>
#include <tins/tcp_ip/stream_follower.h>

#include <array>

#include "bench/peers/peer_run.h"

int main(int, char** arguments) {
  using namespace weir;
  using namespace weir::bench;
  const PeerRun run = RunOf(arguments);
  StreamTraffic traffic(run.shape);
  const auto source = *MemorySource::Create({});
  uint64_t delivered = 0;
  Tins::TCPIP::StreamFollower follower;
  follower.new_stream_callback([&](Tins::TCPIP::Stream& stream) {
    stream.client_data_callback(
        [&](Tins::TCPIP::Stream& s) { delivered += s.client_payload().size(); });
    stream.server_data_callback(
        [&](Tins::TCPIP::Stream& s) { delivered += s.server_payload().size(); });
  });
  RunPeer("libtins", run, traffic, *source, delivered, [&] {
    std::array<Frame, kBatchFrames> frames;
    source->Release();
    const int count = source->Receive(frames);
    for (const Frame& frame : std::span(frames).first(static_cast<size_t>(count))) {
      Tins::EthernetII packet(frame.data, frame.captured_length);
      follower.process_packet(packet);
    }
    return count;
  });
}
