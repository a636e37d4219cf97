# The two ways a folder says what it builds. Sources are listed, never globbed; one library a folder.

add_library(standpipe_flags INTERFACE)
target_include_directories(standpipe_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(standpipe_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  -fno-omit-frame-pointer
  # g++ 12 at -O3 sees an overlap in every "x" + std::string (its bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_compile_definitions(standpipe_flags INTERFACE
  $<$<BOOL:${STANDPIPE_CHECKED_STATUS}>:STANDPIPE_CHECKED_STATUS>
  $<$<BOOL:${STANDPIPE_FAILPOINTS}>:STANDPIPE_FAILPOINTS>)

# standpipe_library(name SOURCES a.cc … DEPS other …)
function(standpipe_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC standpipe_flags ${ARG_DEPS})
endfunction()

# standpipe_test(name SOURCES a_test.cc … DEPS library … [LABELS slow] [TIMEOUT seconds])
function(standpipe_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE standpipe_flags ${ARG_DEPS} GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_LABELS)
    set(ARG_LABELS fast)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    math(EXPR ARG_TIMEOUT "8 * ${ARG_TIMEOUT}")  # several times as slow
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
