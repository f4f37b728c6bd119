// Runs the built command as a user would, and keeps what it said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temporary_folder.h"

namespace weir::test {

struct CommandResult {
  int status = -1;  // exit status, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

class Command {
 public:
  explicit Command(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // Where standard output goes, when not into CommandResult::out.
  Command& OutputTo(std::string path) {
    output_path_ = std::move(path);
    return *this;
  }
  // The reading end of standard output is closed before the command starts.
  Command& WithClosedReader() {
    closed_reader_ = true;
    return *this;
  }
  // Standard input is a pipe that stays open: see WriteInput.
  Command& WithInputPipe() {
    input_pipe_ = true;
    return *this;
  }
  // Without CAP_NET_RAW, also for root.
  Command& WithoutPrivilege() {
    without_privilege_ = true;
    return *this;
  }
  // As an ordinary user with these capabilities (CAP_NET_RAW...) and no way to others, as a
  // service manager would start it. Needs root.
  Command& WithOnly(std::vector<int> capabilities) {
    only_ = std::move(capabilities);
    return *this;
  }

  // Another copy of the command, run by a user without privileges (65534, as nobody is everywhere).
  Command& AsNobody(std::string program) {
    nobodys_program_ = std::move(program);
    return *this;
  }

  // The test makes it do what its filter of system calls refuses. Else no call of weir's own may be
  // refused: Finish looks at what it said.
  Command& WithRefusedCalls() {
    refused_calls_ = true;
    return *this;
  }

  void Start();
  void WriteInput(const Bytes& bytes);
  void CloseInput();
  void Signal(int signal) const;
  // Waits until its capture and its files are open and its signals have handlers: no frame that is
  // sent from now on is missed, and no signal kills it. False when it does not come to that.
  bool WaitUntilReady() const;
  pid_t pid() const { return pid_; }
  // What it has said on standard error so far.
  std::string SaidSoFar() const { return ReadFile(err_path_); }
  CommandResult Finish();

  CommandResult Run() {
    Start();
    return Finish();
  }

 private:
  [[noreturn]] void Child(int input) const;

  std::vector<std::string> arguments_;
  std::string output_path_;
  std::string nobodys_program_;  // empty: the command itself, by whoever runs the test
  std::string out_path_, err_path_;
  bool closed_reader_ = false;
  bool input_pipe_ = false;
  bool without_privilege_ = false;
  bool refused_calls_ = false;
  std::optional<std::vector<int>> only_;
  int input_fd_ = -1;
  pid_t pid_ = -1;
};

CommandResult RunWeir(std::vector<std::string> arguments);

// A pcap file (microseconds, Ethernet) of `frames`, `step_us` apart, starting at 1,000,000,000 s.
Bytes PcapOf(const std::vector<Bytes>& frames, uint32_t step_us = 1000);
void WriteFile(const std::string& path, const Bytes& bytes);
std::vector<std::string> Lines(const std::string& text);

}  // namespace weir::test
