#include "rings/socket_filters.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/classic_rules.h"
#include "rings/packet_source.h"

namespace weir {
namespace {

// Whether the kernel takes a program is asked on a socket of no use.
absl::Status Try(const std::vector<sock_filter>& program) {
  if (program.size() > BPF_MAXINSNS) {
    return absl::ResourceExhaustedError(absl::StrCat("lists and expression make ", program.size(),
                                                     " instructions, ", BPF_MAXINSNS, " fit"));
  }
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return AttachSocketFilter(socket.get(), program);
}

}  // namespace

absl::StatusOr<std::shared_ptr<SocketFilters>> SocketFilters::Create(
    const PacketSourceOptions& options, const NetworkInterface& interface) {
  auto filters = std::shared_ptr<SocketFilters>(new SocketFilters);
  const LinkLayer link = LinkLayerOf(interface.hardware_type);
  if (auto status = filters->TakeExpression(options, link.link_type); !status.ok()) return status;
  filters->selects_ = !options.filter.empty() || options.rules != nullptr;
  filters->program_options_.snap_length = options.snap_length;
  filters->program_options_.ethernet = !link.cooked;
  filters->program_options_.only_outgoing = options.direction == CaptureDirection::kOut;
  filters->ChooseRung(filters->selects_ ? options.highest_filter_rung : FilterRung::kClassic);
  filters->uncounted_always_ =
      !filters->program_options_.expression.empty() || options.direction == CaptureDirection::kOut;
  auto rules = options.rules != nullptr ? options.rules : std::make_shared<const FilterRules>();
  if (auto status = filters->Use(std::move(rules)); !status.ok()) return status;
  return filters;
}

// What the kernel cannot say is left to the shard.
absl::Status SocketFilters::TakeExpression(const PacketSourceOptions& options, uint16_t link_type) {
  auto expression = CompileSocketFilter(options.filter, link_type, options.snap_length);
  const bool asked = options.highest_filter_rung != FilterRung::kShard || options.filter.empty();
  if (absl::IsUnimplemented(expression.status()) || (expression.ok() && !asked)) {
    refusal_of_expression_ = asked ? std::string(expression.status().message()) : "not asked for";
    expression = CompileSocketFilter("", link_type, options.snap_length);
  }
  if (!expression.ok()) return expression.status();
  expression_ = *std::move(expression);
  if (!options.filter.empty() && !expression_in_shard()) program_options_.expression = expression_;
  return absl::OkStatus();
}

void SocketFilters::ChooseRung(FilterRung highest) {
  highest_ = rung_ = highest;
  if (highest == FilterRung::kEbpf) {
    const absl::Status status = TryEbpf();
    if (status.ok()) return;
    kernel_.reset();
    highest_ = rung_ = FilterRung::kClassic;
    refusal_of_ebpf_ = std::string(status.message());
  }
  const std::vector<sock_filter>& expression = program_options_.expression;
  if (expression.empty()) return;
  if (const absl::Status status = Try(expression); !status.ok()) {
    refusal_of_expression_ = std::string(status.message());
    expression_ = {BPF_STMT(BPF_RET | BPF_K, program_options_.snap_length)};
    program_options_.expression.clear();
  }
}

absl::Status SocketFilters::TryEbpf() {
  auto kernel = KernelRules::Create();
  if (!kernel.ok()) return kernel.status();
  kernel_ = *std::move(kernel);
  return SocketProgram::Load(program_options_).status();
}

absl::Status SocketFilters::Prepare(int fd) {
  const std::lock_guard changing(changing_);
  Member member{fd, nullptr};
  if (kernel_) {
    auto program = NextProgram();
    if (!program.ok()) return program.status();
    if (auto status = kernel_->Join((*program)->rules_map()); !status.ok()) return status;
    const auto before = (*program)->Counts();
    if (!before.ok()) return before.status();
    member.program = *std::move(program);
    member.before = *before;
  }
  if (auto status = RefuseAll(fd); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  members_.push_back(std::move(member));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const SocketProgram>> SocketFilters::NextProgram() {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      auto program = std::move(spare_.back());
      spare_.pop_back();
      return program;
    }
  }
  auto program = SocketProgram::Load(program_options_);
  if (!program.ok()) return program.status();
  return std::make_shared<const SocketProgram>(*std::move(program));
}

absl::Status SocketFilters::Begin(int fd) {
  const std::lock_guard lock(mutex_);
  Member& member = Find(fd);
  member.begun = true;
  return Attach(member);
}

absl::Status SocketFilters::Attach(const Member& member) const {
  if (member.program == nullptr) return AttachSocketFilter(member.fd, classic_);
  const int program = member.program->fd();
  if (setsockopt(member.fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "the socket does not take its filter program");
}

absl::Status SocketFilters::Refuse(int fd) {
  const std::lock_guard lock(mutex_);
  Find(fd).begun = false;
  return RefuseAll(fd);
}

void SocketFilters::Leave(int fd) {
  const std::lock_guard lock(mutex_);
  std::erase_if(members_, [this, fd](const Member& member) {
    if (member.fd == fd && member.program != nullptr) spare_.push_back(member.program);
    return member.fd == fd;
  });
}

std::optional<FilterCounts> SocketFilters::Counts(int fd) const {
  std::shared_ptr<const SocketProgram> program;
  FilterCounts before{};
  {
    const std::lock_guard lock(mutex_);
    const auto member = std::find_if(members_.begin(), members_.end(),
                                     [fd](const Member& one) { return one.fd == fd; });
    if (member->program == nullptr) {
      return uncounted_ ? std::nullopt : std::optional(FilterCounts{});
    }
    program = member->program;
    before = member->before;
  }
  auto counts = program->Counts();
  if (!counts.ok()) return std::nullopt;
  for (size_t i = 0; i < kFilterReasons; ++i) (*counts)[i] -= before[i];
  return *counts;
}

SocketFilters::Member& SocketFilters::Find(int fd) {
  return *std::find_if(members_.begin(), members_.end(),
                       [fd](const Member& member) { return member.fd == fd; });
}

FilterRung SocketFilters::rung() const {
  const std::lock_guard lock(mutex_);
  return rung_;
}

std::vector<FilterRefusal> SocketFilters::refused() const {
  const std::lock_guard lock(mutex_);
  std::vector<FilterRefusal> refused;
  const auto add = [&refused](FilterRung rung, const std::string& reason,
                              const std::string& other) {
    if (!reason.empty() || !other.empty())
      refused.push_back({rung, reason.empty() ? other : reason});
  };
  add(FilterRung::kEbpf, refusal_of_ebpf_, refusal_of_expression_);
  add(FilterRung::kClassic, refusal_of_classic_, refusal_of_expression_);
  return refused;
}

absl::Status SocketFilters::Use(std::shared_ptr<const FilterRules> rules) {
  const std::lock_guard changing(changing_);
  return kernel_ ? UseEbpf(*rules) : UseClassic(*rules);
}

// Sockets may close meanwhile; their programs stay for as long as it takes.
absl::Status SocketFilters::UseEbpf(const FilterRules& rules) {
  std::vector<std::shared_ptr<const SocketProgram>> programs;
  {
    const std::lock_guard lock(mutex_);
    programs.reserve(members_.size());
    for (const Member& member : members_) programs.push_back(member.program);
  }
  std::vector<int> maps;
  maps.reserve(programs.size());
  for (const auto& program : programs) maps.push_back(program->rules_map());
  return kernel_->Use(rules, maps);
}

std::vector<sock_filter> SocketFilters::ClassicProgram(const FilterRules& rules) const {
  std::vector<sock_filter> program = ClassicRules(rules, program_options_.ethernet);
  program.insert(program.end(), expression_.begin(), expression_.end());
  return program_options_.only_outgoing ? OnlyOutgoing(program) : program;
}

// On all sockets that take frames, or on none.
absl::Status SocketFilters::AttachToAll(std::vector<sock_filter> program) {
  if (auto status = Try(program); !status.ok()) return status;
  classic_.swap(program);
  absl::Status status;
  for (const Member& member : members_) {
    if (member.begun) status.Update(Attach(member));
  }
  if (status.ok()) return status;
  classic_.swap(program);
  for (const Member& member : members_) {
    if (member.begun) Attach(member).IgnoreError();
  }
  return status;
}

absl::Status SocketFilters::UseClassic(const FilterRules& rules) {
  const std::lock_guard lock(mutex_);
  uncounted_ |= uncounted_always_;
  if (highest_ == FilterRung::kClassic) {
    absl::Status status = AttachToAll(ClassicProgram(rules));
    rung_ = status.ok() ? FilterRung::kClassic : FilterRung::kShard;
    refusal_of_classic_ = std::string(status.message());
    uncounted_ |= status.ok() && !rules.empty();
    if (status.ok()) return status;
  }
  return AttachToAll(ClassicProgram(FilterRules()));
}

}  // namespace weir
