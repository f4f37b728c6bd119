#include <algorithm>
#include <filesystem>
#include <limits>
#include <span>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/placement.h"
#include "tools/weir/raw_options.h"

namespace weir {
namespace {

absl::Status Usage(std::string_view message) {
  return absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
}

absl::Status About(std::string_view option, const absl::Status& status) {
  if (status.ok()) return status;
  return Usage(absl::StrFormat("%s: %s", option, status.message()));
}

// Reads `text` into `value` where the option was given.
template <typename Value, typename Parser>
absl::Status Read(std::string_view option, const std::string& text, Parser parse, Value& value) {
  if (text.empty()) return absl::OkStatus();
  const auto parsed = parse(text);
  if (parsed.ok()) value = static_cast<Value>(*parsed);
  return About(option, parsed.status());
}

// Like Read, for numbers that must fit.
template <typename Value, typename Parser>
absl::Status ReadNumber(std::string_view option, const std::string& text, Parser parse,
                        Value& value) {
  if (text.empty()) return absl::OkStatus();
  const auto parsed = parse(text);
  if (!parsed.ok()) return About(option, parsed.status());
  if (static_cast<uint64_t>(*parsed) > static_cast<uint64_t>(std::numeric_limits<Value>::max())) {
    return Usage(absl::StrFormat("%s: %s is too large", option, text));
  }
  value = static_cast<Value>(*parsed);
  return absl::OkStatus();
}

// Like ReadNumber, for values of which 0 makes no sense.
template <typename Value, typename Parser>
absl::Status ReadPositive(std::string_view option, const std::string& text, Parser parse,
                          Value& value) {
  absl::Status status = ReadNumber(option, text, parse, value);
  if (status.ok() && !text.empty() && value == 0) {
    status = Usage(absl::StrFormat("%s: must be more than 0", option));
  }
  return status;
}

absl::StatusOr<bool> ParseDecap(std::string_view text) {
  if (text == "auto" || text == "off") return text == "auto";
  return Usage(absl::StrFormat("'%s' is none of: auto, off", text));
}

absl::Status CheckSource(const RawOptions& raw) {
  if (raw.interfaces.empty() && raw.file.empty()) {
    return Usage(
        "which traffic? Give an interface (weir -i eth0) or a capture file (weir -r FILE)");
  }
  if (!raw.interfaces.empty() && !raw.file.empty()) {
    return Usage("-i and -r exclude each other: give an interface or a capture file, not both");
  }
  return absl::OkStatus();
}

absl::Status CheckLiveOnly(const RawOptions& raw) {
  if (raw.file.empty()) return absl::OkStatus();
  const char* given = raw.live.ring_mib        ? "--ring-mib"
                      : raw.live.block_kib     ? "--block-kib"
                      : raw.live.retire_ms     ? "--retire-ms"
                      : raw.no_promiscuous     ? "--no-promisc"
                      : !raw.direction.empty() ? "--direction"
                      : !raw.overload.empty()  ? "--overload"
                      : !raw.shards.empty()    ? "--shards"
                      : !raw.cpus.empty()      ? "--cpus"
                      : !raw.fanout.empty()    ? "--fanout"
                      : !raw.backend.empty()   ? "--backend"
                      : !raw.xdp_mode.empty()  ? "--xdp-mode"
                      : raw.busy_poll_us > 0   ? "--busy-poll-us"
                                               : nullptr;
  if (given == nullptr) return absl::OkStatus();
  return Usage(absl::StrFormat("%s is for an interface (-i): leave it out with -r", given));
}

// Both are there and are one file, whatever they are called.
bool AreOneFile(const std::string& left, const std::string& right) {
  std::error_code none;
  return std::filesystem::is_regular_file(left, none) &&
         std::filesystem::equivalent(left, right, none);
}

absl::Status CheckOutputs(const RawOptions& raw) {
  struct Output {
    const char* option;
    std::string file;
  };
  const std::string by_default = raw.counters.empty() ? "" : "-";
  const Output outputs[] = {
      {"--eve", raw.eve},
      {"--write", raw.write},
      {"--counters-file", raw.counters_file.empty() ? by_default : raw.counters_file}};
  bool file = false;
  for (const Output& one : outputs) {
    if (AreOneFile(raw.file, one.file)) {
      return Usage(
          absl::StrFormat("%s is the capture that is read: it would be overwritten", one.file));
    }
    file = file || (!one.file.empty() && one.file != "-");
    for (const Output& other : std::span(&one + 1, std::end(outputs))) {
      if (one.file.empty() || one.file != other.file) continue;
      return Usage(
          one.file == "-"
              ? absl::StrFormat(
                    "%s - and %s - would both go to standard output: give one of them a file",
                    one.option, other.option)
              : absl::StrFormat("%s and %s name the same file: give each its own", one.option,
                                other.option));
    }
  }
  if (!raw.rotate.empty() && !file) {
    return Usage(
        "--rotate has nothing to rotate: it needs --eve FILE or --write FILE, or --counters-file "
        "FILE");
  }
  return absl::OkStatus();
}

absl::Status CheckCounters(const RawOptions& raw) {
  if (!raw.counters.empty()) return absl::OkStatus();
  const char* given = !raw.counters_file.empty()  ? "--counters-file"
                      : !raw.counters_top.empty() ? "--counters-top"
                      : !raw.counters_max.empty() ? "--counters-max"
                      : raw.align                 ? "--align"
                                                  : nullptr;
  if (given == nullptr) return absl::OkStatus();
  return Usage(
      absl::StrFormat("%s is about --counters ip or --counters flow: give that too", given));
}

absl::Status CheckStreams(const RawOptions& raw) {
  if (!raw.stream_holes.empty() && raw.streams.empty()) {
    return Usage("--stream-holes is about the files of --streams DIR: give that too");
  }
  if (raw.no_reassembly && !raw.streams.empty())
    return Usage("--streams DIR needs what --no-reassembly leaves out: give one of them");
  if (!raw.streams.empty() || (!raw.eve.empty() && !raw.no_reassembly)) return absl::OkStatus();
  const char* given = !raw.stream_limit.empty()              ? "--stream-limit"
                      : !raw.stream_depth.empty()            ? "--stream-depth"
                      : !raw.stream_memory.empty()           ? "--stream-memory"
                      : !raw.stream_history.empty()          ? "--stream-history"
                      : raw.no_reassembly && raw.eve.empty() ? "--no-reassembly"
                                                             : nullptr;
  if (given == nullptr) return absl::OkStatus();
  return Usage(absl::StrFormat(
      "%s: streams are put together for --streams DIR or --eve FILE: give one of them", given));
}

absl::Status ReadShards(const RawOptions& raw, CommandOptions& options) {
  LiveOptions& live = options.live;
  absl::Status status = Read("--shards", raw.shards, ParseShards, live.shards);
  status.Update(Read("--cpus", raw.cpus, ParseCpuList, live.cpus));
  status.Update(Read("--fanout", raw.fanout, ParseFanout, live.fanout));
  return status;
}

// With an option that only packet sockets have `auto` means them.
absl::Status ReadBackend(const RawOptions& raw, CommandOptions& options) {
  const char* const packet = !raw.fanout.empty()  ? "--fanout"
                             : raw.live.block_kib ? "--block-kib"
                             : raw.live.retire_ms ? "--retire-ms"
                                                  : nullptr;
  const char* const xdp = !raw.xdp_mode.empty()  ? "--xdp-mode"
                          : raw.busy_poll_us > 0 ? "--busy-poll-us"
                                                 : nullptr;
  BackendOptions& backend = options.live.backend;
  absl::Status status = Read("--backend", raw.backend, ParseBackend, backend.backend);
  status.Update(Read("--xdp-mode", raw.xdp_mode, ParseXdpMode, backend.xdp_mode));
  if (!status.ok()) return status;
  backend.busy_poll_us = raw.busy_poll_us;
  if (packet != nullptr && (xdp != nullptr || backend.backend == Backend::kXdp)) {
    return Usage(absl::StrFormat("%s is about packet sockets: leave it out with AF_XDP", packet));
  }
  if (packet != nullptr) backend.backend = Backend::kPacket;
  if (xdp != nullptr && backend.backend == Backend::kPacket) {
    return Usage(absl::StrFormat("%s is about AF_XDP: leave it out with --backend packet", xdp));
  }
  return absl::OkStatus();
}

absl::Status ReadSource(const RawOptions& raw, CommandOptions& options) {
  for (const std::string& list : raw.interfaces) {
    const auto names = ParseList(list);
    if (!names.ok()) return About("-i", names.status());
    for (const std::string_view name : *names) {
      auto legs = ParseInterface(name);
      if (!legs.ok()) return About("-i", legs.status());
      options.interfaces.push_back(*std::move(legs));
    }
  }
  options.file = raw.file;
  options.live = raw.live;
  options.live.promiscuous = !raw.no_promiscuous;
  options.snap_length = raw.snap_length;
  options.filter = raw.filter;
  options.ip_only = raw.ip_only;
  if (auto status = Read("--vlan", raw.vlan, ParseVlans, options.vlans); !status.ok()) {
    return status;
  }
  options.ignore_dst = raw.ignore_dst;
  options.accept_src = raw.accept_src;
  if (auto status = Read("--checksum", raw.checksum, ParseChecksum, options.checksum);
      !status.ok()) {
    return status;
  }
  if (auto status = Read("--overload", raw.overload, ParseOverload, options.overload);
      !status.ok()) {
    return status;
  }
  return Read("--direction", raw.direction, ParseDirection, options.live.direction);
}

// `lo` shows every packet twice; elsewhere a second copy is news.
absl::Status ReadDedup(const RawOptions& raw, CommandOptions& options) {
  const bool loopback = options.InterfaceNames() == "lo";
  if (raw.dedup.empty() && loopback) options.dedup.mode = DedupMode::kLoopback;
  return Read("--dedup", raw.dedup, ParseDedup, options.dedup);
}

absl::Status ReadKey(const RawOptions& raw, CommandOptions& options) {
  uint32_t with = 0, without = 0;
  if (auto status = Read("--key", raw.key, ParseKeyKind, options.flow.key); !status.ok()) {
    return status;
  }
  if (auto status = Read("--key-with", raw.key_with, ParseKeyParts, with); !status.ok()) {
    return status;
  }
  if (auto status = Read("--key-without", raw.key_without, ParseKeyParts, without); !status.ok()) {
    return status;
  }
  options.decoder.key_parts = (options.decoder.key_parts & ~without) | with;
  options.decoder.mac_addresses = options.flow.key == KeyKind::kMacPair;
  options.flow.bidirectional = !raw.uniflow;
  return Read("--decap", raw.decap, ParseDecap, options.decoder.decapsulate);
}

absl::Status ReadFlows(const RawOptions& raw, CommandOptions& options) {
  return ReadPositive("--max-flows", raw.max_flows, ParseCount, options.flow.max_flows);
}

// The limit that a person knows is in bytes; that in pieces follows, so that small ones do not take
// much more. No limit: nothing but the end, or the common memory, gives a hole up.
absl::Status ReadStreamLimit(const RawOptions& raw, StreamOptions& streams) {
  if (raw.stream_limit.empty()) return absl::OkStatus();
  constexpr uint64_t kBytesPerPiece = 256;
  absl::Status status =
      ReadNumber("--stream-limit", raw.stream_limit, ParseSize, streams.stream_bytes);
  const uint64_t pieces = streams.stream_bytes / kBytesPerPiece;
  if (streams.stream_bytes == 0) {
    streams.stream_pieces = 0;
    streams.hole_timeout_ns = 0;
  } else if (pieces > streams.stream_pieces) {
    streams.stream_pieces = static_cast<uint32_t>(std::min<uint64_t>(pieces, UINT32_MAX));
  }
  return status;
}

absl::Status ReadStreams(const RawOptions& raw, CommandOptions& options) {
  constexpr uint32_t kHistoryBytes = 64 << 10;
  options.streams = raw.streams;
  if (!raw.streams.empty() && options.interfaces.size() > 1) {
    return Usage(
        "--streams names files by addresses, which two interfaces may share: run weir once for "
        "each");
  }
  StreamOptions streams;
  streams.history_bytes = kHistoryBytes;
  absl::Status status =
      Read("--stream-holes", raw.stream_holes, ParseStreamHoles, options.stream_holes);
  status.Update(Read("--overlap", raw.overlap, ParseOverlap, streams.overlap));
  options.defragment.overlap = streams.overlap;
  status.Update(ReadStreamLimit(raw, streams));
  status.Update(ReadNumber("--stream-depth", raw.stream_depth, ParseSize, streams.depth));
  status.Update(
      ReadPositive("--stream-memory", raw.stream_memory, ParseSize, streams.memory_bytes));
  status.Update(
      ReadNumber("--stream-history", raw.stream_history, ParseSize, streams.history_bytes));
  if (!raw.timeout.empty()) {
    status.Update(About(
        "--timeout", ApplyTimeouts(raw.timeout, options.flow.timeouts, streams.hole_timeout_ns)));
  }
  if (!raw.streams.empty() || (!raw.eve.empty() && !raw.no_reassembly))
    options.flow.streams = streams;
  return status;
}

absl::Status ReadCounters(const RawOptions& raw, CommandOptions& options) {
  options.align = raw.align;
  if (!raw.counters_file.empty()) options.counters_file = raw.counters_file;
  absl::Status status = Read("--counters", raw.counters, ParseCountBy, options.counters);
  status.Update(ReadPositive("--counters-top", raw.counters_top, ParseCount, options.counters_top));
  status.Update(ReadPositive("--counters-max", raw.counters_max, ParseCount, options.counters_max));
  return status;
}

absl::Status ReadRun(const RawOptions& raw, CommandOptions& options) {
  options.eve = raw.eve;
  options.write = raw.write;
  options.quiet = raw.quiet;
  options.user = raw.user;
  options.drop_all = raw.drop_all;
  options.seccomp = !raw.no_seccomp;
  if (auto status = Read("--rotate", raw.rotate, ParseRotate, options.rotate); !status.ok()) {
    return status;
  }
  if (!raw.prometheus.empty()) {
    const auto address = ParseListenAddress(raw.prometheus);
    if (!address.ok()) return About("--prometheus", address.status());
    options.prometheus = *address;
  }
  if (auto status = ReadPositive("--duration", raw.duration, ParseDuration, options.duration_ns);
      !status.ok()) {
    return status;
  }
  if (auto status = ReadPositive("--count", raw.count, ParseCount, options.count); !status.ok()) {
    return status;
  }
  return ReadPositive("--interval", raw.interval, ParseDuration, options.interval_ns);
}

}  // namespace

std::string CommandOptions::InterfaceNames() const {
  return absl::StrJoin(interfaces, ",", [](std::string* out, const auto& legs) {
    absl::StrAppend(out, absl::StrJoin(legs, "+"));
  });
}

absl::StatusOr<CommandOptions> Interpret(const RawOptions& raw) {
  for (const auto check : {CheckSource, CheckLiveOnly, CheckOutputs, CheckCounters, CheckStreams}) {
    if (auto status = check(raw); !status.ok()) return status;
  }
  CommandOptions options;
  for (const auto read : {ReadSource, ReadShards, ReadBackend, ReadDedup, ReadKey, ReadFlows,
                          ReadStreams, ReadCounters, ReadRun}) {
    if (auto status = read(raw, options); !status.ok()) return status;
  }
  return options;
}

}  // namespace weir
