#include "rings/classic_program.h"

#include <cassert>

namespace weir {

ClassicProgram::Label ClassicProgram::NewLabel() {
  labels_.push_back(kNowhere);
  return labels_.size() - 1;
}

void ClassicProgram::Bind(Label label) { labels_[label] = instructions_.size(); }

// Conditional jumps reach 255 instructions, BPF_JA reaches all.
void ClassicProgram::JumpIf(uint16_t test, uint32_t k, Label label) {
  instructions_.push_back({static_cast<uint16_t>(BPF_JMP | BPF_K | test), 0, 1, k});
  Jump(label);
}

void ClassicProgram::JumpUnless(uint16_t test, uint32_t k, Label label) {
  instructions_.push_back({static_cast<uint16_t>(BPF_JMP | BPF_K | test), 1, 0, k});
  Jump(label);
}

void ClassicProgram::Jump(Label label) {
  fixes_.push_back({instructions_.size(), label});
  Add(BPF_JMP | BPF_JA);
}

std::vector<sock_filter> ClassicProgram::Finish() {
  for (const Fix& fix : fixes_) {
    assert(labels_[fix.label] != kNowhere && labels_[fix.label] > fix.at);
    instructions_[fix.at].k = static_cast<uint32_t>(labels_[fix.label] - fix.at - 1);
  }
  return instructions_;
}

}  // namespace weir
