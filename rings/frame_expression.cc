#include "rings/frame_expression.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/pcap_handle.h"

namespace weir {
namespace {

constexpr int kSnapLength = 262144;
constexpr uint32_t kAddressBytes = 12;
constexpr uint32_t kTagBytes = 4;

}  // namespace

FrameExpression::FrameExpression(const std::string& expression)
    : expression_(expression), speaks_of_vlan_(expression.find("vlan") != std::string::npos) {}

FrameExpression::~FrameExpression() {
  for (Program& program : programs_) {
    if (program.valid) pcap_freecode(&program.code);
  }
}

absl::StatusOr<std::unique_ptr<FrameExpression>> FrameExpression::Compile(
    const std::string& expression, uint16_t link_type) {
  std::unique_ptr<FrameExpression> compiled(new FrameExpression(expression));
  if (absl::Status status = compiled->Add(link_type); !status.ok()) return status;
  return compiled;
}

absl::Status FrameExpression::Add(uint16_t link_type) {
  Program program{link_type, false, {}};
  absl::StatusOr<PcapHandle> pcap = OpenDeadPcap(link_type, kSnapLength);
  absl::Status status = pcap.status();
  if (pcap.ok()) {
    program.valid =
        pcap_compile(pcap->get(), &program.code, expression_.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!program.valid) {
      status = absl::InvalidArgumentError(absl::StrCat(
          "filter \"", expression_, "\": ", pcap_geterr(pcap->get()), " (see pcap-filter(7))"));
    }
  }
  programs_.insert(programs_.begin(), program);
  return status;
}

const FrameExpression::Program& FrameExpression::ProgramFor(uint16_t link_type) {
  for (Program& program : programs_) {
    if (program.link_type != link_type) continue;
    std::swap(program, programs_.front());
    return programs_.front();
  }
  Add(link_type).IgnoreError();  // then none of its frames match
  return programs_.front();
}

const uint8_t* FrameExpression::PutTagBack(const Frame& frame) {
  tagged_.resize(frame.captured_length + kTagBytes);
  const uint8_t tag[] = {
      static_cast<uint8_t>(frame.vlan_tpid >> 8), static_cast<uint8_t>(frame.vlan_tpid),
      static_cast<uint8_t>(frame.vlan_tci >> 8), static_cast<uint8_t>(frame.vlan_tci)};
  std::memcpy(tagged_.data(), frame.data, kAddressBytes);
  std::memcpy(tagged_.data() + kAddressBytes, tag, kTagBytes);
  std::memcpy(tagged_.data() + kAddressBytes + kTagBytes, frame.data + kAddressBytes,
              frame.captured_length - kAddressBytes);
  return tagged_.data();
}

bool FrameExpression::Matches(const Frame& frame) {
  const Program& program = programs_.front().link_type == frame.link_type
                               ? programs_.front()
                               : ProgramFor(frame.link_type);
  if (!program.valid) return false;
  const bool put_back = speaks_of_vlan_ && frame.vlan_tpid != 0 &&
                        frame.link_type == link_type::kEthernet &&
                        frame.captured_length >= kAddressBytes;
  if (put_back) {
    return bpf_filter(program.code.bf_insns, PutTagBack(frame), frame.wire_length,
                      frame.captured_length + kTagBytes) != 0;
  }
  return bpf_filter(program.code.bf_insns, frame.data, frame.wire_length, frame.captured_length) !=
         0;
}

}  // namespace weir
