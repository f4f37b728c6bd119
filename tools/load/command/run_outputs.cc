#include "tools/load/command/run_outputs.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "tools/load/report/run_report.h"

namespace weir::load {

void AddOutputOptions(CLI::App& app, RunOutputs& outputs) {
  constexpr char kGroup[] = "Results";
  app.add_option("--json", outputs.json, "The result as JSON; - is standard output")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--picture", outputs.picture, "The result as a picture (SVG)")
      ->type_name("FILE")
      ->group(kGroup);
}

absl::Status WriteText(const std::string& path, std::string_view text) {
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return absl::OkStatus();
  }
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) == 0 && written) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
}

int Tell(const TrafficProfile& profile, const absl::StatusOr<RunResult>& result,
         const RunOutputs& outputs, bool shared) {
  absl::Status status = result.status();
  bool good = false;
  if (status.ok()) {
    const Verdict verdict = JudgeRun(*result, shared);
    good = verdict.good();
    if (outputs.json != "-") status.Update(WriteText("-", RunText(profile, *result, verdict)));
    if (!outputs.json.empty())
      status.Update(WriteText(outputs.json, RunJson(profile, *result, verdict) + "\n"));
    if (!outputs.picture.empty())
      status.Update(WriteText(outputs.picture, RunPicture(profile, *result, verdict)));
  }
  if (status.ok()) return good ? 0 : 1;
  std::fprintf(stderr, "weir-load: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace weir::load
