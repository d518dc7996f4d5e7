# inferometer_cpu_kernels: cpu_kernels_isa.cc compiled once per x86-64 level. Eigen's namespace is renamed in each
# unit; without that the linker keeps one copy of Eigen's templates for all of them (see src/backend/cpu_kernels.h).
if(NOT TARGET Eigen3::Eigen)
  find_package(Eigen3 3.4 CONFIG REQUIRED)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(isas v2 v3 v4)
else()
  set(isas generic)
endif()
set(flags_v2 -march=x86-64-v2)
set(flags_v3 -march=x86-64-v3)
set(flags_v4 -march=x86-64-v4 -mprefer-vector-width=512)

set(objects)
foreach(isa IN LISTS isas)
  set(target inferometer_cpu_kernels_${isa})
  add_library(${target} OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/src/backend/cpu_kernels_isa.cc)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  # Not linked to Eigen3::Eigen: the renaming must not reach anybody else, nor its C++ level us.
  target_include_directories(${target} SYSTEM PRIVATE
                             $<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>)
  string(SUBSTRING ${isa} 0 1 initial)
  string(SUBSTRING ${isa} 1 -1 rest)
  string(TOUPPER ${initial} initial)
  target_compile_definitions(${target} PRIVATE INFEROMETER_ISA=${isa} Eigen=Eigen_${isa}
                             INFEROMETER_ISA_TABLE=kCpuKernels${initial}${rest})
  inferometer_flags(${target})
  # g++ 12 takes the _mm512_undefined_ps() of its own headers for a mistake.
  target_compile_options(${target} PRIVATE ${flags_${isa}} -fno-math-errno -fno-trapping-math
                         -Wno-uninitialized $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  list(APPEND objects $<TARGET_OBJECTS:${target}>)
endforeach()

add_library(inferometer_cpu_kernels STATIC ${objects})
if(INFEROMETER_SANITIZE)
  target_link_options(inferometer_cpu_kernels PUBLIC -fsanitize=${INFEROMETER_SANITIZE})
endif()
