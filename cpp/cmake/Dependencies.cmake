# Finds what the library links. GoogleTest and Google Benchmark are found where tests and benches are.

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)

# The PyPI packages cmeel-eigen and cmeel-boost install below site-packages/cmeel.prefix, which is
# how a build finds Eigen and Boost where libeigen3-dev and libboost-dev are absent: an isolated one
# through CMAKE_PREFIX_PATH, one without isolation through the python on PATH.
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  if(IS_DIRECTORY "${prefix}/cmeel.prefix")
    list(APPEND CMAKE_PREFIX_PATH "${prefix}/cmeel.prefix")
  endif()
endforeach()
execute_process(
  COMMAND python3 -c "import sysconfig; print(sysconfig.get_path('purelib'))"
  OUTPUT_VARIABLE site_packages OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(IS_DIRECTORY "${site_packages}/cmeel.prefix")
  list(APPEND CMAKE_PREFIX_PATH "${site_packages}/cmeel.prefix")
endif()
if(NOT INFEROMETER_CONCURRENT_LAYERS_ONLY)
  find_package(Eigen3 3.4 CONFIG REQUIRED)
endif()

# Headers only: Asio and Beast.
find_package(Boost 1.74 CONFIG QUIET)
if(NOT TARGET Boost::headers)
  message(FATAL_ERROR "No Boost 1.74 or later.\n"
                      "Either:  apt-get install libboost-dev\n"
                      "or:      pip install cmeel-boost, into the Python on PATH")
endif()

option(INFEROMETER_FETCH_PROMETHEUS
       "Build prometheus-cpp from source, static and hidden, even where it is installed" OFF)
if(NOT INFEROMETER_FETCH_PROMETHEUS)
  find_package(prometheus-cpp CONFIG QUIET)
endif()
if(NOT TARGET prometheus-cpp::core)
  include(FetchPrometheus)
endif()
