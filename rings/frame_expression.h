// A filter in tcpdump's language (pcap-filter(7)) for frames in memory: what the kernel does for a
// live interface, done here for capture files.
//
// libpcap compiles it once for each link type that comes. Where an expression makes no sense for a
// link type (Ethernet addresses in raw IP) none of its frames match. An expression that speaks of
// vlan sees a tag that the kernel took out of the bytes where it was; others see the bytes as they
// are, as in the kernel. Thread: one.
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
  // `link_type`, the one of the source's first interface.
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
  bool speaks_of_vlan_;
  std::vector<Program> programs_;  // few; the last one used first
  std::vector<uint8_t> tagged_;
};

}  // namespace weir
