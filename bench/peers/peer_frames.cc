// peer_frames SHAPE PACKETS: the frames that the others read, to standard output, as pcap with
// nanoseconds, for a peer that is a program of its own. The last line of standard error: payload
// bytes.
#include <pcap/pcap.h>

#include <algorithm>

#include "bench/peers/peer_run.h"

int main(int, char** arguments) {
  using namespace weir;
  using namespace weir::bench;
  const PeerRun run = RunOf(arguments);
  StreamTraffic traffic(run.shape);
  pcap_t* format =
      pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65'535, PCAP_TSTAMP_PRECISION_NANO);
  pcap_dumper_t* output = pcap_dump_fopen(format, stdout);
  uint64_t payload = 0;
  for (uint64_t left = run.packets; left != 0;) {
    const auto frames = traffic.Make(std::min<uint64_t>(left, StreamTraffic::kMostFrames));
    for (const Frame& frame : frames) {
      pcap_pkthdr header{};
      header.caplen = header.len = frame.captured_length;
      header.ts.tv_sec = frame.timestamp_ns / 1'000'000'000;
      header.ts.tv_usec = frame.timestamp_ns % 1'000'000'000;
      pcap_dump(reinterpret_cast<u_char*>(output), &header, frame.data);
      payload += frame.captured_length - kHeaderBytes;
    }
    left -= frames.size();
  }
  pcap_dump_close(output);
  pcap_close(format);
  std::fprintf(stderr, "%" PRIu64 "\n", payload);
}
