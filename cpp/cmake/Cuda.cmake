# inferometer_cuda: the CUDA backend, a module by itself: _cuda.so. It is loaded at run time where there is a GPU, so
# that what everybody loads needs nothing of CUDA.
# INFEROMETER_CUDA_BUILT: whether there is that target (tests/python/test_cuda_build.py reads it from the cache).
# CMAKE_CUDA_ARCHITECTURES: the GPUs that it has code for.
set(INFEROMETER_CUDA AUTO CACHE STRING "Build the CUDA backend: AUTO (where nvcc is found), ON or OFF")
set_property(CACHE INFEROMETER_CUDA PROPERTY STRINGS AUTO ON OFF)
set(INFEROMETER_CUDA_BUILT OFF CACHE INTERNAL "")

set(oldest_cuda 12.8) # the first that knows sm_100 and sm_120
set(no_cuda)
if(NOT INFEROMETER_CUDA)
  set(no_cuda "INFEROMETER_CUDA is ${INFEROMETER_CUDA}")
elseif(INFEROMETER_CUDA STREQUAL "AUTO" AND INFEROMETER_SANITIZE)
  set(no_cuda "sanitizers see nothing of a GPU")
else()
  # Turing to Blackwell, and PTX for what comes after. Before the language: or CMake takes the compiler's default.
  set(CMAKE_CUDA_ARCHITECTURES
      75-real 80-real 86-real 89-real 90-real 100-real 120-real 120-virtual
      CACHE STRING "GPUs that the CUDA backend is compiled for")
  # One that was not there last time may be there by now.
  if(NOT CMAKE_CUDA_COMPILER)
    unset(CMAKE_CUDA_COMPILER CACHE)
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS ${oldest_cuda})
      set(no_cuda "nvcc is ${CMAKE_CUDA_COMPILER_VERSION}, ${oldest_cuda} or later is needed")
    endif()
  else()
    set(no_cuda "no nvcc that compiles (on PATH, in CUDACXX or in /usr/local/cuda)")
  endif()
endif()

if(no_cuda)
  if(INFEROMETER_CUDA AND NOT INFEROMETER_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR
            "INFEROMETER_CUDA=${INFEROMETER_CUDA}, but ${no_cuda}.\n"
            "Either:  install the CUDA toolkit, and set CUDACXX to its bin/nvcc\n"
            "or:      -DINFEROMETER_CUDA=OFF, for CPUs alone")
  endif()
  message(STATUS "Without the CUDA backend: ${no_cuda}")
  return()
endif()
message(STATUS "CUDA backend: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, ${CMAKE_CUDA_ARCHITECTURES}")
set(INFEROMETER_CUDA_BUILT ON CACHE INTERNAL "")

file(GLOB kernels CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/backend/cuda/*.cu)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/backend/cuda/*.cc)
list(APPEND sources ${CMAKE_CURRENT_SOURCE_DIR}/src/base/process_generation.cc)
# Each architecture reads all of CUDA's headers again: one unit takes half the time of six. (CMake's
# own unity builds leave CUDA out before 3.31.)
if(INFEROMETER_UNITY)
  list(TRANSFORM kernels REPLACE ".+" "#include \"\\0\"\n" OUTPUT_VARIABLE includes)
  list(JOIN includes "" includes)
  set(kernels ${CMAKE_CURRENT_BINARY_DIR}/cuda_kernels_unity.cu)
  file(CONFIGURE OUTPUT ${kernels} CONTENT "${includes}" @ONLY)
endif()

# CMake before 3.26 does not know how nvcc 12 is told.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()

add_library(inferometer_cuda MODULE ${sources} ${kernels})
set_target_properties(inferometer_cuda PROPERTIES
  PREFIX "" OUTPUT_NAME _cuda
  CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF
  CUDA_RUNTIME_LIBRARY Static
  CUDA_VISIBILITY_PRESET hidden)
target_include_directories(inferometer_cuda PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/include
                                                    ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_include_directories(inferometer_cuda SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
target_compile_definitions(inferometer_cuda PRIVATE INFEROMETER_VERSION="${INFEROMETER_VERSION}")
inferometer_flags(inferometer_cuda)
# Compressed for size the code takes a fifth of the space.
target_compile_options(inferometer_cuda PRIVATE
  "$<$<COMPILE_LANGUAGE:CUDA>:--compress-mode=size;--threads=0;-Xcompiler=-Wall,-Wextra,-Wsign-conversion>"
  "$<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${INFEROMETER_WERROR}>>:-Werror=all-warnings;-Xcompiler=-Werror>")
# Nothing of the static CUDA runtime is visible beside another extension that has one.
set(exports ${CMAKE_CURRENT_SOURCE_DIR}/cmake/cuda_module.map)
set_target_properties(inferometer_cuda PROPERTIES LINK_DEPENDS ${exports})
target_link_options(inferometer_cuda PRIVATE -Wl,--version-script=${exports} -Wl,--no-undefined
                                             $<$<CONFIG:Release>:-s>)
