// Zeek's history letters, four bits each: what each side of a flow did, in the order it first did
// it. https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html, field history.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace weir {

enum class HistoryLetter : uint8_t { kNone, kSyn, kSynAck, kAck, kData, kFin, kRst, kFlip };

inline constexpr uint8_t kHistoryResponder = 8;  // lower case
inline constexpr int kHistoryLetters = 18;

class History {
 public:
  explicit History(uint8_t* nibbles) : nibbles_(nibbles) {}

  void Clear() {
    for (int i = 0; i < kHistoryLetters / 2; ++i) nibbles_[i] = 0;
  }

  // Drops the letter when there is no room: eighteen are more than two sides can do for the first
  // time.
  void Push(HistoryLetter letter, bool responder) {
    for (int i = 0; i < kHistoryLetters; ++i) {
      if (At(i) != 0) continue;
      const auto code =
          static_cast<uint8_t>(static_cast<uint8_t>(letter) | (responder ? kHistoryResponder : 0));
      nibbles_[i / 2] = static_cast<uint8_t>(nibbles_[i / 2] | code << (i % 2 * 4));
      return;
    }
  }

  // The initiator turned out to be the other side: upper case becomes lower case, and a ^ follows.
  void Flip() {
    for (int i = 0; i < kHistoryLetters && At(i) != 0; ++i) {
      nibbles_[i / 2] = static_cast<uint8_t>(nibbles_[i / 2] ^ kHistoryResponder << (i % 2 * 4));
    }
    Push(HistoryLetter::kFlip, false);
  }

  // Writes the letters and a terminating 0.
  static void Spell(const uint8_t* nibbles, std::span<char> text) {
    constexpr char kLetters[] = "\0SHADFR^\0shadfr^";
    size_t i = 0;
    for (; i < kHistoryLetters && i + 1 < text.size(); ++i) {
      const int code = nibbles[i / 2] >> (i % 2 * 4) & 0xf;
      if (code == 0) break;
      text[i] = kLetters[code];
    }
    text[i] = 0;
  }

 private:
  int At(int i) const { return nibbles_[i / 2] >> (i % 2 * 4) & 0xf; }

  uint8_t* nibbles_;
};

}  // namespace weir
