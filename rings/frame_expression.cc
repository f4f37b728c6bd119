#include "rings/frame_expression.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/pcap_handle.h"
#include "rings/vlan_tag.h"

namespace weir {
namespace {

constexpr int kSnapLength = 262144;

// Loads from SKF_AD_OFF on are no bytes of the frame: <linux/filter.h>.
bool AsksTheKernel(const bpf_program& program) {
  return std::any_of(program.bf_insns, program.bf_insns + program.bf_len, [](const bpf_insn& one) {
    return BPF_CLASS(one.code) == BPF_LD && BPF_MODE(one.code) == BPF_ABS && one.k > INT32_MAX;
  });
}

}  // namespace

FrameExpression::FrameExpression(const std::string& expression) : expression_(expression) {}

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
    } else if (AsksTheKernel(program.code)) {
      status = absl::InvalidArgumentError(
          absl::StrCat("filter \"", expression_,
                       "\": whether a frame came in or went out is known to packet sockets only"));
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
  const Frame seen = WithTagInBytes(frame, tagged_);
  return bpf_filter(program.code.bf_insns, seen.data, seen.wire_length, seen.captured_length) != 0;
}

}  // namespace weir
