// What _cuda.so exports: C functions, so that whoever loads it needs nothing of its C++.

/// The version that the module was built as.
extern "C" __attribute__((visibility("default"))) const char* inferometer_cuda_version() noexcept {
  return INFEROMETER_VERSION;
}
