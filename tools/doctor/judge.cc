// One function for each kind of finding: what of the facts is wrong, and the command that mends it.
#include "tools/doctor/judge.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "rings/receive_hash.h"

namespace weir::doctor {
namespace {

// A ring must hold what comes in while the shard's processor does something else.
constexpr double kLeastRingMs = 20;
constexpr double kGoodRingMs = 50;
// A flow table of a million flows, with its streams. AF_XDP's memory comes on top; a packet ring
// is the kernel's.
constexpr uint64_t kTableBytes = uint64_t{256} << 20;

// Offloads that join received frames, so that sizes, counts and times are not the wire's any more;
// `ethtool -K` knows them by the second name.
constexpr std::array<std::array<const char*, 2>, 5> kJoining = {{
    {"rx-lro", "lro"},
    {"rx-gro", "gro"},
    {"rx-gro-hw", "rx-gro-hw"},
    {"rx-gro-list", "rx-gro-list"},
    {"rx-udp-gro-forwarding", "rx-udp-gro-forwarding"},
}};

class Judgement {
 public:
  Judgement(const DoctorOptions& options, const LinkFacts& link, const HostFacts& host,
            const SteeringFacts& steering, const BackendFacts& backend)
      : options_(options), link_(link), host_(host), steering_(steering), backend_(backend) {}

  std::vector<Finding> All() {
    Privileges();
    Link();
    Program();
    BackEnd();
    OffloadsOn();
    Queues();
    DeviceRing();
    OwnRing();
    Steering();
    HugePages();
    Clock();
    return std::move(findings_);
  }

 private:
  void Add(Health health, std::string check, std::string says, std::vector<std::string> mend = {}) {
    findings_.push_back({health, std::move(check), std::move(says), std::move(mend)});
  }
  void Fine(std::string check, std::string says) {
    Add(Health::kFine, std::move(check), std::move(says));
  }

  // As --backend chooses: see the ladder in the README.
  bool takes_xdp() const {
    return options_.backend == Backend::kXdp ||
           (options_.backend == Backend::kAuto && link_.addresses.empty());
  }
  // Nothing in the kernel brings cut flows together again.
  bool needs_device_steering() const {
    return options_.backend == Backend::kXdp ||
           (options_.fanout != FanoutMode::kHash && options_.fanout != FanoutMode::kEbpf);
  }
  int shards() const {
    if (options_.shards > 0) return options_.shards;
    const int queues = link_.channels ? static_cast<int>(link_.channels->receive) : 1;
    return std::max(1, std::min(queues, host_.processors));
  }
  // AF_XDP: of all receive queues.
  uint64_t frame_memory() const {
    const uint64_t queues = link_.channels ? std::max(1u, link_.channels->receive) : 1;
    return (uint64_t{options_.ring_mib} << 20) * queues;
  }
  std::string Ethtool(std::string_view flags, std::string_view rest) const {
    return absl::StrFormat("ethtool %s %s %s", flags, link_.name, rest);
  }

  void Privileges();
  void Link();
  void Program();
  void BackEnd();
  void OffloadsOn();
  void Queues();
  void DeviceRing();
  void OwnRing();
  void Steering();
  void CutFlows();
  std::string KeyCommand() const;
  void HugePages();
  void Clock();

  const DoctorOptions& options_;
  const LinkFacts& link_;
  const HostFacts& host_;
  const SteeringFacts& steering_;
  const BackendFacts& backend_;
  std::vector<Finding> findings_;
};

void Judgement::Privileges() {
  const bool xdp = options_.backend == Backend::kXdp;
  const bool can_lock = !takes_xdp() || host_.lockable_bytes >= frame_memory();
  const bool can_start = host_.net_raw && (!xdp || (host_.bpf && host_.net_admin && can_lock));
  const std::string needed =
      absl::StrCat(takes_xdp() ? "cap_net_raw,cap_net_admin,cap_bpf" : "cap_net_raw,cap_bpf",
                   can_lock ? "" : ",cap_ipc_lock");
  const bool has_all = host_.net_raw && host_.bpf && (!takes_xdp() || host_.net_admin) && can_lock;
  if (has_all) {
    Fine("privileges", absl::StrCat("has ", needed));
    return;
  }
  std::vector<std::string> missing;
  if (!host_.net_raw) missing.emplace_back("cap_net_raw: no packet socket can be opened");
  if (!host_.bpf) missing.emplace_back("cap_bpf: no eBPF filter, no --fanout ebpf, no AF_XDP");
  if (!host_.net_admin && takes_xdp()) missing.emplace_back("cap_net_admin: no AF_XDP");
  if (!can_lock) {
    missing.push_back(absl::StrFormat(
        "cap_ipc_lock: no AF_XDP, which locks %u MiB for its queues, while ulimit -l is %u KiB",
        frame_memory() >> 20, host_.lockable_bytes >> 10));
  }
  Add(can_start ? Health::kAdvice : Health::kMend, "privileges",
      absl::StrCat("lacks ", absl::StrJoin(missing, "; ")),
      {absl::StrFormat("setcap %s+ep %s", needed, host_.executable)});
}

void Judgement::Link() {
  if (!link_.up) {
    Add(Health::kMend, "link", "is down: nothing comes in",
        {absl::StrFormat("ip link set dev %s up", link_.name)});
  } else if (!link_.carrier) {
    Add(Health::kMend, "link", "is up, but has no carrier: look at the cable, or at the other end");
  } else {
    Fine("link",
         absl::StrFormat(
             "is up, MTU %u%s", link_.mtu,
             link_.speed_mbits == 0 ? "" : absl::StrFormat(", %u Mbit/s", link_.speed_mbits)));
  }
  if (link_.missed != 0) {
    Add(Health::kAdvice, "link",
        absl::StrFormat("the device has missed %u frames since it is there: more receive queues, "
                        "or a larger device ring",
                        link_.missed));
  }
}

void Judgement::Program() {
  if (!link_.program) {
    Fine("XDP program", "none is attached");
    return;
  }
  const AttachedXdp& program = *link_.program;
  const std::string name = program.name.empty() ? "" : absl::StrCat("'", program.name, "', ");
  const std::string what =
      absl::StrFormat("%snumber %u, is attached %s", name, program.id,
                      program.generic ? "in the generic path" : "in the driver");
  const std::string command = program.link != 0
                                  ? absl::StrFormat("bpftool link detach id %u", program.link)
                                  : absl::StrFormat("ip link set dev %s %s off", link_.name,
                                                    program.generic ? "xdpgeneric" : "xdpdrv");
  Add(options_.backend == Backend::kXdp ? Health::kMend : Health::kAdvice, "XDP program",
      absl::StrCat(what,
                   ": it is not replaced, so AF_XDP cannot be had; packet sockets see only "
                   "what it passes up. Whoever attached it may need it"),
      {command});
}

void Judgement::BackEnd() {
  if (!backend_.status.ok()) {
    Add(Health::kMend, "back-end",
        absl::StrCat("weir would not start: ", backend_.status.message()));
    return;
  }
  const BackendChoice& choice = backend_.choice;
  const std::string refusals = choice.Refusals();
  // A filter that the kernel does not run, or does not count.
  const bool worse_filter =
      choice.rung == BackendRung::kPacketClassic || choice.rung == BackendRung::kPacketShard;
  Add(worse_filter ? Health::kAdvice : Health::kFine, "back-end",
      absl::StrCat(choice.Way(), refusals.empty() ? "" : absl::StrCat("; not ", refusals)));
}

void Judgement::OffloadsOn() {
  std::vector<std::string> on, commands, stay;
  for (const auto& [kernel_name, word] : kJoining) {
    const auto found = link_.offloads.find(kernel_name);
    if (found == link_.offloads.end() || !found->second.on) continue;
    on.emplace_back(word);
    if (found->second.fixed) {
      stay.emplace_back(word);
    } else {
      commands.push_back(Ethtool("-K", absl::StrCat(word, " off")));
    }
  }
  if (link_.offloads.empty()) {
    Add(Health::kUnknown, "offloads", "the driver does not tell");
  } else if (on.empty()) {
    Fine("offloads", "none joins received frames (lro, gro)");
  } else {
    std::string says = absl::StrCat(absl::StrJoin(on, ", "), on.size() == 1 ? " is" : " are",
                                    " on: received frames are joined to up to 64 KiB, so their "
                                    "number, sizes and times are not the wire's");
    if (!stay.empty())
      absl::StrAppend(&says, "; the driver cannot turn ", absl::StrJoin(stay, ", "), " off");
    Add(Health::kMend, "offloads", says, commands);
  }
}

void Judgement::Queues() {
  if (!link_.channels) {
    Add(Health::kUnknown, "queues", "the driver does not tell; taken for one");
    return;
  }
  const Channels& channels = *link_.channels;
  const auto wanted = std::min(channels.most, static_cast<uint32_t>(host_.processors));
  const char* const word = channels.combined ? "combined" : "rx";
  const std::string has =
      absl::StrFormat("%u of %u receive queues, %d processors for %d shards", channels.receive,
                      channels.most, host_.processors, shards());
  if (channels.receive < wanted) {
    Add(Health::kAdvice, "queues", absl::StrCat(has, ": more can work at once"),
        {Ethtool("-L", absl::StrFormat("%s %u", word, wanted))});
  } else if (options_.backend == Backend::kXdp &&
             channels.receive > static_cast<uint32_t>(host_.processors)) {
    Add(Health::kAdvice, "queues",
        absl::StrCat(has, ": with AF_XDP one processor would serve several"),
        {Ethtool("-L", absl::StrFormat("%s %u", word, wanted))});
  } else {
    Fine("queues", has);
  }
}

void Judgement::DeviceRing() {
  if (!link_.rings) {
    Add(Health::kUnknown, "device ring", "the driver does not tell, or there is none");
    return;
  }
  const auto [receive, most] = *link_.rings;
  if (receive < most) {
    Add(link_.missed != 0 ? Health::kMend : Health::kAdvice, "device ring",
        absl::StrFormat("holds %u of at most %u frames", receive, most),
        {Ethtool("-G", absl::StrFormat("rx %u", most))});
  } else {
    Fine("device ring", absl::StrFormat("holds %u frames, as many as it can", receive));
  }
}

void Judgement::OwnRing() {
  const double mib = static_cast<double>(options_.ring_mib) * shards();
  if (link_.speed_mbits == 0) {
    Add(Health::kUnknown, "weir's ring",
        absl::StrFormat("%u MiB for each shard; the link's speed is not told", options_.ring_mib));
    return;
  }
  const double bytes_per_ms = link_.speed_mbits * 1e6 / 8 / 1000;
  const double holds_ms = mib * (1 << 20) / bytes_per_ms;
  const std::string says =
      absl::StrFormat("%u MiB for each of %d shards hold %.1f ms of a full link", options_.ring_mib,
                      shards(), holds_ms);
  if (holds_ms >= kLeastRingMs) {
    Fine("weir's ring", says);
    return;
  }
  const double wanted = kGoodRingMs * bytes_per_ms / (1 << 20) / shards();
  Add(Health::kMend, "weir's ring",
      absl::StrFormat("%s: less than %.0f ms, so a short pause of the shard loses frames", says,
                      kLeastRingMs),
      {absl::StrFormat("weir -i %s --ring-mib %u", link_.name,
                       std::bit_ceil(static_cast<uint32_t>(wanted) + 1))});
}

std::string Judgement::KeyCommand() const {
  std::string key;
  for (size_t i = 0; i < link_.hash->key.size(); ++i)
    absl::StrAppend(&key, i == 0 ? "" : ":", i % 2 == 0 ? "6d" : "5a");
  return Ethtool("-X", absl::StrCat("hkey ", key));
}

void Judgement::Steering() {
  const bool one = link_.channels ? link_.channels->receive < 2 : steering_.queues < 2;
  if (one) {
    Fine("steering", "one receive queue: both directions of a flow come in on it");
  } else if (steering_.cut > 0) {
    CutFlows();
  } else if (link_.hash && !link_.hash->key.empty() && !HashesBothWaysAlike(*link_.hash)) {
    Add(needs_device_steering() ? Health::kMend : Health::kAdvice, "steering",
        "the device's hash key (RSS) sends the two directions of a flow to different queues",
        {KeyCommand()});
  } else if (!steering_.status.ok()) {
    Add(Health::kUnknown, "steering",
        absl::StrCat("could not be looked at: ", steering_.status.message()));
  } else if (steering_.two_way == 0) {
    Add(Health::kUnknown, "steering",
        absl::StrFormat("no flow with both directions came in %.1f s: ask again while there is "
                        "traffic, or with a longer --sample",
                        static_cast<double>(options_.sample_ns) * 1e-9));
  } else {
    Fine("steering", absl::StrFormat("of %u flows all came whole to one of %d queues",
                                     steering_.two_way, steering_.queues));
  }
}

// Seen, whatever the device says of its key.
void Judgement::CutFlows() {
  const std::string says =
      absl::StrFormat("of %u flows %u came in on two receive queues, a direction on each",
                      steering_.two_way, steering_.cut);
  const bool by_key = link_.hash && !link_.hash->key.empty() && !HashesBothWaysAlike(*link_.hash);
  if (!needs_device_steering()) {
    Add(Health::kAdvice, "steering",
        absl::StrFormat("%s; --fanout %s brings them together again, AF_XDP could not", says,
                        FanoutModeName(options_.fanout)),
        by_key ? std::vector<std::string>{KeyCommand()} : std::vector<std::string>{});
    return;
  }
  const std::string around =
      options_.backend == Backend::kXdp
          ? absl::StrFormat("weir -i %s --backend packet --fanout ebpf", link_.name)
          : absl::StrFormat("weir -i %s --fanout ebpf", link_.name);
  Add(Health::kMend, "steering", says, {by_key ? KeyCommand() : around});
}

void Judgement::HugePages() {
  const uint64_t rings = (uint64_t{options_.ring_mib} << 20) * static_cast<uint64_t>(shards());
  const uint64_t needed = (takes_xdp() ? rings : 0) + kTableBytes;
  const uint64_t page = std::max<uint64_t>(host_.huge_page_bytes, 1);
  const uint64_t pages = (needed + page - 1) / page;
  const std::string free =
      absl::StrFormat("%u of %u MiB free that %d shards could use",
                      host_.huge_pages_free * page >> 20, needed >> 20, shards());
  if (host_.huge_page_bytes == 0) {
    Add(Health::kUnknown, "huge pages", "this kernel has none");
  } else if (host_.huge_pages_free >= pages) {
    Fine("huge pages", free);
  } else {
    const bool transparent = host_.transparent == "madvise" || host_.transparent == "always";
    std::vector<std::string> commands = {absl::StrFormat(
        "sysctl -w vm.nr_hugepages=%u", host_.huge_pages - host_.huge_pages_free + pages)};
    if (!transparent && !host_.transparent.empty())
      commands.emplace_back("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
    Add(transparent ? Health::kAdvice : Health::kMend, "huge pages",
        absl::StrCat(free, transparent ? "; transparent ones are tried instead, and can be missing "
                                         "when memory is fragmented"
                                       : "; transparent ones are off: each packet costs more"),
        commands);
  }
}

void Judgement::Clock() {
  constexpr std::array kSlow = {"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"};
  const bool slow = std::find(kSlow.begin(), kSlow.end(), host_.clock_source) != kSlow.end();
  if (slow) {
    const auto& sources = host_.clock_sources;
    const bool tsc = std::find(sources.begin(), sources.end(), "tsc") != sources.end();
    std::vector<std::string> commands;
    if (tsc)
      commands.emplace_back(
          "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource");
    Add(Health::kMend, "clock",
        absl::StrCat("'", host_.clock_source,
                     "' takes about a microsecond for each reading, and "
                     "the kernel stamps every frame with it"),
        commands);
  } else if (!host_.clock_synchronised) {
    Add(Health::kAdvice, "clock",
        absl::StrCat("'", host_.clock_source,
                     "'; not synchronised: time stamps drift from those of other machines"),
        {"timedatectl set-ntp true"});
  } else {
    Fine("clock", absl::StrCat("'", host_.clock_source, "', synchronised"));
  }
  Fine("time stamps", link_.hardware_stamps ? "the kernel's; the device could stamp frames, too"
                                            : "the kernel's; the device has none of its own");
}

}  // namespace

std::vector<Finding> Judge(const DoctorOptions& options, const LinkFacts& link,
                           const HostFacts& host, const SteeringFacts& steering,
                           const BackendFacts& backend) {
  return Judgement(options, link, host, steering, backend).All();
}

}  // namespace weir::doctor
