// A folder of its own for a test; goes with it. And what lies in files.
#pragma once

#include <string>

namespace weir::test {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// All of it; empty where there is none.
std::string ReadFile(const std::string& path);
// In one step: who reads it meanwhile sees the old text or the new one.
void WriteFile(const std::string& path, const std::string& text);

}  // namespace weir::test
