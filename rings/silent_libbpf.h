// libbpf and libxdp tell their troubles to stderr unless told otherwise; while one of these lives
// they are silent, and a status tells.
#pragma once

#include <bpf/libbpf.h>

namespace weir {

class SilentLibbpf {
 public:
  SilentLibbpf() : before_(libbpf_set_print(nullptr)) {}
  ~SilentLibbpf() { libbpf_set_print(before_); }
  SilentLibbpf(const SilentLibbpf&) = delete;
  SilentLibbpf& operator=(const SilentLibbpf&) = delete;

 private:
  libbpf_print_fn_t before_;
};

}  // namespace weir
