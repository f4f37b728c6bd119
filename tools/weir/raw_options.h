// The command line as it was typed, and what it means. Internal to tools/weir.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/weir/options.h"

namespace weir {

// Values whose form CLI11 does not know stay text here.
struct RawOptions {
  std::vector<std::string> interfaces;
  std::string file;
  std::string shards, cpus, fanout;
  std::string backend, xdp_mode;
  uint32_t busy_poll_us = 0;
  LiveOptions live;
  std::string direction;
  uint32_t snap_length = 0;
  bool no_promiscuous = false;
  std::string filter, vlan, ignore_dst, accept_src;
  bool ip_only = false;
  std::string dedup, key, key_with, key_without, decap;
  bool uniflow = false;
  std::string max_flows, timeout, overload;
  std::string eve, write, rotate;
  std::string streams, stream_holes;
  std::string counters, counters_file, counters_max, counters_top;
  bool align = false;
  bool no_reassembly = false;
  std::string checksum, overlap, stream_limit, stream_depth, stream_memory, stream_history;
  std::string duration, count, interval;
  bool quiet = false;
  std::string user;
  bool drop_all = false, no_seccomp = false;
  std::string prometheus;
};

// Reads the values and checks that they fit together. Errors name the option and say what to write.
absl::StatusOr<CommandOptions> Interpret(const RawOptions& raw);

}  // namespace weir
