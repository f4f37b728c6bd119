// A growing buffer that RapidJSON's Writer writes into without a check per character.
//
// Ownership: its own bytes. Thread: one. Only Reserve allocates, and only until the buffer has seen
// its largest content.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace weir {

class LineBuffer {
 public:
  using Ch = char;  // RapidJSON's stream concept

  explicit LineBuffer(size_t capacity) : bytes_(capacity) {}

  // Makes room for `count` more characters: Put does not look.
  void Reserve(size_t count) {
    if (bytes_.size() - size_ < count) bytes_.resize(2 * bytes_.size() + count);
  }
  void Put(char c) { bytes_[size_++] = c; }
  void Flush() {}

  std::string_view view() const { return {bytes_.data(), size_}; }
  void Clear() { size_ = 0; }

 private:
  std::vector<char> bytes_;
  size_t size_ = 0;
};

}  // namespace weir
