// Figures of a live shard, for anyone to repeat:
//
//   weir_live_run rate  [--bytes 60] [--seconds 2]   drops and load at the sender's highest rate
//   weir_live_run drain [--bytes 60]                 cost of emptying a full ring, beside memory
//   weir_live_run rate --backend xdp [--bare]        the same over AF_XDP; without weir
//   weir_live_run drain --backend xdp
//   weir_live_run scale                              two shards beside two processes of the floor
//
// Two processors: one sends, one is the shard's. Time is the thread's own, so that other programs
// on the machine do not count; still, the quieter it is, the better.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "perf/live_run/run.h"

int main(int argc, char** argv) {
  weir::perf::RunOptions options;
  CLI::App app("Measures a live shard.");
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--bytes", options.frame_bytes)->capture_default_str();
  app.add_option("--flows", options.flows)->capture_default_str();
  app.add_option("--ring-mib", options.ring_mib)->capture_default_str();
  app.add_option("--block-kib", options.block_kib)->capture_default_str();
  app.add_option("--retire-ms", options.retire_ms)->capture_default_str();
  app.add_option("--spin-us", options.spin_us)->capture_default_str();
  app.add_option("--backend", options.backend, "packet, xdp or xdp-generic")
      ->check(CLI::IsMember({"packet", "xdp", "xdp-generic"}))
      ->capture_default_str();
  app.add_flag("--bare", options.bare, "rate: a bare loop over AF_XDP rings, no shard");
  app.add_option("--sender-cpu", options.sender_processor)->capture_default_str();
  app.add_option("--shard-cpu", options.shard_processor)->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();
  absl::Status status;
  const auto add = [&](const char* name, const char* what,
                       absl::Status (*run)(const weir::perf::RunOptions&)) {
    app.add_subcommand(name, what)->callback([&status, &options, run] { status = run(options); });
  };
  add("rate", "Drops and load at the sender's highest rate", weir::perf::RunRate);
  add("drain", "Cost of emptying a full ring, beside the memory source", weir::perf::RunDrain);
  add("scale", "Two shards from memory beside two processes of the floor", weir::perf::RunScale);
  CLI11_PARSE(app, argc, argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "weir_live_run: %s\n", std::string(status.message()).c_str());
  return 1;
}
