#include "tools/load/send/sender.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "rings/network_interface.h"
#include "tools/load/send/link_query.h"
#include "tools/load/send/live_sender.h"
#include "tools/load/send/packet_sender.h"
#include "tools/load/send/xdp_sender.h"

namespace weir::load {
namespace {

constexpr uint32_t kMostBatch = 256;  // TEST_XDP_MAX_BATCH of net/bpf/test_run.c
constexpr uint32_t kHeaderAndTag = 14 + 4;

absl::Status Check(const SendOptions& options) {
  if (options.batch < 1 || options.batch > kMostBatch) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a batch is 1 to %u frames, not %u", kMostBatch, options.batch));
  }
  if (options.packets_per_second < 0 || options.bits_per_second < 0 ||
      (options.packets_per_second > 0 && options.bits_per_second > 0)) {
    return absl::InvalidArgumentError("a rate is in packets or in bits per second, not in both");
  }
  const uint32_t mtu = MtuOf(options.interface);
  if (options.most_frame_bytes > mtu + kHeaderAndTag) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s sends frames of at most %u bytes, not %u: ip link set %s mtu %u",
                        options.interface, mtu + kHeaderAndTag, options.most_frame_bytes,
                        options.interface, options.most_frame_bytes - kHeaderAndTag));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FrameSender>> OpenOne(SendOptions options, SendMethod method,
                                                     int interface_index) {
  const bool certain = options.method == SendMethod::kAuto;
  options.method = method;
  auto link = LinkQuery::Open(interface_index);
  if (!link.ok()) return link.status();
  switch (method) {
    case SendMethod::kLiveFrames:
      return LiveSender::Open(options, *std::move(link), interface_index, certain);
    case SendMethod::kXdp:
      return XdpSender::Open(options, *std::move(link));
    case SendMethod::kPacket:
      return PacketSender::Open(options, *std::move(link), interface_index);
    default:
      return absl::UnimplementedError("no such method");
  }
}

}  // namespace

const char* NameOf(SendMethod method) {
  switch (method) {
    case SendMethod::kLiveFrames:
      return "XDP live frames";
    case SendMethod::kXdp:
      return "AF_XDP";
    case SendMethod::kPacket:
      return "AF_PACKET";
    default:
      return "auto";
  }
}

absl::StatusOr<std::unique_ptr<FrameSender>> OpenSender(const SendOptions& options,
                                                        std::vector<std::string>* notes) {
  const auto interface = FindInterface(options.interface);
  if (!interface.ok()) return interface.status();
  if (!interface->up) {
    return absl::FailedPreconditionError(
        absl::StrFormat("%s is down: ip link set %s up", options.interface, options.interface));
  }
  if (auto status = Check(options); !status.ok()) return status;
  if (options.method != SendMethod::kAuto) {
    return OpenOne(options, options.method, interface->index);
  }
  absl::Status last;
  for (const SendMethod method : {SendMethod::kLiveFrames, SendMethod::kXdp, SendMethod::kPacket}) {
    auto sender = OpenOne(options, method, interface->index);
    if (sender.ok()) return sender;
    last = sender.status();
    notes->push_back(absl::StrCat("not ", NameOf(method), ": ", std::string(last.message())));
  }
  return last;
}

}  // namespace weir::load
