#include "engine/placement.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace weir {
namespace {

constexpr int kMostCpus = CPU_SETSIZE;

// "3", or "0-3".
bool ParseRange(absl::string_view text, int* first, int* last) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  if (!absl::SimpleAtoi(ends.first, first)) return false;
  *last = *first;
  if (text.size() != ends.first.size() && !absl::SimpleAtoi(ends.second, last)) return false;
  return *first >= 0 && *first <= *last && *last < kMostCpus;
}

}  // namespace

absl::StatusOr<std::vector<int>> ParseCpuList(std::string_view text) {
  std::vector<int> cpus;
  for (absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    int first = 0, last = 0;
    if (!ParseRange(part, &first, &last)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("'%s' is no list of processors: write numbers and ranges, such as 0-3,7",
                          absl::string_view(text.data(), text.size())));
    }
    for (int cpu = first; cpu <= last; ++cpu) {
      if (std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) cpus.push_back(cpu);
    }
  }
  return cpus;
}

std::string CpuListText(std::span<const int> cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    absl::StrAppend(&text, i == 0 ? "" : ",", cpus[i]);
    if (end - i > 1) absl::StrAppend(&text, "-", cpus[end - 1]);
    i = end;
  }
  return text;
}

std::vector<int> UsableCpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<int> UsableCpusOf(int node) {
  std::vector<int> usable = UsableCpus();
  if (node < 0) return usable;
  std::string text;
  std::ifstream file(absl::StrCat("/sys/devices/system/node/node", node, "/cpulist"));
  const auto of_node =
      std::getline(file, text) ? ParseCpuList(text) : absl::StatusOr<std::vector<int>>(usable);
  if (!of_node.ok()) return usable;
  std::vector<int> both;
  std::copy_if(usable.begin(), usable.end(), std::back_inserter(both), [&](int cpu) {
    return std::find(of_node->begin(), of_node->end(), cpu) != of_node->end();
  });
  return both.empty() ? usable : both;
}

int NodeOfCpu(int cpu) {
  std::error_code none;
  const auto folder = absl::StrCat("/sys/devices/system/cpu/cpu", cpu);
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    int node = 0;
    if (name.starts_with("node") && absl::SimpleAtoi(name.substr(4), &node)) return node;
  }
  return -1;
}

absl::Status PinThread(std::span<const int> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return absl::OkStatus();
  const int error = errno;
  return absl::ErrnoToStatus(
      error, absl::StrCat("cannot run on processor ", CpuListText(cpus), ": those to be had are ",
                          CpuListText(UsableCpus())));
}

ScopedMemoryNode::ScopedMemoryNode(int node) {
  constexpr size_t kBits = sizeof(uint64_t) * CHAR_BIT;
  std::array<uint64_t, 16> nodes{};
  if (node < 0 || static_cast<size_t>(node) >= nodes.size() * kBits) return;
  int mode = MPOL_DEFAULT;
  const bool known = syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0) == 0;
  if (!known || mode != MPOL_DEFAULT) return;  // numactl(8), or the embedder, has decided
  nodes[static_cast<size_t>(node) / kBits] = uint64_t{1} << static_cast<size_t>(node) % kBits;
  set_ = syscall(SYS_set_mempolicy, MPOL_PREFERRED, nodes.data(), nodes.size() * kBits) == 0;
}

ScopedMemoryNode::~ScopedMemoryNode() {
  if (set_) syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0);
}

}  // namespace weir
