# Headers that most sources include, parsed once for all sources with the same flags. It is meant for
# the sanitizers' builds: where it is off, as in the release build, each source shows that it
# includes what it needs.
option(WEIR_PRECOMPILE "Parse the headers that most sources include only once" OFF)

set(WEIR_COMMON_HEADERS
  <algorithm> <array> <atomic> <chrono> <cstring> <filesystem> <functional> <map> <memory> <optional>
  <span> <string> <string_view> <thread> <vector>
  <absl/container/flat_hash_map.h> <absl/status/statusor.h> <absl/strings/str_cat.h>
  <absl/strings/str_format.h>)

# weir_precompile(HEADERS targets...): these targets are compiled with the flags of HEADERS.
function(weir_precompile headers)
  if(WEIR_PRECOMPILE)
    foreach(target ${ARGN})
      target_precompile_headers(${target} REUSE_FROM ${headers})
    endforeach()
  endif()
endfunction()

# For sources with flags of their own.
function(weir_compile_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

if(WEIR_PRECOMPILE)
  file(TOUCH ${CMAKE_BINARY_DIR}/headers.cc)
  add_library(weir_headers OBJECT ${CMAKE_BINARY_DIR}/headers.cc)
  target_link_libraries(weir_headers PRIVATE absl::flat_hash_map absl::statusor absl::str_format)
  target_precompile_headers(weir_headers PRIVATE ${WEIR_COMMON_HEADERS})
endif()
