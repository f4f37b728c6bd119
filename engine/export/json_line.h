// RapidJSON's Writer with the few forms that EVE is made of, kept from line to line because it
// allocates when it is made. Internal to engine/export.
#pragma once

#include <rapidjson/writer.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/export/line_buffer.h"

namespace weir {

class JsonLine {
 public:
  explicit JsonLine(LineBuffer& buffer) : buffer_(buffer), writer_(buffer) {}
  JsonLine(const JsonLine&) = delete;
  JsonLine& operator=(const JsonLine&) = delete;

  // One line: an object and its newline.
  void Begin() {
    writer_.Reset(buffer_);
    writer_.StartObject();
  }
  void End() {
    writer_.EndObject();
    buffer_.Put('\n');
  }

  void Key(std::string_view key) { writer_.Key(key.data(), Length(key), false); }
  void Text(std::string_view value) { writer_.String(value.data(), Length(value), false); }
  void Number(uint64_t value) { writer_.Uint64(value); }

  void Text(std::string_view key, std::string_view value) { Key(key), Text(value); }
  void Number(std::string_view key, uint64_t value) { Key(key), Number(value); }
  void Number(std::string_view key, std::optional<uint64_t> value) {
    Key(key);
    value ? writer_.Uint64(*value) : writer_.Null();
  }
  void Bool(std::string_view key, bool value) { Key(key), writer_.Bool(value); }

  void StartObject() { writer_.StartObject(); }
  void StartObject(std::string_view key) { Key(key), writer_.StartObject(); }
  void EndObject() { writer_.EndObject(); }
  void StartArray(std::string_view key) { Key(key), writer_.StartArray(); }
  void EndArray() { writer_.EndArray(); }

 private:
  static rapidjson::SizeType Length(std::string_view text) {
    return static_cast<rapidjson::SizeType>(text.size());
  }

  LineBuffer& buffer_;
  rapidjson::Writer<LineBuffer> writer_;
};

}  // namespace weir
