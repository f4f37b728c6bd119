// Named values of a JSON object.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <concepts>
#include <cstdint>
#include <string>

namespace weir::load {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

inline void Put(JsonWriter& to, const char* name, uint64_t value) {
  to.Key(name);
  to.Uint64(value);
}
inline void Put(JsonWriter& to, const char* name, double value) {
  to.Key(name);
  to.Double(value);
}
// Not what turns into one, as a pointer does.
inline void Put(JsonWriter& to, const char* name, std::same_as<bool> auto value) {
  to.Key(name);
  to.Bool(value);
}
inline void Put(JsonWriter& to, const char* name, const std::string& value) {
  to.Key(name);
  to.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

}  // namespace weir::load
