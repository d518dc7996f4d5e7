// Every error that inferometer raises: one small hierarchy, mapped one to one to Python classes.
// Messages say what was got and what was wanted.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace inferometer {

/// Base of all errors of this library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The queue is full and the request was refused at the door. Python: `QueueFullError`.
class QueueFullError : public Error {
 public:
  QueueFullError(const std::string& message, double retry_after_seconds)
      : Error(message), retry_after_seconds_(retry_after_seconds) {}
  /// Estimated time until the present queue has been served, from depth and service rate.
  [[nodiscard]] double retry_after_seconds() const noexcept { return retry_after_seconds_; }

 private:
  double retry_after_seconds_;
};

/// The request's deadline passed before it was answered. Python: also a `TimeoutError`.
class DeadlineExceededError : public Error {
 public:
  using Error::Error;
};

/// The engine is closed (or belongs to the parent of this forked process).
class ClosedError : public Error {
 public:
  using Error::Error;
};

/// Wrong rank, dimensions or number of rows. Python: also a `ValueError`.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Wrong element type; nothing is ever cast. Python: also a `TypeError`.
class DTypeError : public Error {
 public:
  using Error::Error;
};

/// The model failed or broke its contract. Python: also a `RuntimeError`, the cause is the model's
/// own exception.
class ModelError : public Error {
 public:
  using Error::Error;
};

/// Not the model's fault: one that the application injected (faults.h). The message says "injected
/// fault".
class InjectedFaultError : public ModelError {
 public:
  using ModelError::ModelError;
};

/// The model failed in a warm-up. Python: a `ModelError` whose cause is the model's own exception,
/// or that exception itself if it is a KeyboardInterrupt.
class WarmUpError : public ModelError {
 public:
  /// In a handler of `cause`, which becomes the cause; `where` names the sample and comes first.
  WarmUpError(std::string where, const std::exception& cause)
      : ModelError(where + cause.what()),
        where_(std::move(where)),
        cause_(std::current_exception()) {}
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  [[nodiscard]] const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  std::string where_;
  std::exception_ptr cause_;
};

/// A model file uses operators that the core does not implement; all of them are named.
class UnsupportedOperatorError : public Error {
 public:
  using Error::Error;
};

/// What a DeviceError says of its device: it is not there or cannot be used; it has no memory left
/// and goes on; it fails whatever it is asked from now on; anything else.
enum class DeviceFault : uint8_t { kUnavailable, kOutOfMemory, kLost, kOther };

/// No such device, or the device failed.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message, DeviceFault fault = DeviceFault::kUnavailable)
      : Error(message), fault_(fault) {}
  [[nodiscard]] DeviceFault fault() const noexcept { return fault_; }

 private:
  DeviceFault fault_;
};

/// An input name that is unknown or missing. Python: also a `ValueError`.
class InputError : public Error {
 public:
  using Error::Error;
};

/// Options, metric or label names, a second engine of one name, a broken model file. Python: also a
/// `ValueError`.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// The request was cancelled by its caller. Python: `concurrent.futures.CancelledError`.
class CancelledError : public Error {
 public:
  using Error::Error;
};

}  // namespace inferometer
