# Finds what the library links. GoogleTest and Google Benchmark are found where tests and benches are.

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)

# The PyPI packages cmeel-eigen and cmeel-boost install below site-packages/cmeel.prefix, which is
# how an isolated build finds Eigen where libeigen3-dev is absent.
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  if(IS_DIRECTORY "${prefix}/cmeel.prefix")
    list(APPEND CMAKE_PREFIX_PATH "${prefix}/cmeel.prefix")
  endif()
endforeach()
if(NOT INFEROMETER_CONCURRENT_LAYERS_ONLY)
  find_package(Eigen3 3.4 CONFIG REQUIRED)
endif()

option(INFEROMETER_FETCH_PROMETHEUS
       "Build prometheus-cpp from source, static and hidden, even where it is installed" OFF)
if(NOT INFEROMETER_FETCH_PROMETHEUS)
  find_package(prometheus-cpp CONFIG QUIET)
endif()
if(NOT TARGET prometheus-cpp::core)
  include(FetchPrometheus)
endif()
