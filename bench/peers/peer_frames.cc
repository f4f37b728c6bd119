// peer_frames flows|streams SHAPE PACKETS: the frames that the others read, to standard output, as
// pcap with nanoseconds, for a peer that is a program of its own.
#include <pcap/pcap.h>

#include <algorithm>

#include "bench/peers/peer_run.h"

namespace weir::bench {
namespace {

void Dump(std::span<const Frame> frames, pcap_dumper_t* output) {
  for (const Frame& frame : frames) {
    pcap_pkthdr header{};
    header.caplen = header.len = frame.captured_length;
    header.ts.tv_sec = frame.timestamp_ns / 1'000'000'000;
    header.ts.tv_usec = frame.timestamp_ns % 1'000'000'000;
    pcap_dump(reinterpret_cast<u_char*>(output), &header, frame.data);
  }
}

void Dump(const PeerRun& run, pcap_dumper_t* output) {
  uint64_t left = run.packets;
  if (run.flows) {
    const FlowTraffic traffic(static_cast<FlowShape>(run.shape));
    while (left != 0) {
      const auto lap = traffic.frames().first(std::min<uint64_t>(left, traffic.frames().size()));
      Dump(lap, output);
      left -= lap.size();
    }
    return;
  }
  StreamTraffic traffic(static_cast<StreamShape>(run.shape));
  while (left != 0) {
    const auto frames = traffic.Make(std::min<uint64_t>(left, StreamTraffic::kMostFrames));
    Dump(frames, output);
    left -= frames.size();
  }
}

}  // namespace
}  // namespace weir::bench

int main(int, char** arguments) {
  pcap_t* const format =
      pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65'535, PCAP_TSTAMP_PRECISION_NANO);
  pcap_dumper_t* const output = pcap_dump_fopen(format, stdout);
  weir::bench::Dump(weir::bench::RunOf(arguments), output);
  pcap_dump_close(output);
  pcap_close(format);
}
