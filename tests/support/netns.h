// Network namespaces of a test's own, and a veth pair between two of them. They vanish with the
// object. Nothing outside them is touched. Needs CAP_NET_ADMIN and CAP_SYS_ADMIN.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rings/unique_fd.h"

// First line of a live test: skips it with the reason where the privilege is missing.
#define WEIR_SKIP_WITHOUT_NETNS()                                               \
  if (const std::string missing = weir::test::WhyNoNetns(); !missing.empty()) { \
    GTEST_SKIP() << missing;                                                    \
  }

namespace weir::test {

// Empty where namespaces can be made, else what is missing.
std::string WhyNoNetns();

class NetNamespace {
 public:
  NetNamespace();  // CHECKs: ask WhyNoNetns before

  // The calling thread is in the namespace as long as this lives.
  class Scope {
   public:
    explicit Scope(int fd);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    UniqueFd before_;
  };
  [[nodiscard]] Scope Enter() const { return Scope(fd_.get()); }

  // Runs "ip ..." in the namespace; fails the test when it does not succeed.
  void Ip(const std::string& arguments) const;

  // Names the namespace to ip(8).
  std::string path() const;

 private:
  UniqueFd fd_;
};

// Two namespaces, joined: near() has `near_name`, far() has `far_name`, both up, without addresses
// and without IPv6's own chatter. Both can send at once.
class VethPair {
 public:
  static constexpr char kNear[] = "near0";
  static constexpr char kFar[] = "far0";
  explicit VethPair(int queues = 1);  // each end sends and receives on that many
  const NetNamespace& near() const { return near_; }
  const NetNamespace& far() const { return far_; }

 private:
  NetNamespace near_;
  NetNamespace far_;
};

// Sends whole frames, link header included, out of an interface of the calling thread's namespace.
class RawSender {
 public:
  explicit RawSender(const std::string& interface);
  void Send(const std::vector<uint8_t>& frame);

 private:
  UniqueFd fd_;
};

}  // namespace weir::test
