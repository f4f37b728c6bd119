#include "tools/doctor/host_facts.h"

#include <cap-ng.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

namespace weir::doctor {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The word in brackets of "always [madvise] never".
std::string Chosen(const std::string& line) {
  const size_t begin = line.find('['), end = line.find(']');
  return begin < end && end != std::string::npos ? line.substr(begin + 1, end - begin - 1) : "";
}

std::string ExecutablePath() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<size_t>(size)) : "weir";
}

void AddHugePages(const std::string& root, HostFacts& host) {
  std::ifstream file(root + "/proc/meminfo");
  for (std::string name; file >> name;) {
    uint64_t value = 0;
    file >> value;
    if (name == "HugePages_Total:") host.huge_pages = value;
    if (name == "HugePages_Free:") host.huge_pages_free = value;
    if (name == "Hugepagesize:") host.huge_page_bytes = value << 10;
    file.ignore(256, '\n');
  }
  host.transparent = Chosen(FirstLine(root + "/sys/kernel/mm/transparent_hugepage/enabled"));
}

void AddClock(const std::string& root, HostFacts& host) {
  const std::string folder = root + "/sys/devices/system/clocksource/clocksource0/";
  host.clock_source = FirstLine(folder + "current_clocksource");
  std::istringstream words(FirstLine(folder + "available_clocksource"));
  for (std::string word; words >> word;) host.clock_sources.push_back(word);
  timex state{};
  host.clock_synchronised = adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
}

}  // namespace

HostFacts LookAtHost(const std::string& root) {
  HostFacts host;
  host.executable = ExecutablePath();
  if (capng_get_caps_process() == 0) {
    host.net_raw = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) != 0;
    host.net_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) != 0;
    host.bpf = capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) != 0 ||
               capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN) != 0;
  }
  rlimit locked{};
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK) == 0 &&
      getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur != RLIM_INFINITY)
    host.lockable_bytes = locked.rlim_cur;
  cpu_set_t processors;
  if (sched_getaffinity(0, sizeof processors, &processors) == 0)
    host.processors = CPU_COUNT(&processors);
  AddHugePages(root, host);
  AddClock(root, host);
  return host;
}

}  // namespace weir::doctor
