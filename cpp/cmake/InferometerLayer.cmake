# inferometer_layer(NAME LINKS ... PRIVATE_LINKS ...): the static library of src/NAME, alias inferometer::NAME.
# inferometer_flags(TARGET): our warnings and sanitizers, private to our own targets.
# inferometer_unity(TARGET FILES): compiles FILES sources at a time, unless INFEROMETER_UNITY is off.
# Most of compiling one file is reading headers that the next one reads again.

function(inferometer_flags target)
  set(warnings -Wall -Wextra -Wsign-conversion $<$<BOOL:${INFEROMETER_WERROR}>:-Werror>)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${warnings}>")
  if(INFEROMETER_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${INFEROMETER_SANITIZE}
                           -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # g++ 12 at -O1 takes an instrumented std::string + "literal" for a copy out of bounds; the
    # release build warns of real ones.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow)
    target_link_options(${target} PUBLIC -fsanitize=${INFEROMETER_SANITIZE})
  endif()
endfunction()

function(inferometer_unity target files)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${INFEROMETER_UNITY}
                                             UNITY_BUILD_BATCH_SIZE ${files})
endfunction()

function(inferometer_layer name)
  cmake_parse_arguments(LAYER "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${name}/*.cc)
  # Kernels are compiled once per instruction set by CpuKernels.cmake; CUDA's part is an object of
  # its own (Cuda.cmake).
  list(FILTER sources EXCLUDE REGEX "cpu_kernels_isa\\.cc$|/backend/cuda/")
  add_library(inferometer_${name} STATIC ${sources})
  add_library(inferometer::${name} ALIAS inferometer_${name})
  target_include_directories(inferometer_${name} PUBLIC
                             ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(inferometer_${name} PUBLIC ${LAYER_LINKS} PRIVATE ${LAYER_PRIVATE_LINKS})
  inferometer_flags(inferometer_${name})
  inferometer_unity(inferometer_${name} 10)
endfunction()
