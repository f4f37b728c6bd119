#include "tools/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

std::string Expand(const std::string& format, int64_t now_ns) {
  if (format.find('%') == std::string::npos) return format;
  const time_t seconds = static_cast<time_t>(now_ns / 1'000'000'000);
  struct tm local;
  localtime_r(&seconds, &local);
  char name[4096];
  const size_t length = strftime(name, sizeof name, format.c_str(), &local);
  return length > 0 ? std::string(name, length) : format;
}

std::string Advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ": make room, or limit the output with --rotate and remove old files";
    case EPIPE:
      return ": the program that reads it has ended";
    case ENOENT:
      return ": its directory does not exist";
    case EACCES:
    case EPERM:
    case EROFS:
      return ": choose a directory that you may write to";
    default:
      return "";
  }
}

absl::Status Failure(const char* what, const std::string& path, int error) {
  const std::string name = path == "-" ? "standard output" : path;
  const absl::Status status = absl::ErrnoToStatus(error, absl::StrCat("cannot ", what, " ", name));
  const absl::StatusCode code = error == EPIPE ? absl::StatusCode::kCancelled : status.code();
  return absl::Status(code, absl::StrCat(status.message(), Advice(error)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RotatingFile>> RotatingFile::Open(const Options& options,
                                                                 int64_t now_ns) {
  std::unique_ptr<RotatingFile> file(new RotatingFile(options));
  const absl::Status status = file->Rotate(now_ns);
  if (!status.ok()) return status;
  return file;
}

RotatingFile::~RotatingFile() {
  if (fd_ >= 0) close(fd_);
}

bool RotatingFile::Due(int64_t now_ns) const {
  if (standard_output()) return false;
  const bool full = options_.rotate_bytes != 0 && bytes_ >= options_.rotate_bytes &&
                    bytes_ > options_.prologue.size();
  return full || (options_.rotate_ns != 0 && now_ns - opened_ns_ >= options_.rotate_ns);
}

std::string RotatingFile::NextPath(int64_t now_ns) {
  const std::string name = Expand(options_.path, now_ns);
  number_ = files_ > 0 && name == expanded_ ? number_ + 1 : 0;
  expanded_ = name;
  return number_ == 0 ? name : absl::StrCat(name, number_);
}

absl::Status RotatingFile::OpenPath(bool append) {
  if (standard_output()) {
    fd_ = dup(STDOUT_FILENO);
  } else {
    fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0644);
  }
  if (fd_ < 0) return Failure("open", path_, errno);
  struct stat info;
  bytes_ = fstat(fd_, &info) == 0 && append ? static_cast<uint64_t>(info.st_size) : 0;
  return bytes_ == 0 ? WriteAll(options_.prologue) : absl::OkStatus();
}

absl::Status RotatingFile::Write(std::string_view records, int64_t now_ns) {
  if (fd_ < 0) return absl::FailedPreconditionError(absl::StrCat(path_, " is closed"));
  if (Due(now_ns)) {
    if (absl::Status status = Rotate(now_ns); !status.ok()) return status;
  }
  return WriteAll(records);
}

absl::Status RotatingFile::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failure("write to", path_, errno);
    bytes_ += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status RotatingFile::Rotate(int64_t now_ns) {
  if (absl::Status status = Close(); !status.ok()) return status;
  path_ = NextPath(now_ns);
  opened_ns_ = now_ns;
  ++files_;
  return OpenPath(/*append=*/false);
}

absl::Status RotatingFile::Reopen() {
  if (standard_output()) return absl::OkStatus();
  if (absl::Status status = Close(); !status.ok()) return status;
  return OpenPath(/*append=*/true);
}

absl::Status RotatingFile::Close() {
  if (fd_ < 0) return absl::OkStatus();
  const int result = close(fd_);
  fd_ = -1;
  return result == 0 ? absl::OkStatus() : Failure("close", path_, errno);
}

}  // namespace weir
