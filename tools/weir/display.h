// What a person sees while the command runs. One of: a screen that refreshes (interface, terminal),
// a line now and then (interface, no terminal), a progress bar (file, terminal), nothing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "tools/weir/run_sample.h"
#include "tools/weir/shard_session.h"

namespace weir {

class Display {
 public:
  virtual ~Display() = default;
  virtual int64_t interval_ns() const = 0;
  // True: Show wants to know the busy flows of all shards, or how far a file was read.
  virtual bool wants_scene() const { return false; }
  // Called about once per interval_ns().
  virtual void Show(const RunSample& now, const ShardScene& scene) = 0;
  // Called once, before the final report.
  virtual void Finish(const RunSample&) {}
};

// Refreshes every second, or every `interval_ns` where that is shorter.
std::unique_ptr<Display> MakeLiveScreen(FILE* stream, std::string interface, int64_t interval_ns);

// The last, shorter interval is written by Finish.
std::unique_ptr<Display> MakeLiveLines(FILE* stream, int64_t interval_ns);

std::unique_ptr<Display> MakeProgressBar(FILE* stream, std::string name);

}  // namespace weir
