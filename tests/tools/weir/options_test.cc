#include "tools/weir/options.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace weir {
namespace {

using testing::HasSubstr;

CommandLine Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "weir");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

CommandOptions Options(std::vector<const char*> arguments) {
  const CommandLine line = Parse(std::move(arguments));
  EXPECT_TRUE(line.options.has_value()) << line.text;
  return line.options.value_or(CommandOptions{});
}

void ExpectUsageError(std::vector<const char*> arguments, const char* message) {
  const CommandLine line = Parse(std::move(arguments));
  EXPECT_FALSE(line.options.has_value());
  EXPECT_EQ(line.exit_status, 2);
  EXPECT_THAT(line.text, HasSubstr(message));
  EXPECT_THAT(line.text, HasSubstr("weir --help"));
}

TEST(Options, DefaultsOfAFile) {
  const CommandOptions options = Options({"-r", "a.pcap"});
  EXPECT_EQ(options.file, "a.pcap");
  EXPECT_FALSE(options.live_capture());
  EXPECT_EQ(options.flow.max_flows, 100'000u);
  EXPECT_TRUE(options.flow.bidirectional);
  EXPECT_EQ(options.dedup.mode, DedupMode::kOff);
  EXPECT_EQ(options.interval_ns, 5'000'000'000);
  EXPECT_TRUE(options.decoder.decapsulate);
}

TEST(Options, LoopbackDedupIsTheDefaultForLoOnly) {
  const DedupOptions lo = Options({"-i", "lo"}).dedup;
  EXPECT_EQ(lo.mode, DedupMode::kLoopback);
  EXPECT_EQ(lo.window_ns, 1'000'000);
  EXPECT_EQ(lo.depth, 256u);
  EXPECT_EQ(Options({"-i", "eth0"}).dedup.mode, DedupMode::kOff);
  EXPECT_EQ(Options({"-i", "lo", "--dedup", "off"}).dedup.mode, DedupMode::kOff);
}

TEST(Options, EveryOptionOfAnInterface) {
  const CommandOptions options =
      Options({"-i",           "eth0",        "--ring-mib", "128",        "--block-kib",
               "512",          "--retire-ms", "5",          "--snaplen",  "96",
               "--no-promisc", "--direction", "in",         "--overload", "refuse-new",
               "--duration",   "10s",         "--count",    "1k",         "-q"});
  EXPECT_EQ(options.live.ring_mib, 128u);
  EXPECT_EQ(options.live.block_kib, 512u);
  EXPECT_EQ(options.live.retire_ms, 5u);
  EXPECT_EQ(options.snap_length, 96u);
  EXPECT_FALSE(options.live.promiscuous);
  EXPECT_EQ(options.live.direction, CaptureDirection::kIn);
  EXPECT_EQ(options.overload, Overload::kRefuseNew);
  EXPECT_EQ(options.duration_ns, 10'000'000'000);
  EXPECT_EQ(options.count, 1000u);
  EXPECT_TRUE(options.quiet);
}

TEST(Options, KeyOfAFlow) {
  const CommandOptions options = Options(
      {"-r", "a", "--key", "mac-pair", "--uniflow", "--decap", "off", "--key-without", "vlan,vni"});
  EXPECT_EQ(options.flow.key, KeyKind::kMacPair);
  EXPECT_TRUE(options.decoder.mac_addresses);
  EXPECT_FALSE(options.flow.bidirectional);
  EXPECT_FALSE(options.decoder.decapsulate);
  EXPECT_EQ(options.decoder.key_parts, key_part::kAll & ~(key_part::kVlan | key_part::kVni));
}

TEST(Options, KeyWithComesAfterKeyWithout) {
  const CommandOptions options =
      Options({"-r", "a", "--key-with", "outer", "--key-without", "all"});
  EXPECT_EQ(options.decoder.key_parts, key_part::kOuter);
}

TEST(Options, RecordsDoNotNeedStreams) {
  EXPECT_FALSE(Options({"-r", "a", "--eve", "b", "--no-reassembly"}).flow.streams.has_value());
  ExpectUsageError({"-r", "a", "--no-reassembly"}, "--no-reassembly");
  ExpectUsageError({"-r", "a", "--streams", "d", "--no-reassembly"}, "--streams DIR needs");
  ExpectUsageError({"-r", "a", "--eve", "b", "--no-reassembly", "--stream-limit", "1k"},
                   "--stream-limit");
}

TEST(Options, StreamsArePutTogetherOnlyForThoseWhoTellOfThem) {
  EXPECT_FALSE(Options({"-r", "a", "--write", "b"}).flow.streams.has_value());
  EXPECT_TRUE(Options({"-r", "a", "--eve", "b"}).flow.streams.has_value());
  EXPECT_TRUE(Options({"-r", "a", "--streams", "b"}).flow.streams.has_value());
}

TEST(Options, StreamsByDefault) {
  const CommandOptions options = Options({"-r", "a", "--streams", "b"});
  EXPECT_EQ(options.streams, "b");
  EXPECT_EQ(options.stream_holes, StreamHoles::kZero);
  EXPECT_EQ(options.flow.streams->overlap, OverlapPolicy::kFirst);
  EXPECT_EQ(options.flow.streams->history_bytes, 64u << 10);
  EXPECT_EQ(options.flow.streams->stream_bytes, 1u << 20);
  EXPECT_EQ(options.flow.streams->depth, 0u);
}

TEST(Options, EveryOptionOfStreams) {
  const CommandOptions options =
      Options({"-r", "a", "--streams", "b", "--stream-holes", "join", "--overlap", "windows",
               "--stream-limit", "2MiB", "--stream-depth", "10k", "--stream-memory", "1GiB",
               "--stream-history", "0", "--timeout", "hole=5s"});
  EXPECT_EQ(options.stream_holes, StreamHoles::kJoin);
  const StreamOptions& streams = *options.flow.streams;
  EXPECT_EQ(streams.overlap, OverlapPolicy::kWindows);
  EXPECT_EQ(streams.stream_bytes, 2u << 20);
  EXPECT_EQ(streams.stream_pieces, 8192u) << "smaller pieces than segments have room as well";
  EXPECT_EQ(streams.depth, 10u << 10);
  EXPECT_EQ(streams.memory_bytes, 1u << 30);
  EXPECT_EQ(streams.history_bytes, 0u);
  EXPECT_EQ(streams.hole_timeout_ns, 5 * Timeouts::kSecond);
}

TEST(Options, OverlapIsOfFragmentsToo) {
  EXPECT_EQ(Options({"-r", "a"}).defragment.overlap, OverlapPolicy::kFirst);
  EXPECT_EQ(Options({"-r", "a", "--overlap", "linux"}).defragment.overlap, OverlapPolicy::kLinux);
}

TEST(Options, WithoutStreamLimitOnlyTheCommonMemoryLimits) {
  const StreamOptions streams =
      *Options({"-r", "a", "--eve", "b", "--stream-limit", "0"}).flow.streams;
  EXPECT_EQ(streams.stream_bytes, 0u);
  EXPECT_EQ(streams.stream_pieces, 0u);
  EXPECT_EQ(streams.hole_timeout_ns, 0);
  EXPECT_EQ(Options({"-r", "a", "--eve", "b", "--stream-limit", "0", "--timeout", "hole=1s"})
                .flow.streams->hole_timeout_ns,
            Timeouts::kSecond)
      << "a time that is asked for counts";
}

TEST(Options, ChecksumsAreCountedUnlessAskedOtherwise) {
  EXPECT_EQ(Options({"-r", "a"}).checksum, ChecksumMode::kCount);
  EXPECT_EQ(Options({"-r", "a", "--checksum", "drop"}).checksum, ChecksumMode::kDrop);
  EXPECT_EQ(Options({"-r", "a", "--checksum", "ignore"}).checksum, ChecksumMode::kIgnore);
  ExpectUsageError({"-r", "a", "--checksum", "yes"}, "--checksum: 'yes' is none of: ignore, count");
}

TEST(Options, StreamOptionsThatNothingReadsAreRefused) {
  ExpectUsageError({"-r", "a", "--eve", "b", "--stream-holes", "join"}, "--streams DIR");
  for (const char* option :
       {"--stream-limit", "--stream-depth", "--stream-memory", "--stream-history"}) {
    ExpectUsageError({"-r", "a", option, "1k"}, option);
    ExpectUsageError({"-r", "a", option, "1k"}, "--streams DIR or --eve FILE");
  }
}

TEST(Options, WrongStreamValuesNameTheOption) {
  ExpectUsageError({"-r", "a", "--overlap", "lunix"}, "--overlap: 'lunix' is none of: first,");
  ExpectUsageError({"-r", "a", "--eve", "b", "--stream-limit", "much"}, "--stream-limit:");
  ExpectUsageError({"-r", "a", "--eve", "b", "--stream-memory", "0"}, "--stream-memory: must be");
  ExpectUsageError({"-r", "a", "--eve", "b", "--stream-history", "5G"}, "5G is too large");
}

TEST(Options, InterfacesAndLegs) {
  using Legs = std::vector<std::vector<std::string>>;
  EXPECT_EQ(Options({"-i", "eth0"}).interfaces, (Legs{{"eth0"}}));
  EXPECT_EQ(Options({"-i", "eth0", "-i", "eth1"}).interfaces, (Legs{{"eth0"}, {"eth1"}}));
  EXPECT_EQ(Options({"-i", "eth0+eth1,eth2"}).interfaces, (Legs{{"eth0", "eth1"}, {"eth2"}}));
  EXPECT_EQ(Options({"-i", "eth0+eth1", "-i", "eth2"}).InterfaceNames(), "eth0+eth1,eth2");
  ExpectUsageError({"-i", "eth0+"}, "-i: 'eth0+' is neither an interface (eth0) nor the two legs");
  ExpectUsageError({"-i", "a+b+c"}, "the two legs of a TAP (eth0+eth1)");
  ExpectUsageError({"-i", "a", "-i", "b", "--streams", "d"}, "run weir once for each");
}

TEST(Options, ShardsAndWhereTheyRun) {
  EXPECT_EQ(Options({"-i", "eth0"}).live.shards, 0);
  EXPECT_EQ(Options({"-i", "eth0", "--shards", "auto"}).live.shards, 0);
  EXPECT_EQ(Options({"-i", "eth0", "--shards", "4"}).live.shards, 4);
  EXPECT_EQ(Options({"-i", "eth0", "--cpus", "0-2,7"}).live.cpus, (std::vector<int>{0, 1, 2, 7}));
  ExpectUsageError({"-i", "eth0", "--shards", "0"}, "--shards: '0' is neither auto nor a number");
  ExpectUsageError({"-i", "eth0", "--shards", "many"}, "from 1 to 256");
  ExpectUsageError({"-i", "eth0", "--cpus", "1-"}, "--cpus: '1-' is no list of processors");
  ExpectUsageError({"-r", "a", "--shards", "2"}, "--shards is for an interface");
  ExpectUsageError({"-r", "a", "--cpus", "1"}, "--cpus is for an interface");
}

TEST(Options, TheBackEndIsChosenUnlessAnOptionSaysWhich) {
  EXPECT_EQ(Options({"-i", "eth0"}).live.backend.backend, Backend::kAuto);
  EXPECT_EQ(Options({"-i", "eth0", "--backend", "xdp"}).live.backend.backend, Backend::kXdp);
  EXPECT_EQ(Options({"-i", "eth0", "--backend", "packet"}).live.backend.backend, Backend::kPacket);
  for (const auto* option : {"--fanout", "--block-kib", "--retire-ms"}) {
    const char* const value = option == std::string("--fanout") ? "hash" : "256";
    EXPECT_EQ(Options({"-i", "eth0", option, value}).live.backend.backend, Backend::kPacket);
    ExpectUsageError({"-i", "eth0", "--backend", "xdp", option, value}, "is about packet sockets");
  }
  ExpectUsageError({"-i", "eth0", "--backend", "dpdk"}, "'dpdk' is none of: auto, packet, xdp");
  ExpectUsageError({"-r", "a", "--backend", "xdp"}, "--backend is for an interface");
}

TEST(Options, XdpModes) {
  EXPECT_EQ(Options({"-i", "eth0"}).live.backend.xdp_mode, std::nullopt);
  const auto mode = [](const char* name) {
    return Options({"-i", "eth0", "--xdp-mode", name}).live.backend.xdp_mode;
  };
  EXPECT_EQ(mode("auto"), std::nullopt);
  EXPECT_EQ(mode("zero-copy"), XdpMode::kZeroCopy);
  EXPECT_EQ(mode("copy"), XdpMode::kCopy);
  EXPECT_EQ(mode("generic"), XdpMode::kGeneric);
  ExpectUsageError({"-i", "eth0", "--xdp-mode", "fast"}, "zero-copy, copy, generic");
  ExpectUsageError({"-i", "eth0", "--backend", "packet", "--xdp-mode", "copy"}, "about AF_XDP");
  EXPECT_EQ(Options({"-i", "eth0", "--busy-poll-us", "50"}).live.backend.busy_poll_us, 50u);
}

TEST(Options, FanoutModesAndFlags) {
  EXPECT_EQ(Options({"-i", "eth0"}).live.fanout.mode, FanoutMode::kEbpf);
  for (const char* mode : {"hash", "cpu", "qm", "lb", "rnd", "rollover", "ebpf"}) {
    const FanoutOptions fanout = Options({"-i", "eth0", "--fanout", mode}).live.fanout;
    EXPECT_EQ(FanoutModeName(fanout.mode), mode);
    EXPECT_FALSE(fanout.rollover || fanout.defragment);
  }
  const FanoutOptions both =
      Options({"-i", "eth0", "--fanout", "hash,defrag,rollover"}).live.fanout;
  EXPECT_TRUE(both.rollover && both.defragment);
  ExpectUsageError({"-i", "eth0", "--fanout", "best"},
                   "--fanout: 'best' is none of: hash, cpu, qm");
  ExpectUsageError({"-i", "eth0", "--fanout", "hash,fast"}, "'fast' is none of: defrag, rollover");
  ExpectUsageError({"-i", "eth0", "--fanout", "rollover,rollover"}, "leave it out");
  ExpectUsageError({"-r", "a", "--fanout", "hash"}, "--fanout is for an interface");
}

TEST(Options, WithoutASourceTheHintNamesBoth) {
  ExpectUsageError({}, "which traffic? Give an interface (weir -i eth0) or a capture file");
}

TEST(Options, WrongMixesSayWhatToDo) {
  ExpectUsageError({"-i", "lo", "-r", "a"}, "not both");
  ExpectUsageError({"-r", "a", "--ring-mib", "8"}, "--ring-mib is for an interface");
  ExpectUsageError({"-r", "a", "--no-promisc"}, "leave it out with -r");
  ExpectUsageError({"-r", "a", "--direction", "in"}, "leave it out with -r");
  ExpectUsageError({"-r", "a", "--overload", "refuse-new"}, "--overload is for an interface");
  ExpectUsageError({"-r", "a", "--eve", "-", "--write", "-"}, "give one of them a file");
  ExpectUsageError({"-r", "a", "--eve", "x", "--write", "x"}, "give each its own");
  ExpectUsageError({"-r", "a", "--rotate", "1MiB"}, "needs --eve FILE or --write FILE");
  ExpectUsageError({"-r", "a", "--eve", "-", "--rotate", "1MiB"}, "needs --eve FILE");
}

TEST(Options, WrongValuesNameTheOption) {
  ExpectUsageError({"-r", "a", "--timeout", "udp=5"}, "--timeout: '5' is not a time");
  ExpectUsageError({"-r", "a", "--dedup", "some"},
                   "--dedup: 'some' is none of: off, loopback, content");
  ExpectUsageError({"-r", "a", "--max-flows", "0"}, "--max-flows: must be more than 0");
  ExpectUsageError({"-r", "a", "--max-flows", "9G"}, "--max-flows: 9G is too large");
  ExpectUsageError({"-r", "a", "--interval", "0"}, "--interval: must be more than 0");
  ExpectUsageError({"-i", "lo", "--ring-mib", "0"}, "--ring-mib");
  ExpectUsageError({"-r", "a", "--decap", "on"}, "--decap: 'on' is none of: auto, off");
  ExpectUsageError({"-r", "a", "--no-such-option"}, "--no-such-option");
  ExpectUsageError({"-r"}, "-r");
}

TEST(Options, PrometheusIsAnAddressAndAPort) {
  EXPECT_FALSE(Options({"-r", "a"}).prometheus.has_value());
  const auto address = Options({"-r", "a", "--prometheus", "[::1]:9090"}).prometheus;
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 9090);
  ExpectUsageError({"-r", "a", "--prometheus", "localhost"},
                   "--prometheus: 'localhost' has no port");
}

TEST(Options, HelpIsGroupedAndHasExamples) {
  const CommandLine line = Parse({"--help"});
  EXPECT_EQ(line.exit_status, 0);
  EXPECT_THAT(line.text, HasSubstr("Usage: weir -i IFACE | -r FILE"));
  EXPECT_THAT(line.text, HasSubstr("Which packets count:"));
  EXPECT_THAT(line.text, HasSubstr("Examples:"));
  EXPECT_THAT(line.text, HasSubstr("Exit status: 0 done, 1 failed, 2 wrong usage."));
}

// Everything that can be written is in the help.
TEST(Options, HelpNamesEveryOption) {
  const std::string help = Parse({"--help"}).text;
  for (const char* option : {"-i",
                             "-r",
                             "--dedup",
                             "--filter",
                             "--prometheus",
                             "--ignore-dst",
                             "--accept-src",
                             "--key",
                             "--key-with",
                             "--key-without",
                             "--uniflow",
                             "--decap",
                             "--max-flows",
                             "--timeout",
                             "--eve",
                             "--rotate",
                             "--write",
                             "--ring-mib",
                             "--block-kib",
                             "--retire-ms",
                             "--snaplen",
                             "--no-promisc",
                             "--direction",
                             "--overload",
                             "--duration",
                             "--count",
                             "--interval",
                             "--quiet",
                             "--config",
                             "--version",
                             "--streams",
                             "--checksum",
                             "--stream-holes",
                             "--overlap",
                             "--stream-limit",
                             "--stream-depth",
                             "--stream-memory",
                             "--stream-history"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
}

TEST(Options, Version) {
  const CommandLine line = Parse({"--version"});
  EXPECT_EQ(line.exit_status, 0);
  EXPECT_THAT(line.text, testing::MatchesRegex("weir [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

class ConfigTest : public testing::Test {
 protected:
  // ctest runs each case as a process of its own, several at once.
  ConfigTest() : path_(testing::TempDir() + "weir_options_test." + std::to_string(getpid())) {}
  ~ConfigTest() override { std::remove(path_.c_str()); }
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  std::string path_;
};

TEST_F(ConfigTest, HasTheNamesOfTheCommandLine) {
  Write(
      "# what we always want\n"
      "max-flows = 1M\n"
      "timeout = udp=5s,tcp=1min\n"
      "dedup = content,window=2ms,depth=512\n"
      "filter = tcp port 443 or udp port 53\n"
      "uniflow = true\n");
  const CommandOptions options = Options({"-r", "a", "--config", path_.c_str()});
  EXPECT_EQ(options.flow.max_flows, 1'000'000u);
  EXPECT_EQ(options.flow.timeouts.udp, 5 * Timeouts::kSecond);
  EXPECT_EQ(options.flow.timeouts.tcp_established, 60 * Timeouts::kSecond);
  EXPECT_EQ(options.dedup.depth, 512u);
  EXPECT_EQ(options.filter, "tcp port 443 or udp port 53");
  EXPECT_FALSE(options.flow.bidirectional);
}

TEST_F(ConfigTest, TheCommandLineWins) {
  Write("max-flows = 1M\n");
  EXPECT_EQ(Options({"-r", "a", "--config", path_.c_str(), "--max-flows", "5"}).flow.max_flows, 5u);
}

TEST_F(ConfigTest, AnUnknownNameIsAnError) {
  Write("max-flow = 1M\n");
  ExpectUsageError({"-r", "a", "--config", path_.c_str()}, "max-flow");
}

TEST_F(ConfigTest, AMissingFileIsAnError) {
  ExpectUsageError({"-r", "a", "--config", "/no/such/file"}, "/no/such/file");
}

}  // namespace
}  // namespace weir
