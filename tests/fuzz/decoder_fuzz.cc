// Any bytes as a frame of any link type: the decoder and the defragmenter stay within them.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "engine/packet/decoder.h"
#include "engine/packet/defragmenter.h"

namespace {

constexpr uint16_t kLinkTypes[] = {0,   1,   9,   10,  12,  14,  50,  51,  101, 104,
                                   105, 107, 108, 113, 127, 192, 228, 229, 276};

void Touch(const weir::Packet& packet) {
  if (packet.verdict != weir::Verdict::kTracked) return;
  unsigned sum = 0;
  for (uint32_t i = 0; i < packet.payload_length; ++i) sum += packet.payload[i];
  const int size = packet.family == weir::AddressFamily::kIpv6 ? 16 : 4;
  for (int i = 0; i < size; ++i) sum += packet.source[i] + packet.destination[i];
  volatile unsigned sink = sum;
  (void)sink;
}

}  // namespace

// The first byte chooses the link type, the next two the stripped tag, the last of them the overlap
// policy too; then pieces, each with its length.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const weir::Decoder decoder;
  weir::Defragmenter defragmenter(
      {.max_datagrams = 4,
       .max_bytes = 8192,
       .timeout_ns = 5,
       .overlap = static_cast<weir::OverlapPolicy>(data[2] % weir::kOverlapPolicies)},
      decoder);
  const uint16_t link_type = kLinkTypes[data[0] % std::size(kLinkTypes)];
  const uint16_t tag = static_cast<uint16_t>(data[1] << 8 | data[2]);
  data += 3;
  size -= 3;
  int64_t now_ns = 0;
  while (size >= 2) {
    const size_t length = std::min<size_t>(size - 2, static_cast<size_t>(data[0] << 8 | data[1]));
    const std::vector<uint8_t> bytes(data + 2, data + 2 + length);
    data += 2 + length;
    size -= 2 + length;
    weir::Frame frame;
    frame.data = bytes.data();
    frame.timestamp_ns = ++now_ns;
    frame.captured_length = frame.wire_length = static_cast<uint32_t>(length);
    frame.link_type = link_type;
    if (tag < 0x2000) frame.vlan_tpid = 0x8100, frame.vlan_tci = tag;
    weir::Packet packet;
    weir::TunnelPath path;
    decoder.Decode(frame, packet, path);
    defragmenter.Apply({&frame, 1}, {&packet, 1}, {&path, 1}, now_ns);
    Touch(packet);
    defragmenter.Release();
  }
  return 0;
}
