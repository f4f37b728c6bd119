#include "tools/load/send/counting_sink.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "counting_sink.skel.h"
#include "rings/network_interface.h"
#include "rings/silent_libbpf.h"
#include "rings/xdp_program.h"

namespace weir::load {
namespace {

int AttachBy(int program, int interface_index, uint32_t flags) {
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = flags;
  return bpf_link_create(program, interface_index, BPF_XDP, &options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CountingSink>> CountingSink::Attach(const std::string& interface) {
  const SilentLibbpf silent;
  const auto found = FindInterface(interface);
  if (!found.ok()) return found.status();
  if (auto status = CheckNoProgram(*found); !status.ok()) return status;
  auto sink = std::unique_ptr<CountingSink>(new CountingSink);
  sink->skeleton_ = counting_sink__open_and_load();
  if (sink->skeleton_ == nullptr) {
    return absl::ErrnoToStatus(
        errno, "cannot load the sink's XDP program: needs CAP_BPF and CAP_NET_ADMIN, Linux 5.18");
  }
  const int program = bpf_program__fd(sink->skeleton_->progs.count_frame);
  int link = AttachBy(program, found->index, XDP_FLAGS_DRV_MODE);
  sink->generic_ = link < 0;
  if (sink->generic_) link = AttachBy(program, found->index, XDP_FLAGS_SKB_MODE);
  if (link < 0) {
    return absl::ErrnoToStatus(
        -link, absl::StrFormat("%s does not take the sink's XDP program", interface));
  }
  sink->link_ = UniqueFd(link);
  return sink;
}

CountingSink::~CountingSink() {
  link_ = UniqueFd();
  counting_sink__destroy(skeleton_);
}

SinkCounts CountingSink::counts() const {
  std::vector<SinkCounts> by_processor(static_cast<size_t>(libbpf_num_possible_cpus()));
  const uint32_t key = 0;
  SinkCounts sum;
  if (bpf_map__lookup_elem(skeleton_->maps.counts, &key, sizeof key, by_processor.data(),
                           by_processor.size() * sizeof(SinkCounts), 0) != 0) {
    return sum;
  }
  for (const SinkCounts& counts : by_processor) {
    sum.frames += counts.frames;
    sum.bytes += counts.bytes;
  }
  return sum;
}

}  // namespace weir::load
