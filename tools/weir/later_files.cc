#include "tools/weir/later_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tools/privileges/privileges.h"

namespace weir {
namespace {

// A file that is there, and can be written to, needs no folder until it is rotated.
absl::Status CheckFile(const CommandOptions& options, const std::string& file,
                       const std::string& option) {
  if (file.empty() || file == "-") return absl::OkStatus();
  const bool rotates = options.rotate.bytes != 0 || options.rotate.age_ns != 0;
  if (!rotates && faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0) return absl::OkStatus();
  const std::string folder = std::filesystem::path(file).parent_path().string();
  return CheckFolder(folder.empty() ? "." : folder, option);
}

}  // namespace

absl::Status CheckFolders(const CommandOptions& options) {
  absl::Status status;
  status.Update(CheckFile(options, options.write, "--write"));
  // These are open by now, but for a capture file's records.
  const bool rotates = options.rotate.bytes != 0 || options.rotate.age_ns != 0;
  if (rotates || !options.live_capture()) status.Update(CheckFile(options, options.eve, "--eve"));
  if (rotates && options.counters)
    status.Update(CheckFile(options, options.counters_file, "--counters-file"));
  if (!options.streams.empty()) status.Update(CheckFolder(options.streams, "--streams"));
  return status;
}

}  // namespace weir
