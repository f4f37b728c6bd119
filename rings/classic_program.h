// Writes classic BPF programs (Linux' Documentation/networking/filter.rst) with jumps to labels.
// Jumps lead forward only, as the kernel wants it. Cold path.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

class ClassicProgram {
 public:
  using Label = size_t;

  Label NewLabel();
  // What is written next stands at `label`.
  void Bind(Label label);

  void Add(uint16_t code, uint32_t k = 0) { instructions_.push_back({code, 0, 0, k}); }
  // With its own jumps, which lead as far as they say.
  void AddAsItIs(const sock_filter& instruction) { instructions_.push_back(instruction); }
  // Goes to `label` where the test of A, BPF_JEQ and others, holds; else on.
  void JumpIf(uint16_t test, uint32_t k, Label label);
  void JumpUnless(uint16_t test, uint32_t k, Label label);
  void Jump(Label label);

  size_t size() const { return instructions_.size(); }
  // All labels that were jumped to are bound.
  std::vector<sock_filter> Finish();

 private:
  static constexpr size_t kNowhere = SIZE_MAX;
  struct Fix {
    size_t at;
    Label label;
  };

  std::vector<sock_filter> instructions_;
  std::vector<size_t> labels_;  // where they stand
  std::vector<Fix> fixes_;
};

}  // namespace weir
