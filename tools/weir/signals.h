// Signals of a run: SIGINT and SIGTERM stop the shard (a second one kills), SIGHUP asks for files
// to be opened anew, SIGPIPE is ignored (the write that caused it fails instead).
//
// One at a time in a process. Thread: made and destroyed by the thread that polls.
#pragma once

namespace weir {

class Shard;

class RunSignals {
 public:
  // `shard` must outlive this object.
  explicit RunSignals(Shard& shard);
  ~RunSignals();
  RunSignals(const RunSignals&) = delete;
  RunSignals& operator=(const RunSignals&) = delete;

  // True once after each SIGHUP.
  bool TakeReopen();
};

}  // namespace weir
