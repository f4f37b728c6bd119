#include "tools/doctor/doctor_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "rings/network_interface.h"
#include "tools/doctor/backend_trial.h"
#include "tools/doctor/host_facts.h"
#include "tools/doctor/judge.h"
#include "tools/doctor/link_facts.h"
#include "tools/doctor/steering_sample.h"

namespace weir::doctor {
namespace {

const char* WordFor(Health health) {
  switch (health) {
    case Health::kFine:
      return "fine";
    case Health::kUnknown:
      return "unknown";
    case Health::kAdvice:
      return "advice";
    case Health::kMend:
      break;
  }
  return "MEND";
}

// What selects frames, as it was written.
struct RawRules {
  bool ip_only = false;
  std::string vlans, ignore_dst, accept_src;
};

void AddRules(CLI::App& app, DoctorOptions& options, RawRules& rules) {
  app.add_option("--filter", options.filter, "As you would run weir")->type_name("EXPR");
  app.add_flag("--ip-only", rules.ip_only, "As you would run weir");
  app.add_option("--vlan", rules.vlans, "As you would run weir")->type_name("LIST");
  app.add_option("--ignore-dst", rules.ignore_dst, "As you would run weir")->type_name("FILE");
  app.add_option("--accept-src", rules.accept_src, "As you would run weir")->type_name("FILE");
}

absl::Status ReadRules(const RawRules& raw, DoctorOptions& options) {
  FilterRules rules{.ip_only = raw.ip_only};
  if (!raw.vlans.empty()) {
    const auto vlans = ParseVlans(raw.vlans);
    if (!vlans.ok()) return vlans.status();
    rules.vlans = *vlans;
  }
  if (auto status = ReadLists(raw.ignore_dst, raw.accept_src, rules); !status.ok()) return status;
  if (!rules.empty()) options.rules = std::make_shared<const FilterRules>(std::move(rules));
  return absl::OkStatus();
}

void AddOptions(CLI::App& app, DoctorOptions& options, double& sample_s) {
  const std::map<std::string, Backend> backends = {
      {"auto", Backend::kAuto}, {"packet", Backend::kPacket}, {"xdp", Backend::kXdp}};
  std::map<std::string, FanoutMode> modes;
  for (const FanoutMode mode : kFanoutModes) modes.emplace(FanoutModeName(mode), mode);
  app.add_option("interface", options.interface, "What to look at")->required()->type_name("IFACE");
  app.add_option("--backend", options.backend, "As you would run weir: auto, packet or xdp")
      ->transform(CLI::Transformer(backends).description(""))
      ->type_name("NAME");
  app.add_option("--fanout", options.fanout, "As you would run weir")
      ->transform(CLI::Transformer(modes).description(""))
      ->type_name("MODE");
  app.add_option("--shards", options.shards, "As you would run weir")
      ->check(CLI::Range(1, kMostFanoutSockets))
      ->type_name("N");
  app.add_option("--ring-mib", options.ring_mib, "As you would run weir")
      ->check(CLI::Range(1, 1 << 16))
      ->type_name("N");
  app.add_option("--sample", sample_s, "Seconds for which traffic is watched")
      ->check(CLI::Range(0.0, 3600.0))
      ->type_name("S")
      ->capture_default_str();
}

constexpr size_t kIndent = 24;
constexpr size_t kColumns = 100;

// The sentence, in lines of kColumns that begin at kIndent.
std::string Wrap(std::string_view text) {
  std::string wrapped;
  size_t column = kIndent;
  for (const absl::string_view word :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ' ')) {
    const bool first = wrapped.empty();
    if (!first && column + 1 + word.size() > kColumns) {
      absl::StrAppend(&wrapped, "\n", std::string(kIndent, ' '));
      column = kIndent;
    } else if (!first) {
      wrapped += ' ';
      ++column;
    }
    absl::StrAppend(&wrapped, word);
    column += word.size();
  }
  return wrapped;
}

bool Works(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.health == Health::kMend; });
}

}  // namespace

std::string Describe(const std::string& interface, const std::vector<Finding>& findings) {
  std::string text = absl::StrCat("weir doctor ", interface, "\n\n");
  int mend = 0, advice = 0;
  for (const Finding& finding : findings) {
    mend += finding.health == Health::kMend;
    advice += finding.health == Health::kAdvice;
    absl::StrAppendFormat(&text, "  %-7s  %-11s  %s\n", WordFor(finding.health), finding.check,
                          Wrap(finding.says));
    for (const std::string& command : finding.mend)
      absl::StrAppendFormat(&text, "  %-7s  %-11s  # %s\n", "", "", command);
  }
  absl::StrAppendFormat(&text,
                        "\n%d to mend, %d to consider. Lines that begin with # are "
                        "commands for root.\n",
                        mend, advice);
  return text;
}

int RunDoctor(const std::vector<std::string>& arguments) {
  DoctorOptions options;
  RawRules rules;
  double sample_s = 2;
  CLI::App app("Looks at an interface and at this machine, and says what to mend for weir.",
               "weir doctor");
  AddOptions(app, options, sample_s);
  AddRules(app, options, rules);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    std::fprintf(stderr, "weir doctor: %s\nweir doctor --help shows all options.\n", error.what());
    return 2;
  }
  options.sample_ns = static_cast<int64_t>(sample_s * 1e9);
  if (const auto status = ReadRules(rules, options); !status.ok()) {
    std::fprintf(stderr, "weir doctor: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  const auto link = LookAtLink(options.interface);
  if (!link.ok()) {
    std::fprintf(stderr, "weir doctor: %s\n", std::string(link.status().message()).c_str());
    return 1;
  }
  const HostFacts host = LookAtHost();
  const SteeringFacts steering = LookAtSteering(options);
  const BackendFacts backend = TryBackends(options);
  const std::vector<Finding> findings = Judge(options, *link, host, steering, backend);
  std::fputs(Describe(options.interface, findings).c_str(), stdout);
  return Works(findings) ? 0 : 1;
}

}  // namespace weir::doctor
