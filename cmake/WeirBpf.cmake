# weir_bpf_skeleton(TARGET file.bpf.c): compiles a BPF program with clang and makes an interface
# library whose users can include "<file>.skel.h" (bpftool's skeleton).
find_package(PkgConfig REQUIRED)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET GLOBAL libbpf)
find_program(WEIR_BPF_CLANG NAMES clang clang-14 REQUIRED DOC "Compiler of BPF programs (package clang)")
find_program(WEIR_BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED DOC "Package bpftool")

function(weir_bpf_skeleton target source)
  get_filename_component(name ${source} NAME)
  string(REPLACE ".bpf.c" "" name ${name})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  # asm/types.h stands in the folder of the architecture on Debian.
  add_custom_command(OUTPUT ${object}
    COMMAND ${WEIR_BPF_CLANG} -target bpf -O2 -g -Wall -Werror -I${CMAKE_SOURCE_DIR}
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MD -MF ${object}.d -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM)
  add_custom_command(OUTPUT ${skeleton}
    COMMAND ${WEIR_BPFTOOL} gen skeleton ${object} name ${name} > ${skeleton}
    DEPENDS ${object})
  add_custom_target(${target}_generate DEPENDS ${skeleton})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_generate)
  target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${target} INTERFACE PkgConfig::libbpf)
endfunction()
