// An output file that goes on in a new one by size or time, for --eve and --write.
//
// Names, like tcpdump's: FILE, then FILE1, FILE2... A FILE with a % in it is a strftime(3) format
// (local time), expanded whenever a file is opened, like tcpdump -G and Suricata; a name that this
// run had before gets the number behind it. "-" is standard output and never rotates. A file that
// is there already is written anew. Time is the caller's: packet time for a capture file, the clock
// for a live interface.
//
// Thread: one. Errors (full disk, closed pipe) are absl::Status that name the file; whoever writes
// to a pipe ignores SIGPIPE. A pipe whose reader has ended is kCancelled: so ends `weir ... |
// head`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

class RotatingFile {
 public:
  struct Options {
    std::string path = {};      // "-" = standard output
    uint64_t rotate_bytes = 0;  // a file this long is followed by the next one; 0 = no limit
    int64_t rotate_ns = 0;      // likewise after this time; 0 = no limit
    std::string prologue = {};  // what every file starts with: a file header
  };

  static absl::StatusOr<std::unique_ptr<RotatingFile>> Open(const Options& options, int64_t now_ns);
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // Writes whole records to the kernel; rotates first where a limit has been reached, so that a
  // file is longer than its limit by less than one Write.
  absl::Status Write(std::string_view records, int64_t now_ns);

  // Goes on in the next file now.
  absl::Status Rotate(int64_t now_ns);

  // For SIGHUP, after logrotate(8) moved the file away: opens the same name again. Where nobody
  // moved it, it is appended to.
  absl::Status Reopen();

  // Closes; the status says whether all was stored. The destructor closes without telling.
  absl::Status Close();

  const std::string& path() const { return path_; }  // of the file that is open now
  uint64_t files() const { return files_; }          // opened so far
  uint64_t bytes() const { return bytes_; }          // in the file that is open now

 private:
  explicit RotatingFile(const Options& options) : options_(options) {}
  bool Due(int64_t now_ns) const;
  std::string NextPath(int64_t now_ns);
  absl::Status OpenPath(bool append);
  absl::Status WriteAll(std::string_view bytes);
  bool standard_output() const { return options_.path == "-"; }

  Options options_;
  std::string path_;
  std::string expanded_;  // the last name without a number
  uint64_t number_ = 0;
  int fd_ = -1;
  uint64_t files_ = 0;
  uint64_t bytes_ = 0;
  int64_t opened_ns_ = 0;
};

}  // namespace weir
