#include "rings/expression_program.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

// Where the classic machine's parts lie in the eBPF one.
constexpr uint8_t kFrame = BPF_REG_6;
constexpr uint8_t kA = BPF_REG_7;
constexpr uint8_t kX = BPF_REG_8;
constexpr int16_t kLoaded = -8;        // on the stack: bytes of the frame
constexpr int16_t kKey = -16;          // which counter
constexpr int16_t kMemory = -80;       // M[0]...M[15]
constexpr size_t kMostClassic = 2500;  // so that eBPF's jumps reach

// A constant: BPF_K is 0, and so is BPF_ADD.
constexpr int kAdd64 = BPF_ALU64 | BPF_ADD;
constexpr int kAdd32 = BPF_ALU | BPF_ADD;

int16_t MemoryAt(uint32_t word) {
  return static_cast<int16_t>(kMemory + 4 * static_cast<int>(word));
}

class Translation {
 public:
  Translation(const std::vector<sock_filter>& classic, int counts_map, uint32_t count)
      : classic_(classic), counts_map_(counts_map), count_(count) {}

  absl::StatusOr<std::vector<bpf_insn>> Make() {
    if (classic_.size() > kMostClassic) {
      return absl::UnimplementedError(absl::StrCat("the expression makes ", classic_.size(),
                                                   " instructions, ", kMostClassic,
                                                   " are translated"));
    }
    Begin();
    for (const sock_filter& instruction : classic_) {
      starts_.push_back(code_.size());
      if (Translate(instruction)) continue;
      return absl::UnimplementedError(
          absl::StrCat("instruction ", instruction.code, " of the expression is not translated"));
    }
    const size_t refuse = code_.size();
    CountAndRefuse();
    for (const Jump& jump : jumps_) {
      const size_t to = jump.classic == kRefuse ? refuse : starts_[jump.classic];
      code_[jump.at].off = static_cast<int16_t>(to - jump.at - 1);
    }
    return code_;
  }

 private:
  static constexpr size_t kRefuse = SIZE_MAX;
  struct Jump {
    size_t at;
    size_t classic;  // instruction, or kRefuse
  };

  void Add(int code, uint8_t to, uint8_t from, int16_t offset, uint32_t value) {
    bpf_insn instruction{};
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = to & 15;
    instruction.src_reg = from & 15;
    instruction.off = offset;
    instruction.imm = static_cast<int32_t>(value);
    code_.push_back(instruction);
  }
  void Set(uint8_t to, uint32_t value) { Add(BPF_ALU | BPF_MOV | BPF_K, to, 0, 0, value); }
  void Move(uint8_t to, uint8_t from) { Add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void Call(int helper) { Add(BPF_JMP | BPF_CALL, 0, 0, 0, static_cast<uint32_t>(helper)); }
  void JumpTo(int code, uint8_t left, uint8_t right, uint32_t value, size_t classic) {
    jumps_.push_back({code_.size(), classic});
    Add(code, left, right, 0, value);
  }
  void StackAddress(uint8_t to, int16_t offset) {
    Move(to, BPF_REG_10);
    Add(kAdd64, to, 0, 0, static_cast<uint32_t>(int32_t{offset}));
  }

  // The jump is never taken: no frame is that long. The verifier wants to see a way to what
  // refuses.
  void Begin() {
    Move(kFrame, BPF_REG_1);
    Add(BPF_LDX | BPF_MEM | BPF_W, kA, kFrame, offsetof(__sk_buff, len), 0);
    JumpTo(BPF_JMP32 | BPF_JEQ | BPF_K, kA, 0, UINT32_MAX, kRefuse);
    Set(kA, 0);
    Set(kX, 0);
    for (int16_t at = kMemory; at < kMemory + 64; at = static_cast<int16_t>(at + 8)) {
      Add(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, at, 0);
    }
  }

  void CountAndRefuse() {
    Add(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, kKey, count_);
    Add(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
        static_cast<uint32_t>(counts_map_));
    Add(0, 0, 0, 0, 0);
    StackAddress(BPF_REG_2, kKey);
    Call(BPF_FUNC_map_lookup_elem);
    Add(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 3, 0);
    Add(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_0, 0, 0);
    Add(kAdd64, BPF_REG_1, 0, 0, 1);
    Add(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0);
    Set(BPF_REG_0, 0);
    Add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  bool Translate(const sock_filter& classic) {
    switch (BPF_CLASS(classic.code)) {
      case BPF_LD:
        return Load(classic, kA);
      case BPF_LDX:
        return Load(classic, kX);
      case BPF_ST:
      case BPF_STX:
        if (classic.k >= BPF_MEMWORDS) return false;
        Add(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_CLASS(classic.code) == BPF_ST ? kA : kX,
            MemoryAt(classic.k), 0);
        return true;
      case BPF_ALU:
        return Compute(classic);
      case BPF_JMP:
        return Branch(classic);
      case BPF_RET:
        return Return(classic);
      default:
        if (BPF_MISCOP(classic.code) == BPF_TAX) {
          Move(kX, kA);
        } else {
          Move(kA, kX);
        }
        return true;
    }
  }

  bool Load(const sock_filter& classic, uint8_t to) {
    switch (BPF_MODE(classic.code)) {
      case BPF_IMM:
        Set(to, classic.k);
        return true;
      case BPF_MEM:
        if (classic.k >= BPF_MEMWORDS) return false;
        Add(BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_10, MemoryAt(classic.k), 0);
        return true;
      case BPF_LEN:
        Add(BPF_LDX | BPF_MEM | BPF_W, to, kFrame, offsetof(__sk_buff, len), 0);
        return true;
      case BPF_ABS:
        if (classic.k > INT32_MAX) return LoadAncillary(classic.k, to);
        Set(BPF_REG_2, classic.k);
        LoadBytes(BPF_SIZE(classic.code), to);
        return true;
      case BPF_IND:
        Move(BPF_REG_2, kX);
        Add(kAdd32, BPF_REG_2, 0, 0, classic.k);
        LoadBytes(BPF_SIZE(classic.code), to);
        return true;
      default:  // BPF_MSH: the length of an IPv4 header
        Set(BPF_REG_2, classic.k);
        LoadBytes(BPF_B, kX);
        Add(BPF_ALU | BPF_AND | BPF_K, kX, 0, 0, 15);
        Add(BPF_ALU | BPF_LSH | BPF_K, kX, 0, 0, 2);
        return true;
    }
  }

  // From the offset in register 2.
  void LoadBytes(int size, uint8_t to) {
    const int bytes = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
    Move(BPF_REG_1, kFrame);
    StackAddress(BPF_REG_3, kLoaded);
    Set(BPF_REG_4, static_cast<uint32_t>(bytes));
    Call(BPF_FUNC_skb_load_bytes);
    JumpTo(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, kRefuse);
    Add(BPF_LDX | BPF_MEM | size, to, BPF_REG_10, kLoaded, 0);
    if (bytes > 1) Add(BPF_ALU | BPF_END | BPF_TO_BE, to, 0, 0, static_cast<uint32_t>(8 * bytes));
  }

  bool LoadAncillary(uint32_t place, uint8_t to) {
    const auto offset = OfFrame(static_cast<int32_t>(place) - SKF_AD_OFF);
    if (!offset) return false;
    Add(BPF_LDX | BPF_MEM | BPF_W, to, kFrame, static_cast<int16_t>(*offset), 0);
    if (*offset == offsetof(__sk_buff, protocol) || *offset == offsetof(__sk_buff, vlan_proto)) {
      Add(BPF_ALU | BPF_END | BPF_TO_BE, to, 0, 0, 16);
    }
    return true;
  }

  static std::optional<size_t> OfFrame(int ancillary) {
    switch (ancillary) {
      case SKF_AD_PROTOCOL:
        return offsetof(__sk_buff, protocol);
      case SKF_AD_PKTTYPE:
        return offsetof(__sk_buff, pkt_type);
      case SKF_AD_IFINDEX:
        return offsetof(__sk_buff, ifindex);
      case SKF_AD_MARK:
        return offsetof(__sk_buff, mark);
      case SKF_AD_QUEUE:
        return offsetof(__sk_buff, queue_mapping);
      case SKF_AD_VLAN_TAG:
        return offsetof(__sk_buff, vlan_tci);
      case SKF_AD_VLAN_TPID:
        return offsetof(__sk_buff, vlan_proto);
      case SKF_AD_VLAN_TAG_PRESENT:
        return offsetof(__sk_buff, vlan_present);
      default:
        return std::nullopt;
    }
  }

  bool Compute(const sock_filter& classic) {
    const int operation = BPF_OP(classic.code);
    const bool by_x = BPF_SRC(classic.code) == BPF_X;
    if (operation == BPF_NEG) {
      Add(BPF_ALU | BPF_NEG, kA, 0, 0, 0);
      return true;
    }
    const bool divides = operation == BPF_DIV || operation == BPF_MOD;
    if (divides && by_x) JumpTo(BPF_JMP32 | BPF_JEQ | BPF_K, kX, 0, 0, kRefuse);
    Add(BPF_ALU | operation | BPF_SRC(classic.code), kA, by_x ? kX : 0, 0, by_x ? 0 : classic.k);
    return true;
  }

  bool Branch(const sock_filter& classic) {
    const size_t next = starts_.size();  // of the classic instruction behind this one
    if (BPF_OP(classic.code) == BPF_JA) {
      JumpTo(BPF_JMP | BPF_JA, 0, 0, 0, next + classic.k);
      return next + classic.k < classic_.size();
    }
    const bool by_x = BPF_SRC(classic.code) == BPF_X;
    JumpTo(BPF_JMP32 | BPF_OP(classic.code) | BPF_SRC(classic.code), kA, by_x ? kX : 0,
           by_x ? 0 : classic.k, next + classic.jt);
    if (classic.jf != 0) JumpTo(BPF_JMP | BPF_JA, 0, 0, 0, next + classic.jf);
    return next + std::max(classic.jt, classic.jf) < classic_.size();
  }

  bool Return(const sock_filter& classic) {
    if (BPF_RVAL(classic.code) == BPF_A) {
      JumpTo(BPF_JMP32 | BPF_JEQ | BPF_K, kA, 0, 0, kRefuse);
      Move(BPF_REG_0, kA);
    } else if (classic.k == 0) {
      JumpTo(BPF_JMP | BPF_JA, 0, 0, 0, kRefuse);
      return true;
    } else {
      Set(BPF_REG_0, classic.k);
    }
    Add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return true;
  }

  const std::vector<sock_filter>& classic_;
  const int counts_map_;
  const uint32_t count_;
  std::vector<bpf_insn> code_;
  std::vector<size_t> starts_;  // of each classic instruction
  std::vector<Jump> jumps_;
};

}  // namespace

absl::StatusOr<UniqueFd> LoadExpressionProgram(const std::vector<sock_filter>& classic,
                                               int counts_map, uint32_t count) {
  auto code = Translation(classic, counts_map, count).Make();
  if (!code.ok()) return code.status();
  UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "weir_expression", "Dual BSD/GPL",
                                 code->data(), code->size(), nullptr));
  if (program) return program;
  return absl::ErrnoToStatus(errno, "cannot load the expression as eBPF");
}

}  // namespace weir
