// Signals of a run: SIGINT and SIGTERM stop the engine (a second one kills), SIGHUP asks for files
// to be opened anew, SIGPIPE is ignored (the write that caused it fails instead).
//
// One at a time in a process. Thread: made and destroyed by one.
#pragma once

namespace weir {

class Engine;

class RunSignals {
 public:
  // `engine` must outlive this object.
  explicit RunSignals(Engine& engine);
  ~RunSignals();
  RunSignals(const RunSignals&) = delete;
  RunSignals& operator=(const RunSignals&) = delete;

  // True once after each SIGHUP.
  bool TakeReopen();
};

}  // namespace weir
