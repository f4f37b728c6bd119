// weir-sample: traffic for a first look.
//
//   weir-sample capture FILE    writes made-up conversations to a pcap file
//   weir-sample live SECONDS    talks to itself over the loopback interface
#include <cstdio>
#include <string_view>

#include "absl/strings/numbers.h"
#include "tools/pcap_writer.h"
#include "tools/sample/loopback_traffic.h"
#include "tools/sample/sample_traffic.h"

namespace {

constexpr int kConversations = 300;
constexpr int kMostSeconds = 3'600;

absl::Status WriteCapture(const char* path) {
  const weir::sample::Traffic traffic(kConversations);
  weir::PcapWriter writer({.path = path});
  absl::Status status = writer.Write(traffic.frames(), 0);
  status.Update(writer.Close(0));
  return status;
}

int Usage() {
  std::fputs("usage: weir-sample capture FILE | weir-sample live SECONDS\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return Usage();
  const std::string_view what = argv[1];
  int seconds = 0;
  absl::Status status;
  if (what == "capture") {
    status = WriteCapture(argv[2]);
  } else if (what == "live" && absl::SimpleAtoi(argv[2], &seconds) && seconds > 0 &&
             seconds <= kMostSeconds) {
    status = weir::sample::SendLoopbackTraffic(seconds);
  } else {
    return Usage();
  }
  if (!status.ok()) std::fprintf(stderr, "weir-sample: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
