// The errors of the runtime: their names, and the last one of a thread.
#include "call.h"

using inferometer::emulation::Call;
using inferometer::emulation::CallKind;
using inferometer::emulation::current_device;
using inferometer::emulation::last_error;

namespace {

/// A lost device is not forgotten by asking.
cudaError_t last_error_of(Call& call) {
  if (call.emulator().has_device(current_device()) && call.device().lost != cudaSuccess) {
    return call.device().lost;
  }
  return last_error();
}

}  // namespace

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define X(name, number, text) \
  case name:                  \
    return #name;
#include "cuda_error_list.h"
#undef X
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
#define X(name, number, text) \
  case name:                  \
    return text;
#include "cuda_error_list.h"
#undef X
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() {
  Call call("cudaGetLastError", CallKind::kAnswer);
  const cudaError_t error = last_error_of(call);
  last_error() = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() {
  Call call("cudaPeekAtLastError", CallKind::kAnswer);
  return last_error_of(call);
}
