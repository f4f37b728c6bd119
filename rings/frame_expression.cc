#include "rings/frame_expression.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/pcap_handle.h"
#include "rings/vlan_tag.h"

namespace weir {
namespace {

constexpr int kSnapLength = 262144;

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

bool FrameExpression::Matches(const Frame& frame) {
  const Program& program = programs_.front().link_type == frame.link_type
                               ? programs_.front()
                               : ProgramFor(frame.link_type);
  if (!program.valid) return false;
  const Frame seen = speaks_of_vlan_ ? WithTagInBytes(frame, tagged_) : frame;
  return bpf_filter(program.code.bf_insns, seen.data, seen.wire_length, seen.captured_length) != 0;
}

}  // namespace weir
