// The runtime's functions about streams and events, and the launch of kernels.
#include <memory>
#include <utility>

#include "call.h"

using inferometer::emulation::Call;
using inferometer::emulation::CallKind;
using inferometer::emulation::current_device;
using inferometer::emulation::Emulator;
using inferometer::emulation::Event;
using inferometer::emulation::runtime_call;
using inferometer::emulation::Stream;

namespace {

/// Whoever asks again and again must come to an end: something runs each time.
cudaError_t ask(Call& call, int device, const inferometer::emulation::Operation* operation) {
  if (operation == nullptr || operation->done) return cudaSuccess;
  call.emulator().run_one();
  if (call.emulator().device(device).lost != cudaSuccess)
    return call.emulator().device(device).lost;
  return operation->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t create_stream(Call& call, cudaStream_t* handle, unsigned flags) {
  if (handle == nullptr || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
  Emulator& emulator = call.emulator();
  *handle = Emulator::new_handle<cudaStream_t>();
  emulator.streams[*handle] = emulator.queues.create(current_device(), flags == cudaStreamDefault);
  return cudaSuccess;
}

cudaError_t create_event(Call& call, cudaEvent_t* handle, unsigned flags) {
  if (handle == nullptr || flags > (cudaEventBlockingSync | cudaEventDisableTiming)) {
    return cudaErrorInvalidValue;
  }
  *handle = Emulator::new_handle<cudaEvent_t>();
  call.emulator().events[*handle] = {current_device(), (flags & cudaEventDisableTiming) == 0,
                                     nullptr};
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return runtime_call("cudaStreamCreate", CallKind::kWork,
                      [&](Call& call) { return create_stream(call, stream, cudaStreamDefault); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return runtime_call("cudaStreamCreateWithFlags", CallKind::kWork,
                      [&](Call& call) { return create_stream(call, stream, flags); });
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  // What is queued on it still runs.
  return runtime_call("cudaStreamDestroy", CallKind::kRelease, [&](Call& call) {
    return call.emulator().streams.erase(handle) == 0 ? cudaErrorInvalidResourceHandle
                                                      : cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return runtime_call("cudaStreamSynchronize", CallKind::kWait, [&](Call& call) {
    std::shared_ptr<Stream> stream;
    const cudaError_t error = call.emulator().find_stream(handle, stream);
    if (error != cudaSuccess || stream->last == nullptr) return error;
    return call.emulator().run_until(*stream->last);
  });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return runtime_call("cudaStreamQuery", CallKind::kWork, [&](Call& call) {
    std::shared_ptr<Stream> stream;
    const cudaError_t error = call.emulator().find_stream(handle, stream);
    return error != cudaSuccess ? error : ask(call, stream->device, stream->last.get());
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned flags) {
  return runtime_call("cudaStreamWaitEvent", CallKind::kWork, [&](Call& call) {
    std::shared_ptr<Stream> stream;
    Event* event = nullptr;
    cudaError_t error = call.emulator().find_stream(handle, stream);
    if (error == cudaSuccess) error = call.emulator().find_event(event_handle, event);
    if (error != cudaSuccess) return error;
    if (flags != 0) return cudaErrorInvalidValue;
    if (event->recorded != nullptr && !event->recorded->done) {
      call.emulator().queues.queue(*stream, nullptr, event->recorded);
    }
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return runtime_call("cudaEventCreate", CallKind::kWork,
                      [&](Call& call) { return create_event(call, event, cudaEventDefault); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return runtime_call("cudaEventCreateWithFlags", CallKind::kWork,
                      [&](Call& call) { return create_event(call, event, flags); });
}

cudaError_t cudaEventRecord(cudaEvent_t event_handle, cudaStream_t handle) {
  return runtime_call("cudaEventRecord", CallKind::kWork, [&](Call& call) {
    std::shared_ptr<Stream> stream;
    Event* event = nullptr;
    cudaError_t error = call.emulator().find_stream(handle, stream);
    if (error == cudaSuccess) error = call.emulator().find_event(event_handle, event);
    if (error != cudaSuccess) return error;
    if (event->device != stream->device) return cudaErrorInvalidResourceHandle;
    event->recorded = call.emulator().queues.queue(*stream, nullptr);
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return runtime_call("cudaEventSynchronize", CallKind::kWait, [&](Call& call) {
    Event* event = nullptr;
    const cudaError_t error = call.emulator().find_event(handle, event);
    if (error != cudaSuccess || event->recorded == nullptr) return error;
    return call.emulator().run_until(*event->recorded);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return runtime_call("cudaEventQuery", CallKind::kWork, [&](Call& call) {
    Event* event = nullptr;
    const cudaError_t error = call.emulator().find_event(handle, event);
    return error != cudaSuccess ? error : ask(call, event->device, event->recorded.get());
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start_handle,
                                 cudaEvent_t end_handle) {
  return runtime_call("cudaEventElapsedTime", CallKind::kWork, [&](Call& call) {
    if (milliseconds == nullptr) return cudaErrorInvalidValue;
    Event* start = nullptr;
    Event* end = nullptr;
    cudaError_t error = call.emulator().find_event(start_handle, start);
    if (error == cudaSuccess) error = call.emulator().find_event(end_handle, end);
    if (error != cudaSuccess) return error;
    if (!start->timed || !end->timed || start->recorded == nullptr || end->recorded == nullptr ||
        start->device != end->device) {
      return cudaErrorInvalidResourceHandle;
    }
    if (!start->recorded->done || !end->recorded->done) return cudaErrorNotReady;
    *milliseconds = static_cast<float>(end->recorded->done_ns - start->recorded->done_ns) * 1e-6F;
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return runtime_call("cudaEventDestroy", CallKind::kRelease, [&](Call& call) {
    return call.emulator().events.erase(event) == 0 ? cudaErrorInvalidResourceHandle : cudaSuccess;
  });
}
