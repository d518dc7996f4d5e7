# Builds prometheus-cpp's core from source: static, position independent, hidden.
# -DFETCHCONTENT_SOURCE_DIR_PROMETHEUS-CPP=DIR uses sources that are already on this machine.
include(FetchContent)

set(prometheus_repository https://github.com/jupp0r/prometheus-cpp.git)

if(NOT FETCHCONTENT_SOURCE_DIR_PROMETHEUS-CPP
   AND NOT EXISTS "${FETCHCONTENT_BASE_DIR}/prometheus-cpp-src/core")
  message(STATUS
          "Fetching prometheus-cpp v1.3.0 from ${prometheus_repository} "
          "(not needed where prometheus-cpp-dev is installed)")
  # A clone has no time limit of its own: ask first, with one.
  find_package(Git QUIET REQUIRED)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env GIT_TERMINAL_PROMPT=0
            ${GIT_EXECUTABLE} ls-remote --exit-code ${prometheus_repository} HEAD
    RESULT_VARIABLE unreachable OUTPUT_QUIET ERROR_QUIET TIMEOUT 20)
  if(unreachable)
    message(FATAL_ERROR
            "No prometheus-cpp: ${prometheus_repository} cannot be reached from here.\n"
            "Either:  apt-get install prometheus-cpp-dev\n"
            "or:      -DFETCHCONTENT_SOURCE_DIR_PROMETHEUS-CPP=<its source directory>")
  endif()
endif()

block()
  # prometheus-cpp declares these with option(); policy CMP0077 lets plain variables win.
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  set(BUILD_SHARED_LIBS OFF)
  set(ENABLE_PULL OFF)
  set(ENABLE_PUSH OFF)
  set(ENABLE_COMPRESSION OFF)
  set(ENABLE_TESTING OFF)
  set(GENERATE_PKGCONFIG OFF)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  set(CMAKE_CXX_VISIBILITY_PRESET hidden)
  set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
  # v1.3.0. SYSTEM comes first: after GIT_SUBMODULES it would be read as a path.
  FetchContent_Declare(
    prometheus-cpp SYSTEM
    GIT_REPOSITORY ${prometheus_repository}
    GIT_TAG e5fada43131d251e9c4786b04263ce98b6767ba5
    GIT_SUBMODULES ""
    GIT_CONFIG http.lowSpeedLimit=1000 http.lowSpeedTime=30)
  FetchContent_MakeAvailable(prometheus-cpp)
endblock()
