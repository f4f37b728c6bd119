#include "rings/xdp_query.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "rings/unique_fd.h"

namespace weir {
namespace {

std::string NameOf(uint32_t program) {
  const UniqueFd fd(bpf_prog_get_fd_by_id(program));
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return "";
  return info.name;
}

uint32_t LinkOf(int interface_index, uint32_t program) {
  for (uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
    const UniqueFd fd(bpf_link_get_fd_by_id(id));
    bpf_link_info info{};
    uint32_t size = sizeof info;
    if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) continue;
    const bool here = info.type == BPF_LINK_TYPE_XDP &&
                      info.xdp.ifindex == static_cast<uint32_t>(interface_index) &&
                      info.prog_id == program;
    if (here) return id;
  }
  return 0;
}

}  // namespace

std::optional<AttachedXdp> FindAttachedXdp(int interface_index) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (bpf_xdp_query(interface_index, 0, &query) != 0) return std::nullopt;
  AttachedXdp program;
  program.id = query.drv_prog_id;
  if (program.id == 0) program.id = query.skb_prog_id;
  program.generic = program.id != 0 && query.drv_prog_id == 0;
  if (program.id == 0) program.id = query.hw_prog_id;
  if (program.id == 0) program.id = query.prog_id;
  if (program.id == 0) return std::nullopt;
  program.name = NameOf(program.id);
  program.link = LinkOf(interface_index, program.id);
  return program;
}

}  // namespace weir
