#include "tools/privileges/privileges.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/privileges/call_filter.h"

namespace weir {
namespace {

absl::Status GiveUpCapabilities(const PrivilegeOptions& options) {
  const bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  const bool has_net_raw = capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW) != 0;
  const bool has_bpf = capng_have_capability(CAPNG_PERMITTED, CAP_BPF) != 0;
  capng_clear(CAPNG_SELECT_ALL);
  const auto keep = [](unsigned capability) {
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 capability);
  };
  if (options.keeps_net_raw && has_net_raw) keep(CAP_NET_RAW);
  if (options.keeps_bpf && has_bpf) keep(CAP_BPF);
  if (!options.user.empty()) {
    const passwd* const user = getpwnam(options.user.c_str());
    if (user == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("--user ", options.user, ": there is no such user"));
    }
    const int error =
        capng_change_id(static_cast<int>(user->pw_uid), static_cast<int>(user->pw_gid),
                        static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING));
    if (error == 0) return absl::OkStatus();
    return absl::PermissionDeniedError(
        absl::StrFormat("cannot become user %s (libcap-ng: %d): needs root, or leave --user out",
                        options.user, error));
  }
  if (capng_apply(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) == 0) return absl::OkStatus();
  return absl::InternalError("cannot give up capabilities");
}

}  // namespace

absl::Status GiveUpPrivileges(const PrivilegeOptions& options) {
  if (capng_get_caps_process() != 0) return absl::InternalError("cannot read the capabilities");
  if (auto status = GiveUpCapabilities(options); !status.ok()) return status;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return absl::ErrnoToStatus(errno, "cannot rule out new privileges");
#ifdef WEIR_SANITIZED  // the sanitizers' run-time library needs more calls
  return absl::OkStatus();
#else
  if (!options.filters_system_calls) return absl::OkStatus();
  return FilterSystemCalls({.packet_sockets = options.keeps_net_raw});
#endif
}

bool ReadingMapsNeedsBpf() {
  utsname system{};
  int major = 0, minor = 0;
  if (uname(&system) != 0 || std::sscanf(system.release, "%d.%d", &major, &minor) != 2) return true;
  if (major > 5 || (major == 5 && minor >= 19)) return false;
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/unprivileged_bpf_disabled") >> disabled;
  return disabled != 0;
}

absl::Status CheckFolder(const std::string& folder, const std::string& option) {
  std::string nearest = folder.empty() ? "." : folder;
  while (access(nearest.c_str(), F_OK) != 0 && errno == ENOENT) {
    const size_t slash = nearest.find_last_of('/');
    nearest = slash == std::string::npos ? "." : slash == 0 ? "/" : nearest.substr(0, slash);
  }
  if (faccessat(AT_FDCWD, nearest.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return absl::OkStatus();
  struct stat about {};
  const bool other =
      stat(nearest.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid != geteuid();
  if (!other) return absl::OkStatus();
  const passwd* const owner = getpwuid(about.st_uid);
  const std::string name = owner != nullptr ? owner->pw_name : "OWNER";
  return absl::PermissionDeniedError(absl::StrFormat(
      "%s: no files can be made in %s, which belongs to %s, once root's right to write anywhere is "
      "given up: add --user %s, or choose another folder",
      option, nearest, name, name));
}

}  // namespace weir
