#include "rings/wire_program.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "rings/classic_program.h"

namespace weir {
namespace {

// The tag's bytes on the wire: IEEE 802.1Q section 9.
constexpr uint32_t kTagAt = 12, kTagBytes = 4, kTagEnd = kTagAt + kTagBytes;
constexpr uint32_t kEtherHeader = 14;

constexpr uint32_t Ancillary(int what) { return static_cast<uint32_t>(SKF_AD_OFF + what); }
bool IsAncillary(uint32_t place) { return place > INT32_MAX; }

uint32_t BytesOf(const sock_filter& load) {
  return BPF_SIZE(load.code) == BPF_W ? 4 : BPF_SIZE(load.code) == BPF_H ? 2 : 1;
}

// One program behind the other: for frames as they are, for frames without their tag.
class WireProgram {
 public:
  explicit WireProgram(const std::vector<sock_filter>& program) : program_(program) {}

  absl::StatusOr<std::vector<sock_filter>> Make() {
    if (!FindRoom()) return absl::UnimplementedError("the expression uses all of its memory");
    const ClassicProgram::Label taken = out_.NewLabel();
    Add(BPF_LD | BPF_B | BPF_ABS, Ancillary(SKF_AD_VLAN_TAG_PRESENT));
    out_.JumpUnless(BPF_JEQ, 0, taken);
    Add(BPF_LD | BPF_IMM, 0);
    for (const sock_filter& one : program_) out_.AddAsItIs(one);
    out_.Bind(taken);
    Add(BPF_LD | BPF_IMM, 0);
    for (size_t i = 0; i < program_.size(); ++i) labels_.push_back(out_.NewLabel());
    for (size_t i = 0; i < program_.size(); ++i) {
      out_.Bind(labels_[i]);
      if (absl::Status status = Rewrite(i); !status.ok()) return status;
    }
    return out_.Finish();
  }

 private:
  // Two words of memory that the program leaves alone.
  bool FindRoom() {
    std::array<bool, BPF_MEMWORDS> used{};
    for (const sock_filter& one : program_) {
      const int kind = BPF_CLASS(one.code);
      const bool load = kind == BPF_LD || kind == BPF_LDX;
      const bool memory =
          kind == BPF_ST || kind == BPF_STX || (load && BPF_MODE(one.code) == BPF_MEM);
      if (memory && one.k < used.size()) used[one.k] = true;
    }
    const auto a = std::find(used.begin(), used.end(), false);
    if (a == used.end()) return false;
    const auto x = std::find(a + 1, used.end(), false);
    kept_a_ = static_cast<uint32_t>(a - used.begin());
    kept_x_ = static_cast<uint32_t>(x - used.begin());
    return x != used.end();
  }

  void Add(int code, uint32_t k = 0) { out_.Add(static_cast<uint16_t>(code), k); }

  absl::Status Rewrite(size_t at) {
    const sock_filter& one = program_[at];
    switch (BPF_CLASS(one.code)) {
      case BPF_LD:
        return Load(one);
      case BPF_LDX:
        LoadX(one);
        return absl::OkStatus();
      case BPF_JMP:
        Branch(one, at + 1);
        return absl::OkStatus();
      default:
        out_.AddAsItIs(one);
        return absl::OkStatus();
    }
  }

  void Branch(const sock_filter& one, size_t next) {
    if (BPF_OP(one.code) == BPF_JA) {
      out_.Jump(labels_[next + one.k]);
      return;
    }
    const int test = BPF_OP(one.code) | BPF_SRC(one.code);
    out_.JumpIf(static_cast<uint16_t>(test), one.k, labels_[next + one.jt]);
    if (one.jf != 0) out_.Jump(labels_[next + one.jf]);
  }

  absl::Status Load(const sock_filter& one) {
    switch (BPF_MODE(one.code)) {
      case BPF_ABS:
        LoadAt(one);
        return absl::OkStatus();
      case BPF_IND:
        // libpcap looks there only when the EtherType at 12 is IP's, and a tag's is not.
        if (one.k < kEtherHeader) {
          return absl::UnimplementedError("the expression looks at a place that it computes");
        }
        Add(one.code, one.k - kTagBytes);
        return absl::OkStatus();
      case BPF_LEN:
        Add(one.code);
        Add(BPF_ALU | BPF_ADD, kTagBytes);
        return absl::OkStatus();
      default:
        out_.AddAsItIs(one);
        return absl::OkStatus();
    }
  }

  void LoadAt(const sock_filter& one) {
    const uint32_t bytes = BytesOf(one);
    if (IsAncillary(one.k) || one.k + bytes <= kTagAt) {
      out_.AddAsItIs(one);
    } else if (one.k >= kTagEnd) {
      Add(one.code, one.k - kTagBytes);
    } else if (bytes == 2 && (one.k == kTagAt || one.k == kTagAt + 2)) {
      LoadHalfOfTag(one.k);
    } else {
      Compose(one.k, bytes);
    }
  }

  void LoadHalfOfTag(uint32_t place) {
    Add(BPF_LD | BPF_B | BPF_ABS,
        Ancillary(place < kTagAt + 2 ? SKF_AD_VLAN_TPID : SKF_AD_VLAN_TAG));
  }

  void LoadByte(uint32_t place) {
    if (place < kTagAt || place >= kTagEnd) {
      Add(BPF_LD | BPF_B | BPF_ABS, place < kTagAt ? place : place - kTagBytes);
      return;
    }
    LoadHalfOfTag(place);
    if (place % 2 == 0) {
      Add(BPF_ALU | BPF_RSH | BPF_K, 8);
    } else {
      Add(BPF_ALU | BPF_AND | BPF_K, 0xff);
    }
  }

  // Byte by byte.
  void Compose(uint32_t place, uint32_t bytes) {
    Add(BPF_STX, kept_x_);
    LoadByte(place);
    for (uint32_t i = 1; i < bytes; ++i) {
      Add(BPF_ALU | BPF_LSH | BPF_K, 8);
      Add(BPF_MISC | BPF_TAX);
      LoadByte(place + i);
      Add(BPF_ALU | BPF_OR | BPF_X);
    }
    Add(BPF_LDX | BPF_MEM, kept_x_);
  }

  void LoadX(const sock_filter& one) {
    const bool length = BPF_MODE(one.code) == BPF_LEN;
    const bool header = BPF_MODE(one.code) == BPF_MSH;  // four times the low half of a byte
    if (!length && !header) {
      out_.AddAsItIs(one);
      return;
    }
    Add(BPF_ST, kept_a_);
    if (length) {
      Add(BPF_LD | BPF_LEN);
      Add(BPF_ALU | BPF_ADD, kTagBytes);
    } else {
      LoadByte(one.k);
      Add(BPF_ALU | BPF_AND | BPF_K, 15);
      Add(BPF_ALU | BPF_LSH | BPF_K, 2);
    }
    Add(BPF_MISC | BPF_TAX);
    Add(BPF_LD | BPF_MEM, kept_a_);
  }

  const std::vector<sock_filter>& program_;
  ClassicProgram out_;
  std::vector<ClassicProgram::Label> labels_;  // of each instruction, for frames without their tag
  uint32_t kept_a_ = 0, kept_x_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<sock_filter>> AsOnTheWire(const std::vector<sock_filter>& program) {
  return WireProgram(program).Make();
}

}  // namespace weir
