// What the command was asked to do: the command line, or a configuration file with the same names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/export/listen_address.h"
#include "engine/flow/interval_deltas.h"
#include "engine/flow/options.h"
#include "engine/packet/decoder.h"
#include "engine/packet/dedup.h"
#include "engine/packet/defragmenter.h"
#include "engine/packet/transport_checksum.h"
#include "engine/shard.h"
#include "rings/filter_rules.h"
#include "rings/packet_fanout.h"
#include "tools/stream_files.h"
#include "tools/weir/option_values.h"
#include "tools/weir/parse.h"

namespace weir {

// How an interface is received. No value: the source's own default.
struct LiveOptions {
  std::optional<uint32_t> ring_mib;
  std::optional<uint32_t> block_kib;
  std::optional<uint32_t> retire_ms;
  bool promiscuous = true;
  CaptureDirection direction = CaptureDirection::kBoth;
  int shards = 0;         // of each interface; 0: --shards auto
  std::vector<int> cpus;  // empty: where the engine likes
  FanoutOptions fanout{.mode = FanoutMode::kEbpf};
  BackendOptions backend{.backend = Backend::kAuto};
};

struct CommandOptions {
  // -i: interfaces, each with its legs ("eth0+eth1": two). Empty when a file is read.
  std::vector<std::vector<std::string>> interfaces;
  std::string file;  // -r; "-" is standard input
  LiveOptions live;
  uint32_t snap_length = 0;  // 0 = whole frames

  Overload overload = Overload::kTakeAll;
  std::string filter;  // tcpdump's language; empty = everything
  bool ip_only = false;
  std::optional<VlanSet> vlans;
  std::string ignore_dst;  // files of CIDR blocks; empty = none
  std::string accept_src;
  DedupOptions dedup;
  DecoderOptions decoder;
  ChecksumMode checksum = ChecksumMode::kCount;
  DefragmentOptions defragment;
  FlowOptions flow;  // streams are set when --streams or --eve tell of them

  std::string eve;  // file, "-" for standard output; empty = none
  std::string write;
  RotateAt rotate;
  std::optional<ListenAddress> prometheus;  // where metrics are served; empty: nowhere
  std::string streams;                      // folder; empty = none
  StreamHoles stream_holes = StreamHoles::kZero;

  std::optional<CountBy> counters;  // rows per interval
  std::string counters_file = "-";
  uint32_t counters_max = 0;  // flows, and rows, of an interval; 0 = as many as --max-flows
  size_t counters_top = 0;    // rows that are written; 0 = all
  bool align = false;         // intervals are multiples of their length on the wall clock

  int64_t duration_ns = 0;  // 0 = until the end
  uint64_t count = 0;       // frames; 0 = until the end
  int64_t interval_ns = 5'000'000'000;
  bool quiet = false;

  std::string user;       // who to become once everything is open; empty: stays
  bool drop_all = false;  // also the right to open an interface again
  bool seccomp = true;

  bool live_capture() const { return !interfaces.empty(); }
  std::string InterfaceNames() const;  // "eth0", "eth0+eth1,eth2"
  // Standard output carries data, so what is for a person goes to standard error.
  bool stdout_taken() const {
    return eve == "-" || write == "-" || (counters && counters_file == "-");
  }
};

// What reading the command line came to: options to run with, or a text to print and a status to
// exit with
// (--help, --version: 0 and standard output; wrong usage: 2 and standard error).
struct CommandLine {
  std::optional<CommandOptions> options;
  std::string text;
  int exit_status = 0;
};
CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace weir
