// A filter in tcpdump's language (pcap-filter(7)) for frames in memory: what the kernel does for
// packet sockets, done here for capture files and for frames that the kernel does not filter.
//
// libpcap compiles it once for each link type that comes. Where an expression makes no sense for a
// link type (Ethernet addresses in raw IP) none of its frames match. Frames are judged as they
// stood on the wire: a VLAN tag that the kernel took out of the bytes is seen where it was. Thread:
// one.
#pragma once

#include <pcap/pcap.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/frame.h"

namespace weir {

class FrameExpression {
 public:
  // InvalidArgument with libpcap's words and the expression when it does not compile for
  // `link_type`, the one of the source's first interface, or asks for what only the kernel knows of
  // a frame (inbound, outbound).
  static absl::StatusOr<std::unique_ptr<FrameExpression>> Compile(
      const std::string& expression, uint16_t link_type = link_type::kEthernet);
  ~FrameExpression();
  FrameExpression(const FrameExpression&) = delete;
  FrameExpression& operator=(const FrameExpression&) = delete;

  bool Matches(const Frame& frame);

 private:
  struct Program {
    uint16_t link_type;
    bool valid;
    bpf_program code;
  };

  explicit FrameExpression(const std::string& expression);
  absl::Status Add(uint16_t link_type);
  const Program& ProgramFor(uint16_t link_type);

  std::string expression_;
  std::vector<Program> programs_;  // few; the last one used first
  std::vector<uint8_t> tagged_;
};

}  // namespace weir
