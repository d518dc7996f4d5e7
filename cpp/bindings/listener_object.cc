#include "listener_object.h"

#include <new>

namespace inferometer::python {
namespace {

ListenerOptions options_of(std::string host, int port, const std::shared_ptr<ErrorBox>& errors) {
  ListenerOptions options;
  options.host = std::move(host);
  options.port = port;
  // Shared: a rendering that hangs may outlive the listener.
  options.on_error = [errors](const std::string& error) { errors->put(error); };
  return options;
}

}  // namespace

void ErrorBox::put(const std::string& error) {
  MutexLock lock(mutex_);
  newest_ = error;
  ++count_;
  changed_.notify_all();
}

std::optional<ErrorBox::Errors> ErrorBox::take() {
  MutexLock lock(mutex_);
  while (count_ == 0 && !closed_) changed_.wait(mutex_);
  if (count_ == 0) return std::nullopt;
  return Errors{std::exchange(newest_, {}), std::exchange(count_, 0)};
}

void ErrorBox::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

ListenerObject::ListenerObject(std::shared_ptr<const Registry> registry, std::string host, int port)
    : errors_(std::make_shared<ErrorBox>()),
      listener_([registry = std::move(registry)](
                    const ScrapeRequest& request) { return registry->render(request); },
                options_of(std::move(host), port, errors_)) {}

ListenerObject::~ListenerObject() {
  close();
  // In a child, destroying a condition variable would wait for the parent's thread in it.
  if (listener_.forked()) (void)new (std::nothrow) std::shared_ptr<ErrorBox>(errors_);
}

void ListenerObject::close() noexcept {
  // A child has no thread that waits for errors, and the box's lock may be held for ever.
  if (listener_.forked()) return;
  listener_.close();
  errors_->close();
}

std::optional<ErrorBox::Errors> ListenerObject::next_errors() {
  if (listener_.forked()) return std::nullopt;
  return errors_->take();
}

}  // namespace inferometer::python
