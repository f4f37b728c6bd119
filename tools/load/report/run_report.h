// A run and its verdict, for people and for programs.
#pragma once

#include <string>

#include "tools/load/run/run_result.h"
#include "tools/load/traffic/profile.h"
#include "tools/load/verdict/verdict.h"

namespace weir::load {

Verdict JudgeRun(const RunResult& result, bool shared = false);

// Some lines: what was sent, what of it arrived, what it cost, and whether all is as it should be.
std::string RunText(const TrafficProfile& profile, const RunResult& result, const Verdict& verdict);

// One JSON object, in one line.
std::string RunJson(const TrafficProfile& profile, const RunResult& result, const Verdict& verdict);

// SVG: where the frames went, and how long they took.
std::string RunPicture(const TrafficProfile& profile, const RunResult& result,
                       const Verdict& verdict);

// Nanoseconds of the shards' threads per frame; 0 where no time was taken.
double NsPerFrame(const RunResult& result);

}  // namespace weir::load
