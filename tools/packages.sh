# Debian packages that weir needs, and how they get there; for tools/quickstart and tools/test.
# shellcheck shell=bash disable=SC2034

BUILD_PACKAGES=(
  g++ cmake ninja-build pkg-config linux-libc-dev
  libabsl-dev liburing-dev libpcap-dev libxxhash-dev # the library
  libbpf-dev libxdp-dev clang bpftool                # its programs for the kernel
  libcli11-dev rapidjson-dev nettle-dev              # the command, EVE
  prometheus-cpp-dev                                 # --prometheus
  libcap-ng-dev libseccomp-dev                       # privileges
)
TEST_PACKAGES=(
  libgtest-dev libgmock-dev libbenchmark-dev python3
  clang-format clang-tidy libclang-rt-14-dev llvm       # style, fuzzing (clang is there)
  python3-yaml                                          # manifests
  iproute2 iputils-ping                                 # network namespaces of the live tests
  ethtool libcap2-bin                                   # what the doctor's commands need
  libboost-dev                                          # a bench beside its queue
  valgrind gnuplot-nox                                  # the budget, pictures
  prometheus                                            # promtool, and a server that scrapes
)

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      echo "$package"
    fi
  done
}

# No service that a package brings is started: invoke-rc.d(8) and deb-systemd-invoke(1) ask
# policy-rc.d. In a subshell, so that the trap is its own.
apt_install() (
  policy=/usr/sbin/policy-rc.d
  if [[ $EUID == 0 && ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
    install -y --no-install-recommends "$@" </dev/null
)

# keep_off SERVICE NAME...: a service among the packages just installed does not start with the
# machine either.
keep_off() {
  local service=$1
  shift
  [[ " $* " != *" $service "* ]] || update-rc.d "$service" disable || true
}

# install_packages NAME...: installs what is missing; quick, and no root needed, when nothing is.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    echo "all ${#} packages are installed"
    return 0
  fi
  echo "to install: ${missing[*]}"
  if ((EUID != 0)); then
    echo "this needs root: run it with sudo, or install them yourself" >&2
    return 1
  fi
  # A fresh machine has no package lists, an old one stale ones: only then update them.
  apt_install "${missing[@]}" || { apt-get -q update && apt_install "${missing[@]}"; }
  keep_off prometheus "${missing[@]}"
}

# give_back FOLDER...: under sudo, what was built belongs to the user who asked for it, not to root.
give_back() {
  if [[ -n ${SUDO_UID:-} ]]; then
    local folder
    for folder in "$@"; do
      [[ ! -e $folder ]] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$folder"
    done
  fi
}
