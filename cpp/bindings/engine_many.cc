// Many requests in one call.
#include "engine_many.h"

#include <array>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "call_arguments.h"
#include "cell_arguments.h"
#include "engine_methods.h"
#include "engine_object.h"
#include "errors.h"
#include "inferometer/clock.h"
#include "inferometer/completion_queue.h"
#include "inferometer/errors.h"
#include "loop_object.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// Batches may run on the calling thread for as long, and so many requests are made, before Ctrl-C
// is looked at.
constexpr int64_t kSignalCheckNs = 100'000'000;
constexpr size_t kSignalCheckRequests = 4096;

// The requests, as a tuple: what is done with one may run code that changes a list.
py::tuple requests_in(PyObject* given) {
  if (PyDict_Check(given) != 0 || py::isinstance<py::array>(given)) {
    throw DTypeError(std::string("got one ") + Py_TYPE(given)->tp_name +
                     ", want a sequence of numpy arrays, or of dicts of them");
  }
  auto requests = py::reinterpret_steal<py::tuple>(PySequence_Tuple(given));
  if (!requests) throw py::error_already_set();
  return requests;
}

// Flushed on behalf of no loop: what ends is nobody's to deliver.
const CompletionQueue& no_loop() {
  static const auto* const queue = new CompletionQueue();
  return *queue;
}

/// The requests of one blocking call. Each has a place, also one that was refused.
class Many {
 public:
  Many(PyObject* self, const SubmitOptions& options) : engine_(engine_of(self)), options_(options) {
    options_.flush_later = true;
  }

  // Submits all and waits for them. Ctrl-C ends all of them.
  void run(const py::tuple& requests) {
    try {
      for (const py::handle request : requests) {
        submit(request);
        if (places_.size() % kSignalCheckRequests == 0) check_signals();
      }
      wait();
    } catch (const std::exception&) {
      const std::exception_ptr error = std::current_exception();
      for (const Place& place : places_) {
        if (place.request) engine_.cancel(place.request, true);
      }
      std::rethrow_exception(error);
    }
  }

  [[nodiscard]] py::list answers(bool return_exceptions) {
    py::list answers(places_.size());
    for (size_t i = 0; i < places_.size(); ++i) {
      const py::object error = exception(places_[i]);
      if (!error.is_none() && !return_exceptions) raise(error);
      answers[i] = error.is_none() ? engine_.result(*places_[i].request, places_[i].form) : error;
    }
    return answers;
  }

 private:
  struct Place {
    std::shared_ptr<Request> request;
    AnswerForm form;
    py::object refusal;  // why there is no request
  };

  static void check_signals() {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }

  void submit(const py::handle& given) {
    Place place;
    try {
      const CallInputs inputs = engine_.parse(given, CallInputs::Rows::kGiven);
      place.form.named = inputs.named();
      place.request = engine_.submit(inputs, options_);
    } catch (const Error&) {
      place.refusal = refusal();
    } catch (const std::bad_alloc&) {  // it asks for more memory than there is: the others do not
      place.refusal = refusal();
    }
    places_.push_back(std::move(place));
  }

  void wait() {
    std::vector<std::shared_ptr<Request>> ended;  // of no_loop(): none
    while (engine_.flush(no_loop(), ended, kSignalCheckNs) == FlushStatus::kMoreToDo) {
      check_signals();
    }
    for (const Place& place : places_) {
      if (place.request && !place.request->ended()) engine_.wait(place.request, kNever);
    }
  }

  // The exception that is being handled.
  [[nodiscard]] static py::object refusal() {
    set_python_error(std::current_exception());
    return py::error_already_set().value();
  }

  [[nodiscard]] py::object exception(const Place& place) const {
    return place.request ? engine_.exception(*place.request) : place.refusal;
  }

  EngineObject& engine_;
  SubmitOptions options_;
  std::vector<Place> places_;
};

// Those of infer(), and one more.
struct ManyArguments : CallArguments {
  ManyArguments(PyObject* engine, const char* method, PyObject* const* arguments, Py_ssize_t count,
                PyObject* keywords) {
    std::array<PyObject*, 5> values;
    if (!take_arguments<5>(method, {"xs", "timeout", "priority", "trace_id", "return_exceptions"},
                           arguments, count, keywords, values)) {
      throw py::error_already_set();
    }
    fill(engine, method, "xs", std::span(values).first<4>());
    if (values[4] != nullptr) return_exceptions = bool_argument("return_exceptions", values[4]);
  }

  bool return_exceptions = false;
};

}  // namespace

PyObject* infer_many(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                     PyObject* keywords) {
  return translated([&] {
    const ManyArguments call(self, "infer_many", arguments, count, keywords);
    const py::tuple requests = requests_in(call.inputs);
    Many many(self, call.options);
    many.run(requests);
    return many.answers(call.return_exceptions).release().ptr();
  });
}

PyObject* infer_each_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                           PyObject* keywords) {
  return translated([&] {
    LoopObject* const loop = LoopObject::of_running_loop();
    if (loop == nullptr) throw Error("no running event loop");
    CallArguments call(self, "_infer_each_async", "xs", arguments, count, keywords);
    const py::tuple requests = requests_in(call.inputs);
    py::list pending(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      pending[i] =
          infer_pending(*loop, self, requests[i].ptr(), CallInputs::Rows::kGiven, call.options);
    }
    return pending.release().ptr();
  });
}

}  // namespace inferometer::python
