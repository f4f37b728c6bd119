// Where threads run and where their memory lies: processors and NUMA nodes. Cold path.
//
// Sources: sched_setaffinity(2), set_mempolicy(2), numa(7);
// Documentation/admin-guide/cputopology.rst for the form of lists. A machine without NUMA has one
// node, or none that it tells of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

// "0-3,7": processors in the order in which they are named, each once.
absl::StatusOr<std::vector<int>> ParseCpuList(std::string_view text);

// "0-3,7", of processors in ascending order.
std::string CpuListText(std::span<const int> cpus);

// Those that the calling thread may run on, ascending.
std::vector<int> UsableCpus();

// Those of UsableCpus that belong to a NUMA node; all of them where `node` is negative, or where
// none does.
std::vector<int> UsableCpusOf(int node);

// The node of a processor; -1: not told.
int NodeOfCpu(int cpu);

// The calling thread runs on these only. Says which ones are not to be had.
absl::Status PinThread(std::span<const int> cpus);

// While this lives, memory that the calling thread takes, or has the kernel take for it (rings),
// comes from `node` as long as it has some. Negative, or refused by a sandbox: does nothing.
// A policy that the thread has already (numactl) stays.
class ScopedMemoryNode {
 public:
  explicit ScopedMemoryNode(int node);
  ~ScopedMemoryNode();
  ScopedMemoryNode(const ScopedMemoryNode&) = delete;
  ScopedMemoryNode& operator=(const ScopedMemoryNode&) = delete;

 private:
  bool set_ = false;
};

}  // namespace weir
