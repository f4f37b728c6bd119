#include "engine/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sched.h>
#include <thread>

namespace weir {
namespace {

using testing::ElementsAre;

TEST(Placement, ReadsListsOfProcessors) {
  EXPECT_THAT(*ParseCpuList("3"), ElementsAre(3));
  EXPECT_THAT(*ParseCpuList("0-3,7"), ElementsAre(0, 1, 2, 3, 7));
  EXPECT_THAT(*ParseCpuList("7,0-1,1"), ElementsAre(7, 0, 1));
  for (const char* wrong : {"", "a", "3-", "-3", "3-1", "1,,2", "1,", "0-99999", "1 2"}) {
    EXPECT_FALSE(ParseCpuList(wrong).ok()) << wrong;
  }
}

TEST(Placement, WritesListsAsItReadsThem) {
  for (const char* text : {"3", "0-3,7", "1,3,5-6"}) {
    EXPECT_EQ(CpuListText(*ParseCpuList(text)), text);
  }
  EXPECT_EQ(CpuListText({}), "");
}

TEST(Placement, PinsTheCallingThreadOnly) {
  const std::vector<int> usable = UsableCpus();
  ASSERT_FALSE(usable.empty());
  std::thread([&] {
    const std::vector<int> one = {usable.back()};
    EXPECT_TRUE(PinThread(one).ok());
    EXPECT_EQ(UsableCpus(), one);
  }).join();
  EXPECT_EQ(UsableCpus(), usable);
}

TEST(Placement, SaysWhichProcessorsThereAre) {
  const std::vector<int> none = {CPU_SETSIZE - 1};
  std::thread([&] {
    const absl::Status status = PinThread(none);
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(CpuListText(UsableCpus())));
  }).join();
}

TEST(Placement, ProcessorsOfNoNodeAreAll) {
  EXPECT_EQ(UsableCpusOf(-1), UsableCpus());
  EXPECT_EQ(UsableCpusOf(100'000), UsableCpus());
  EXPECT_FALSE(UsableCpusOf(0).empty());
}

int PolicyOfThread() {
  int mode = -1;
  return syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0) == 0 ? mode : -1;
}

TEST(Placement, MemoryPolicyLastsAsLongAsItsScope) {
  if (PolicyOfThread() != MPOL_DEFAULT) GTEST_SKIP() << "no memory policies here";
  {
    const ScopedMemoryNode none(-1);
    EXPECT_EQ(PolicyOfThread(), MPOL_DEFAULT);
    const ScopedMemoryNode first(0);
    EXPECT_EQ(PolicyOfThread(), MPOL_PREFERRED);
    const ScopedMemoryNode inner(0);  // a policy that is there stays
  }
  EXPECT_EQ(PolicyOfThread(), MPOL_DEFAULT);
}

}  // namespace
}  // namespace weir
