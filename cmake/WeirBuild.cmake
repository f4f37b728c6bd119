# Compiler settings, dependencies, and the function that makes one library per folder.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(WEIR_MARCH "x86-64-v2" CACHE STRING
    "Baseline instruction set; x86-64-v2 (2009) runs on every machine that drives a 10G port")
option(WEIR_WERROR "Warnings are errors" ON)
option(WEIR_FUZZ "Build libFuzzer targets (Clang)" OFF)
set(WEIR_SANITIZE "" CACHE STRING "Value of -fsanitize for everything, empty for none")
set(WEIR_TEST_OPTIONS "" CACHE STRING
    "More compiler options for unit and live tests; -O0 halves the time a sanitizer's build takes")

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion
                    -Wno-missing-field-initializers)  # designated initializers leave the rest to its defaults
if(WEIR_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND WEIR_MARCH)
  add_compile_options(-march=${WEIR_MARCH})
endif()
if(WEIR_SANITIZE)
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
  add_compile_definitions(WEIR_SANITIZED)
  # RapidJSON adds to null pointers: for what includes its headers.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND WEIR_SANITIZE MATCHES "undefined")
    set(WEIR_JSON_OPTIONS -fno-sanitize=pointer-overflow)
  endif()
endif()
if(WEIR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
include_directories(${CMAKE_SOURCE_DIR})

# For sources that parse options with CLI11: with more it takes minutes, and nothing is gained.
set(WEIR_OPTION_PARSING "$<IF:$<CONFIG:Release>,-O1,-O0>")

find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(libxdp REQUIRED IMPORTED_TARGET libxdp)
pkg_check_modules(libpcap REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(libxxhash REQUIRED libxxhash)

# xxHash is compiled into the objects that use it (XXH_INLINE_ALL): nothing to link, nothing to export.
add_library(weir_xxhash INTERFACE)
target_include_directories(weir_xxhash SYSTEM INTERFACE ${libxxhash_INCLUDE_DIRS})

include(WeirPrecompile)

# weir_library(NAME SOURCES sources... LINK libraries...): the objects of one folder. weir::weir is made
# of all of them, and links what they link.
set_property(GLOBAL PROPERTY WEIR_CORE_TARGETS "")
set_property(GLOBAL PROPERTY WEIR_CORE_LIBRARIES "")
function(weir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} OBJECT ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  weir_precompile(weir_headers ${name})
  set_property(GLOBAL APPEND PROPERTY WEIR_CORE_TARGETS ${name})
  list(FILTER ARG_LINK EXCLUDE REGEX "^weir_")
  set_property(GLOBAL APPEND PROPERTY WEIR_CORE_LIBRARIES ${ARG_LINK})
endfunction()
