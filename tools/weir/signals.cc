#include "tools/weir/signals.h"

#include <csignal>

#include "engine/engine.h"

namespace weir {
namespace {

// Written before the handlers are installed and after they are removed.
Engine* stopped_by_signal = nullptr;
volatile std::sig_atomic_t reopen_asked = 0;

void OnStop(int) { stopped_by_signal->Stop(); }
void OnReopen(int) { reopen_asked = 1; }

void Install(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

}  // namespace

RunSignals::RunSignals(Engine& engine) {
  stopped_by_signal = &engine;
  constexpr int kOnce = static_cast<int>(SA_RESETHAND);
  Install(SIGINT, OnStop, kOnce);
  Install(SIGTERM, OnStop, kOnce);
  Install(SIGHUP, OnReopen, 0);
  Install(SIGPIPE, SIG_IGN, 0);
}

RunSignals::~RunSignals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) Install(signal, SIG_DFL, 0);
  stopped_by_signal = nullptr;
}

bool RunSignals::TakeReopen() {
  const bool asked = reopen_asked != 0;
  if (asked) reopen_asked = 0;
  return asked;
}

}  // namespace weir
