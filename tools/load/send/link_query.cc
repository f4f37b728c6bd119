#include "tools/load/send/link_query.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/status/status.h"

namespace weir::load {
namespace {

template <typename Value>
Value ValueOf(const rtattr* attribute) {
  Value value{};
  std::memcpy(&value, RTA_DATA(attribute), std::min(sizeof value, RTA_PAYLOAD(attribute)));
  return value;
}

template <typename Call>
void ForEachNested(const rtattr* attribute, const Call& call) {
  auto left = static_cast<unsigned>(RTA_PAYLOAD(attribute));
  for (const auto* at = static_cast<const rtattr*>(RTA_DATA(attribute)); RTA_OK(at, left);
       at = RTA_NEXT(at, left)) {
    call(at);
  }
}

void Read(const rtattr* at, LinkState& state) {
  switch (at->rta_type & NLA_TYPE_MASK) {
    case IFLA_IFNAME:
      state.name = static_cast<const char*>(RTA_DATA(at));
      break;
    case IFLA_LINK:
      state.other_end = ValueOf<int>(at);
      break;
    case IFLA_LINK_NETNSID:
      state.other_namespace = ValueOf<int>(at);
      break;
    case IFLA_STATS64: {
      const auto counts = ValueOf<rtnl_link_stats64>(at);
      state.transmitted = counts.tx_packets;
      state.transmit_dropped = counts.tx_dropped + counts.tx_errors;
      break;
    }
    case IFLA_LINKINFO:
      ForEachNested(at, [&](const rtattr* in) {
        if (in->rta_type == IFLA_INFO_KIND) state.kind = static_cast<const char*>(RTA_DATA(in));
      });
      break;
    case IFLA_XDP:
      ForEachNested(at, [&](const rtattr* in) {
        if (in->rta_type == IFLA_XDP_DRV_PROG_ID) state.native_program = true;
      });
      break;
    default:
      break;
  }
}

}  // namespace

absl::StatusOr<LinkQuery> LinkQuery::Open(int interface_index) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return absl::ErrnoToStatus(errno, "cannot open a netlink socket");
  const int yes = 1;  // the kernel checks what it is asked, and knows IFLA_TARGET_NETNSID
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof yes);
  return LinkQuery(std::move(fd), interface_index);
}

absl::StatusOr<LinkState> LinkQuery::Ask(int index, std::optional<int> name_space) const {
  struct {
    nlmsghdr header;
    ifinfomsg info;
    rtattr attribute;
    int name_space;
  } request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.info);
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.info.ifi_index = index;
  if (name_space) {
    request.header.nlmsg_len = sizeof request;
    request.attribute = {RTA_LENGTH(sizeof(int)), IFLA_TARGET_NETNSID};
    request.name_space = *name_space;
  }
  if (send(fd_.get(), &request, request.header.nlmsg_len, 0) < 0) {
    return absl::ErrnoToStatus(errno, "cannot ask for the state of an interface");
  }
  std::vector<nlmsghdr> buffer((size_t{1} << 15) / sizeof(nlmsghdr));
  const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size() * sizeof(nlmsghdr), 0);
  const nlmsghdr* const message = buffer.data();
  if (got < 0 || !NLMSG_OK(message, static_cast<unsigned>(got))) {
    return absl::ErrnoToStatus(errno, "cannot read the state of an interface");
  }
  if (message->nlmsg_type != RTM_NEWLINK) {
    const auto* const error = static_cast<const nlmsgerr*>(NLMSG_DATA(message));
    return absl::ErrnoToStatus(-error->error, "the kernel does not tell the state of an interface");
  }
  LinkState state;
  const auto* const info = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
  state.running = (info->ifi_flags & IFF_RUNNING) != 0;
  auto left = IFLA_PAYLOAD(message);
  for (const rtattr* at = IFLA_RTA(info); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    Read(at, state);
  }
  return state;
}

absl::StatusOr<LinkState> LinkQuery::Ask() const { return Ask(index_, std::nullopt); }

absl::StatusOr<LinkState> LinkQuery::AskOtherEnd() const {
  auto here = Ask();
  if (!here.ok()) return here;
  if (here->other_end == 0) return absl::NotFoundError("the interface has no other end");
  return Ask(here->other_end, here->other_namespace);
}

}  // namespace weir::load
