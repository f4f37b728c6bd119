// The filters of the packet sockets that share one interface: rules, an expression, the snap length
// and the direction, on the highest rung that the kernel and our privileges allow
// (kernel_filter.h).
//
// Rules and expression run as eBPF together, and what they refuse is counted by reason. Where that
// cannot be had they run as classic BPF, one behind the other. What is too long for that, or cannot
// be said there (wire_program.h), runs in the shard: rules or expression, each for itself.
//
// Thread: any; the calls about one socket come in the order Prepare, Begin, Refuse, Leave.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/kernel_filter.h"
#include "rings/kernel_rules.h"
#include "rings/network_interface.h"
#include "rings/socket_filter.h"
#include "rings/socket_program.h"

namespace weir {

struct PacketSourceOptions;

class SocketFilters final : public KernelFilter {
 public:
  // InvalidArgument: the expression does not parse.
  static absl::StatusOr<std::shared_ptr<SocketFilters>> Create(const PacketSourceOptions& options,
                                                               const NetworkInterface& interface);

  // The socket takes no frame until Begin. `fd` stays open until Leave.
  absl::Status Prepare(int fd);
  absl::Status Begin(int fd);
  // The socket takes no frame from now on.
  absl::Status Refuse(int fd);
  void Leave(int fd);

  // What was refused on its way to this socket; no value: not all of it was counted.
  std::optional<FilterCounts> Counts(int fd) const;

  absl::Status Use(std::shared_ptr<const FilterRules> rules) override;
  FilterRung rung() const override;
  bool expression_in_shard() const override { return !refusal_of_expression_.empty(); }
  bool selects() const override { return selects_; }
  std::vector<FilterRefusal> refused() const override;

 private:
  struct Member {
    int fd;
    std::shared_ptr<const SocketProgram> program;  // null: classic
    FilterCounts before{};                         // what the program had counted for others
    bool begun = false;
  };
  SocketFilters() = default;
  absl::Status TakeExpression(const PacketSourceOptions& options, uint16_t link_type);
  absl::Status TryEbpf();
  void ChooseRung(FilterRung highest);
  absl::Status UseEbpf(const FilterRules& rules);
  absl::Status UseClassic(const FilterRules& rules);
  std::vector<sock_filter> ClassicProgram(const FilterRules& rules) const;
  absl::StatusOr<std::shared_ptr<const SocketProgram>> NextProgram();
  absl::Status Attach(const Member& member) const;
  absl::Status AttachToAll(std::vector<sock_filter> program);
  Member& Find(int fd);

  SocketProgramOptions program_options_;
  std::vector<sock_filter> expression_;  // ends with what an accepted frame gets
  std::string refusal_of_expression_;    // why it runs in the shard; empty: it does not
  bool selects_ = false;                 // there are rules, or an expression
  bool uncounted_always_ = false;        // classic BPF has something to refuse whatever the rules

  std::mutex changing_;                // one Use at a time
  std::optional<KernelRules> kernel_;  // rung kEbpf; guarded by changing_

  mutable std::mutex mutex_;  // guards all below
  FilterRung highest_ = FilterRung::kEbpf;
  FilterRung rung_ = FilterRung::kEbpf;
  std::string refusal_of_ebpf_;  // why a rung is not in force; empty: it is, or was not asked for
  std::string refusal_of_classic_;
  std::vector<sock_filter> classic_;  // the whole program
  bool uncounted_ = false;            // classic BPF may have refused something
  std::vector<Member> members_;
  // Of members that left: for those that take their place when CAP_BPF is gone.
  std::vector<std::shared_ptr<const SocketProgram>> spare_;
};

}  // namespace weir
