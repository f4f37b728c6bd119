# The installed package: find_package(weir) gives weir::weir, find_package(weir COMPONENTS eve prometheus)
# weir::eve and weir::prometheus as well. Headers keep their paths below include/weir: #include "engine/shard.h".
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/weir)

install(TARGETS weir_static EXPORT weir-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT weir-targets NAMESPACE weir:: DESTINATION ${package_folder})
install(DIRECTORY engine rings DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir
  FILES_MATCHING PATTERN "*.h" PATTERN engine/export EXCLUDE)

# weir_install_exporter(NAME [pkg-config modules...]): one exporter as a component of its own.
set(WEIR_EXPORTER_MODULES "")
function(weir_install_exporter name)
  set_target_properties(weir_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS weir_${name} EXPORT weir-${name}-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT weir-${name}-targets NAMESPACE weir:: DESTINATION ${package_folder})
  string(APPEND WEIR_EXPORTER_MODULES "set(weir_${name}_modules ${ARGN})\n")
  set(WEIR_EXPORTER_MODULES ${WEIR_EXPORTER_MODULES} PARENT_SCOPE)
endfunction()
weir_install_exporter(eve nettle)
weir_install_exporter(prometheus prometheus-cpp-pull)
install(DIRECTORY engine/export DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir/engine
  FILES_MATCHING PATTERN "*.h")

# What the library links and its users must find too: the pkg-config modules among its libraries.
get_target_property(WEIR_MODULES weir_static LINK_LIBRARIES)
list(FILTER WEIR_MODULES INCLUDE REGEX "^PkgConfig::")
list(TRANSFORM WEIR_MODULES REPLACE "^PkgConfig::" "")
configure_package_config_file(cmake/weir-config.cmake.in ${CMAKE_BINARY_DIR}/weir-config.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/weir-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/weir-config.cmake ${CMAKE_BINARY_DIR}/weir-config-version.cmake
  DESTINATION ${package_folder})
