#include "tools/weir/options.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/weir/raw_options.h"

namespace weir {
namespace {

constexpr char kDescription[] =
    "weir measures what flows over it: it turns the packets of an interface or of a capture file "
    "into\nflows and counters, and accounts for every frame.\n";

constexpr char kExamples[] = R"(Examples:
  weir -r traffic.pcap                     flows, talkers and the ledger of a capture file
  sudo weir -i eth0                        the same live, until Ctrl-C
  sudo weir -i eth0 --shards 4 --cpus 2-5  on four processors
  sudo weir -i eth0+eth1                   both legs of a TAP
  sudo weir -i eth0 --eve flows.json --rotate 100MiB
                                           one JSON object per flow, files of 100 MiB
  tcpdump -w - | weir -r - --eve - | jq .  from a pipe, JSON to a pipe
  sudo weir -i eth0 --counters ip --interval 1min --align
                                           who sent and received how much, each minute
  weir -r big.pcap --filter 'tcp port 443' --write https.pcap
                                           what passed the filter, as pcap
  sudo weir -i eth0 --quiet --prometheus 127.0.0.1:9090
                                           all counters for Prometheus to scrape
  weir -r big.pcap --filter 'tcp port 80 and host 10.0.0.1' --streams bytes
                                           the bytes of these sessions, in files

Sizes: 1500, 64k, 1MiB, 2GB. Times: 250us, 1ms, 5s, 5min, 2h, 30d. Counts: 1000, 100k, 1M.
Signals: SIGINT and SIGTERM end cleanly; SIGHUP opens --eve and --write files anew and reads
  --ignore-dst and --accept-src again.
Exit status: 0 done, 1 failed, 2 wrong usage.)";

// Checked, but not in the middle of the help.
CLI::Validator Between(uint32_t low, uint32_t high) {
  return CLI::Range(low, high).description("");
}

void AddSource(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "Where the packets come from";
  app.add_option(
         "-i,--interface", raw.interfaces,
         "Receive from this network interface; several: -i eth0 -i eth1; the two legs of a\n"
         "TAP, merged by time stamp: -i eth0+eth1")
      ->type_name("IFACE")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option("-r,--read", raw.file, "Read a capture file (pcap, pcapng); - is standard input")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--snaplen", raw.snap_length, "Bytes of each frame to look at; 0 = all (default)")
      ->type_name("BYTES")
      ->group(kGroup);
}

void AddLive(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "How an interface is received";
  app.add_option(
         "--ring-mib", raw.live.ring_mib,
         "Memory that each shard shares with the kernel, in MiB; more bridges longer pauses\n"
         "(default 32)")
      ->type_name("N")
      ->check(Between(1u, 1u << 20))
      ->group(kGroup);
  app.add_option("--block-kib", raw.live.block_kib,
                 "Size of the ring's blocks, in KiB (default 256)")
      ->type_name("N")
      ->check(Between(1u, 1u << 21))
      ->group(kGroup);
  app.add_option("--retire-ms", raw.live.retire_ms,
                 "A frame waits at most this long, in ms, for its block to fill (default 4)")
      ->type_name("N")
      ->check(Between(1u, 60'000u))
      ->group(kGroup);
  app.add_option(
         "--overload", raw.overload,
         "While the ring is nearly full: off (default; what finds no room is lost, of any\n"
         "flow) or refuse-new (frames of new flows are shed, so that the others stay whole)")
      ->type_name("HOW")
      ->group(kGroup);
  app.add_option("--shards", raw.shards,
                 "Threads for each interface: a number, or auto (default): one for each receive\n"
                 "queue, as far as there are processors. Each has a ring and tables of its own")
      ->type_name("N|auto")
      ->group(kGroup);
  app.add_option("--cpus", raw.cpus,
                 "Processors they run on, one after another: 2-5,8 (default: those of the\n"
                 "interface's NUMA node)")
      ->type_name("LIST")
      ->group(kGroup);
  app.add_option(
         "--backend", raw.backend,
         "auto (default), packet or xdp. AF_XDP is faster and takes frames away from the\n"
         "host: auto uses it only where the host does not need the interface; xdp insists,\n"
         "and leaves to the host what is for it, ARP, neighbour discovery, DHCP, non-IP")
      ->type_name("HOW")
      ->group(kGroup);
  app.add_option("--xdp-mode", raw.xdp_mode,
                 "auto (default; the first that works), zero-copy, copy or generic")
      ->type_name("MODE")
      ->group(kGroup);
  app.add_option("--busy-poll-us", raw.busy_poll_us,
                 "AF_XDP: look at the device for so long before sleeping (default 0)")
      ->type_name("N")
      ->check(Between(0u, 1'000'000u))
      ->group(kGroup);
  app.add_option(
         "--fanout", raw.fanout,
         "How the kernel distributes frames among shards. Flows stay whole: ebpf (default,\n"
         "where CAP_BPF is there; looks into tunnels, keeps fragments and ICMP errors with\n"
         "their flow), hash, qm where the device's hash is symmetric. They do not: cpu, lb,\n"
         "rnd, rollover. Then flags: rollover (a full ring passes frames on), defrag (the\n"
         "kernel puts datagrams together; incomplete ones are lost)")
      ->type_name("MODE")
      ->group(kGroup);
  app.add_flag("--no-promisc", raw.no_promiscuous, "Only what the interface receives by itself")
      ->group(kGroup);
  app.add_option("--direction", raw.direction, "both (default), in or out")
      ->type_name("WHICH")
      ->group(kGroup);
}

void AddSelection(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "Which packets count";
  app.add_option("--filter", raw.filter, "Only what matches, in tcpdump's language: 'udp port 53'")
      ->type_name("EXPR")
      ->group(kGroup);
  app.add_flag("--ip-only", raw.ip_only,
               "Only frames whose EtherType, behind VLAN tags, is that of IPv4 or IPv6")
      ->group(kGroup);
  app.add_option("--vlan", raw.vlan,
                 "Only frames of these VLANs (the outermost tag's): 7,100-199,untagged")
      ->type_name("LIST")
      ->group(kGroup);
  app.add_option("--ignore-dst", raw.ignore_dst,
                 "Not what goes to these networks; one CIDR a line: 10.0.0.0/8")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--accept-src", raw.accept_src,
                 "Only what comes from these networks; one CIDR a line")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--dedup", raw.dedup,
                 "Drop second copies: off (default), loopback (default for lo), or content,\n"
                 "window=1ms,depth=256,ignore=mac+vlan+ttl+checksum,refresh=no")
      ->type_name("MODE")
      ->group(kGroup);
  app.add_option("--checksum", raw.checksum,
                 "TCP segments whose checksum is wrong: count (default; used all the same, as a\n"
                 "sending host's are not made yet), drop (in no stream), ignore (not looked at)")
      ->type_name("HOW")
      ->group(kGroup);
}

void AddFlows(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "What makes a flow";
  app.add_option("--key", raw.key, "five-tuple (default), ip-pair or mac-pair")
      ->type_name("KIND")
      ->group(kGroup);
  app.add_option("--key-without", raw.key_without,
                 "Do not tell flows apart by these: vlan,pppoe,vni,gre,outer (or all)")
      ->type_name("LIST")
      ->group(kGroup);
  app.add_option("--key-with", raw.key_with, "Do tell flows apart by these (default: all of them)")
      ->type_name("LIST")
      ->group(kGroup);
  app.add_flag("--uniflow", raw.uniflow, "Each direction is a flow of its own")->group(kGroup);
  app.add_option("--decap", raw.decap, "Look into tunnels: auto (default) or off")
      ->type_name("WHEN")
      ->group(kGroup);
  app.add_option("--max-flows", raw.max_flows,
                 "Flows alive at once, in all shards; memory follows (default 100k)")
      ->type_name("N")
      ->group(kGroup);
  app.add_option(
         "--timeout", raw.timeout,
         "Silence that ends a flow (default tcp=5min,syn=20s,unanswered=60s,closing=60s,\n"
         "closed=10s,udp=60s,icmp=30s,other=30s); active=TIME reports long flows in between;\n"
         "hole=TIME: a stream waits so long for lost bytes (default 30s, 0 = to its end);\n"
         "all=TIME sets every one but active")
      ->type_name("LIST")
      ->group(kGroup);
}

void AddStreams(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "TCP streams (put together for --streams and --eve)";
  app.add_option("--streams", raw.streams,
                 "The bytes of each direction of each flow, one file for each in this folder,\n"
                 "named as tcpflow does: 010.000.000.001.40000-010.000.000.002.00080, then c1\n"
                 "for a later connection. The folder is made; a file that an earlier run left\n"
                 "under the same name is written anew")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--stream-holes", raw.stream_holes,
                 "Lost bytes in these files: zero (default, the rest stays at its offset)\n"
                 "or join (left out)")
      ->type_name("HOW")
      ->group(kGroup);
  app.add_flag("--no-reassembly", raw.no_reassembly,
               "--eve without the bytes of streams (weir.stream): costs less than half")
      ->group(kGroup);
  app.add_option("--overlap", raw.overlap,
                 "Which bytes count where segments, or fragments, contradict each other: first\n"
                 "(default), last, or as a system takes them: linux, windows, bsd, solaris...")
      ->type_name("NAME")
      ->group(kGroup);
  app.add_option("--stream-limit", raw.stream_limit,
                 "Bytes of a stream that wait for lost ones (default 1MiB; 0 = no limit, no time\n"
                 "either: only --stream-memory)")
      ->type_name("SIZE")
      ->group(kGroup);
  app.add_option("--stream-depth", raw.stream_depth,
                 "Only the first bytes of each direction; 0 = all (default)")
      ->type_name("SIZE")
      ->group(kGroup);
  app.add_option("--stream-memory", raw.stream_memory,
                 "Memory of all shards for what waits or is kept, taken at start (default 64MiB)")
      ->type_name("SIZE")
      ->group(kGroup);
  app.add_option("--stream-history", raw.stream_history,
                 "Retransmissions are compared with this much of what came before (default 64KiB;\n"
                 "0 = not compared)")
      ->type_name("SIZE")
      ->group(kGroup);
}

void AddOutput(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "What comes out (by default a report for a person)";
  app.add_option("--eve", raw.eve,
                 "One JSON object per flow, as Suricata's eve.json; - is standard output")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--write", raw.write,
                 "Frames that passed filter and dedup, as pcap; - is standard output")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--counters", raw.counters,
                 "Packets and bytes per interval: of each address (ip) or of each flow (flow)")
      ->type_name("ip|flow")
      ->group(kGroup);
  app.add_option("--counters-file", raw.counters_file,
                 "Where they go, as JSON lines; - (default) is standard output, on a terminal as\n"
                 "a table")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--counters-top", raw.counters_top,
                 "Only the busiest rows of an interval, the sum of the rest as other (default:\n"
                 "all; in a table 20)")
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--counters-max", raw.counters_max,
                 "Flows of an interval that are told apart; the rest is counted as other, with ip\n"
                 "when there are more than 65,536 addresses too (default: as --max-flows)")
      ->type_name("N")
      ->group(kGroup);
  app.add_flag("--align", raw.align,
               "Intervals start at multiples of their length on the wall clock (UTC)")
      ->group(kGroup);
  app.add_option("--rotate", raw.rotate, "Go on in a new file after this size or time")
      ->type_name("SIZE|TIME")
      ->group(kGroup);
  app.add_option("--prometheus", raw.prometheus,
                 "Serve all counters to Prometheus at http://ADDRESS:PORT/metrics; ADDRESS is\n"
                 "127.0.0.1, [::1], a name, or nothing for every address")
      ->type_name("ADDRESS:PORT")
      ->group(kGroup);
  app.add_option("--interval", raw.interval,
                 "Time between live summaries, and of --counters (default 5s)")
      ->type_name("TIME")
      ->group(kGroup);
  app.add_flag("-q,--quiet", raw.quiet, "Nothing but errors, and what --eve and --write write")
      ->group(kGroup);
}

void AddEnd(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "When it ends (by default: the file's end, or Ctrl-C)";
  app.add_option("--duration", raw.duration, "After this time: the clock's, with -r the packets'")
      ->type_name("TIME")
      ->group(kGroup);
  app.add_option("--count", raw.count, "After this many frames")->type_name("N")->group(kGroup);
}

void AddPrivileges(CLI::App& app, RawOptions& raw) {
  constexpr char kGroup[] = "What is given up once everything is open";
  app.add_option("--user", raw.user, "Become this user: the files written are this user's, too")
      ->type_name("NAME")
      ->group(kGroup);
  app.add_flag("--drop-all", raw.drop_all,
               "Also the right to open sockets on interfaces: one that vanishes ends the run")
      ->group(kGroup);
  app.add_flag("--no-seccomp", raw.no_seccomp,
               "Not system calls (where a debugger or a library of yours needs more)")
      ->group(kGroup);
}

// CLI11's, with our own usage line.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(26); }
  std::string make_usage(const CLI::App*, std::string) const override {
    return "\nUsage: weir -i IFACE | -r FILE  [options]\n       weir doctor IFACE             what "
           "to mend, before you run it there\n";
  }
};

void Describe(CLI::App& app, RawOptions& raw) {
  app.formatter(std::make_shared<HelpFormatter>());
  AddSource(app, raw);
  AddLive(app, raw);
  AddSelection(app, raw);
  AddFlows(app, raw);
  AddStreams(app, raw);
  AddOutput(app, raw);
  AddEnd(app, raw);
  AddPrivileges(app, raw);
  constexpr char kGroup[] = "Other";
  app.set_config("--config", "", "Read options from this file: lines such as  max-flows = 1M")
      ->type_name("FILE")
      ->group(kGroup);
  // A value is the rest of its line: none of our options takes several.
  app.get_config_formatter_base()->arrayBounds('\1', '\1');
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.set_version_flag("--version", std::string("weir " WEIR_VERSION), "Print the version")
      ->group(kGroup);
  app.set_help_flag("-h,--help", "Print this help")->group(kGroup);
  app.footer(kExamples);
}

CommandLine WrongUsage(std::string_view message) {
  CommandLine result;
  result.text = absl::StrCat("weir: ", std::string(message), "\nweir --help shows all options.\n");
  result.exit_status = 2;
  return result;
}

// What CLI11 reports by an exception: a wish for help, or an error.
CommandLine FromParseError(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out, ignored;
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error, out, ignored);
    return {std::nullopt, absl::StrReplaceAll(out.str(), {{"\n\n\n", "\n\n"}}), 0};
  }
  return WrongUsage(error.what());
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  RawOptions raw;
  CLI::App app(kDescription, "weir");
  Describe(app, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return FromParseError(app, error);
  }
  auto options = Interpret(raw);
  if (!options.ok())
    return WrongUsage({options.status().message().data(), options.status().message().size()});
  CommandLine result;
  result.options = *std::move(options);
  return result;
}

}  // namespace weir
