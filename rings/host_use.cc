#include "rings/host_use.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "rings/unique_fd.h"

namespace weir {
namespace {

HostAddress Mapped(const in_addr& ipv4) {
  HostAddress address{};
  address[10] = address[11] = 0xff;
  std::memcpy(&address[12], &ipv4, sizeof ipv4);
  return address;
}

// The IP addresses of all interfaces, with the interface's name.
void ForEachAddress(const std::function<void(const char*, const HostAddress&)>& call) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    if (at->ifa_addr->sa_family == AF_INET) {
      call(at->ifa_name, Mapped(reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr));
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      HostAddress address;
      std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr,
                  address.size());
      call(at->ifa_name, address);
    }
  }
  freeifaddrs(list);
}

std::string Text(const HostAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, address.data(), text, sizeof text);
  constexpr std::string_view kIpv4 = "::ffff:";
  const std::string_view whole = text;
  return std::string(whole.substr(0, kIpv4.size()) == kIpv4 ? whole.substr(kIpv4.size()) : whole);
}

// One interface of the kernel's list.
struct Link {
  int index = 0;
  int master = 0;  // bridge, bond, VRF that it is a port of
  int below = 0;   // interface that it stands on
  std::string name, kind;
};

std::string TextOf(const rtattr* attribute) {
  return static_cast<const char*>(RTA_DATA(attribute));
}

int NumberOf(const rtattr* attribute) {
  int number = 0;
  std::memcpy(&number, RTA_DATA(attribute), sizeof number);
  return number;
}

Link ReadLink(const nlmsghdr* message) {
  const auto* const info = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
  Link link;
  link.index = info->ifi_index;
  auto left = IFLA_PAYLOAD(message);
  for (const rtattr* at = IFLA_RTA(info); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    if (at->rta_type == IFLA_MASTER) link.master = NumberOf(at);
    if (at->rta_type == IFLA_LINK) link.below = NumberOf(at);
    if (at->rta_type == IFLA_IFNAME) link.name = TextOf(at);
    if ((at->rta_type & NLA_TYPE_MASK) != IFLA_LINKINFO) continue;
    auto nested = static_cast<unsigned>(RTA_PAYLOAD(at));
    for (const auto* in = static_cast<const rtattr*>(RTA_DATA(at)); RTA_OK(in, nested);
         in = RTA_NEXT(in, nested)) {
      if (in->rta_type == IFLA_INFO_KIND) link.kind = TextOf(in);
    }
  }
  return link;
}

absl::StatusOr<std::vector<Link>> Links() {
  const UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (!fd || send(fd.get(), &request, sizeof request, 0) < 0) {
    return absl::ErrnoToStatus(errno, "cannot ask for the interfaces there are");
  }
  std::vector<Link> links;
  std::vector<nlmsghdr> buffer((size_t{1} << 16) / sizeof(nlmsghdr));
  for (;;) {
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size() * sizeof(nlmsghdr), 0);
    if (got <= 0) return absl::ErrnoToStatus(errno, "cannot read the interfaces there are");
    auto left = static_cast<unsigned>(got);
    for (auto* message = buffer.data(); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return links;
      if (message->nlmsg_type == RTM_NEWLINK) links.push_back(ReadLink(message));
    }
  }
}

std::string NameOf(const std::vector<Link>& links, int index) {
  const auto found = std::find_if(links.begin(), links.end(),
                                  [index](const Link& link) { return link.index == index; });
  return found != links.end() ? found->name : absl::StrCat("interface ", index);
}

}  // namespace

std::vector<HostAddress> HostAddresses() {
  std::vector<HostAddress> addresses;
  ForEachAddress([&](const char*, const HostAddress& address) { addresses.push_back(address); });
  return addresses;
}

absl::StatusOr<std::string> WhyHostNeeds(const NetworkInterface& interface) {
  std::string why;
  ForEachAddress([&](const char* name, const HostAddress& address) {
    if (why.empty() && interface.name == name) why = "has the address " + Text(address);
  });
  if (!why.empty()) return why;
  const auto links = Links();
  if (!links.ok()) return links.status();
  for (const Link& link : *links) {
    if (link.index == interface.index && link.master != 0) {
      return absl::StrCat("is a port of ", NameOf(*links, link.master));
    }
    // The two ends of a veth pair name each other; everything else stands on what it names.
    if (link.below == interface.index && link.index != interface.index && link.kind != "veth") {
      return absl::StrCat("carries ", link.name);
    }
  }
  return why;
}

}  // namespace weir
