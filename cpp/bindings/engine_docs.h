// The docstrings of Engine's methods that make requests; the first line is the signature, as
// inspect.signature() reads it.
#pragma once

namespace inferometer::python {

inline constexpr const char* kInferDoc =
    R"(infer($self, /, inputs, timeout=None, priority=0, trace_id=None)
--

Waits for the answer to one request, with the GIL released. Ctrl-C cancels it.

If nothing else waits the model runs on the calling thread: a function that holds the GIL as any
other call does, a native model without it.

Args:
    inputs: ``(rows, *shape)``, or a dict of such arrays by input name. Any strides; copied, except
        by a native model that runs here: do not write to them meanwhile.
    timeout: Seconds until the deadline; None: the batching's ``default_timeout``.
    priority: Not there yet: only 0.
    trace_id: The trace that the request belongs to: the exemplar of its latency. At most
        120 characters. None: that of the HTTP request, under ``asgi.TraceContext``.

Returns:
    Fresh arrays, as many rows as were given.

Raises:
    ShapeError, DTypeError, InputError: The request does not fit the model.
    QueueFullError: Too many requests wait.
    DeadlineExceededError: No answer by the deadline.
    ModelError: The model failed; its exception is the cause.
    ClosedError: The engine is or was closed.
    ConfigError: A trace id that is no text or too long, another priority.)";

inline constexpr const char* kInferOneDoc =
    R"(infer_one($self, /, sample, timeout=None, priority=0, trace_id=None)
--

As ``infer`` for a single sample: adds the row axis to it and takes it off the answer.

Args:
    sample: An array of the shape of one row (or a dict of them).
    timeout: As in ``infer``.
    priority: As in ``infer``.
    trace_id: As in ``infer``.

Returns:
    The answer's only row, fresh (a dict of them for several outputs).)";

inline constexpr const char* kSubmitDoc =
    R"(submit($self, /, inputs, timeout=None, priority=0, trace_id=None)
--

Queues a request and returns at once.

Returns:
    A handle like ``concurrent.futures.Future``: ``result(timeout)``, ``cancel()``,
    ``timing``. Keeping it keeps its batch's answer in memory.

Raises:
    ShapeError, DTypeError, InputError, QueueFullError, ClosedError, ConfigError: As
        ``infer``, at once.)";

inline constexpr const char* kInferAsyncDoc =
    R"(infer_async($self, /, inputs, timeout=None, priority=0, trace_id=None)
--

As ``infer``, without blocking the loop. Cancelling the await cancels the request.

The request is made by the call, awaited or not, and the rows are copied by then. What comes back
can be awaited, given to ``create_task``, ``gather``, ``wait_for``, ``shield``, and is a future:
``add_done_callback``, ``cancel``, ``done``, ``result``. Once it has ended ``timing`` says where the
time went. One that is dropped goes on; if it fails and nobody looks, the loop's exception handler
is told. Where no loop runs it is a coroutine that makes the request when it is awaited.

Raises:
    As ``infer``, by the await.)";

inline constexpr const char* kInferOneAsyncDoc =
    R"(infer_one_async($self, /, sample, timeout=None, priority=0, trace_id=None)
--

As ``infer_one``, without blocking the loop; see ``infer_async``.)";

inline constexpr const char* kInferManyDoc =
    R"(infer_many($self, /, xs, timeout=None, priority=0, trace_id=None, return_exceptions=False)
--

Many requests in one call: all are submitted before any is waited for.

Each is a request of its own: of its own shape, refused or failed alone. Those that do not fit
into the queue (``max_queue_size``) are refused while the others go on.

Args:
    xs: A sequence of what ``infer`` takes.
    timeout: As in ``infer``, for each.
    priority: As in ``infer``, for each.
    trace_id: As in ``infer``, for each.
    return_exceptions: False: the first error in the order of ``xs`` is raised when all have
        ended. True: errors stand in the list, in the places of their answers.

Returns:
    A list of the answers in the order of ``xs``.

Raises:
    As ``infer``. Ctrl-C cancels all of them.)";

}  // namespace inferometer::python
