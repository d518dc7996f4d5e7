// Metrics: the registry, and the application's own counters, gauges and histograms.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inferometer/history.h"

namespace prometheus {
class Collectable;
}

namespace inferometer {

class CellFamily;
class FamilySource;
class Refresher;
class HistorySwitch;
class RegistryCore;
class Series;
class ValueCell;
struct CellSpec;
enum class Format : uint8_t;
enum class Metric : uint8_t;

/// Where one observation came from: label names and values, say a trace id. Names are as those of
/// labels and distinct; all names and values together have at most 128 code points.
struct Exemplar {
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  int64_t timestamp_ns = 0;  ///< Since the epoch; 0 for now.
};

/// What Counter, Gauge and Histogram share: a handle to a family with labels (labels() leads to its
/// series) or to one series. Copies refer to the same metric. A handle stays safe to use after the
/// series was removed or the registry is gone; what it records is then seen by nobody.
/// Recording takes no lock and allocates nothing; an exemplar does both. Thread-safe.
class AppMetric {
 public:
  using Values = std::span<const std::string_view>;

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::vector<std::string>& label_names() const noexcept;
  /// Removes the series of these label values, if there is one. Throws ConfigError unless this is a
  /// family with that many labels.
  void remove(Values values) const;
  void remove(std::initializer_list<std::string_view> values) const;
  /// Removes all series of a family with labels; does nothing to one without.
  void clear() const;

 protected:
  /// A family, or its one series if it has no labels.
  explicit AppMetric(std::shared_ptr<CellFamily> family);
  /// One series of the family.
  AppMetric(std::shared_ptr<CellFamily> family, std::shared_ptr<ValueCell> cell);
  /// The series of these values. Throws ConfigError if this is no family with labels.
  [[nodiscard]] std::shared_ptr<ValueCell> child(Values values) const;
  /// What to record into. Throws ConfigError for a family whose labels are missing.
  [[nodiscard]] ValueCell& cell() const {
    if (cell_ == nullptr) [[unlikely]]
      refuse_without_labels();
    return *cell_;
  }

  std::shared_ptr<CellFamily> family_;
  std::shared_ptr<ValueCell> cell_;  // null for a family with labels

 private:
  [[noreturn]] void refuse_without_labels() const;
};

/// A value that only grows. Thread-safe.
class Counter : public AppMetric {
 public:
  /// The series of these label values (made at first use), in the order of the label names; once
  /// the metric has max_series_per_family of them, that of the label values "_overflow" instead of
  /// a new one. Throws ConfigError for a wrong number of values and for invalid UTF-8.
  [[nodiscard]] Counter labels(Values values) const;
  [[nodiscard]] Counter labels(std::initializer_list<std::string_view> values) const;
  /// Throws ConfigError if `amount` is negative or NaN.
  void inc(double amount = 1.0) const;
  /// With an exemplar, as Histogram::observe().
  void inc(double amount, const Exemplar& exemplar) const;
  [[nodiscard]] double value() const;

 private:
  friend class Registry;
  using AppMetric::AppMetric;
};

/// A value that goes up and down. Thread-safe.
class Gauge : public AppMetric {
 public:
  /// As Counter::labels().
  [[nodiscard]] Gauge labels(Values values) const;
  [[nodiscard]] Gauge labels(std::initializer_list<std::string_view> values) const;
  void inc(double amount = 1.0) const;
  void dec(double amount = 1.0) const;
  void set(double value) const;
  [[nodiscard]] double value() const;

 private:
  friend class Registry;
  using AppMetric::AppMetric;
};

/// Observations counted in buckets. Thread-safe.
class Histogram : public AppMetric {
 public:
  /// As Counter::labels().
  [[nodiscard]] Histogram labels(Values values) const;
  [[nodiscard]] Histogram labels(std::initializer_list<std::string_view> values) const;
  /// NaN is counted in the +Inf bucket and makes the sum NaN, as in Go.
  void observe(double value) const;
  /// With an exemplar, which becomes its bucket's newest. Throws ConfigError, and records nothing,
  /// for labels that an exemplar cannot have (see Exemplar).
  void observe(double value, const Exemplar& exemplar) const;

 private:
  friend class Registry;
  using AppMetric::AppMetric;
};

/// Bounds of a histogram that names none: prometheus_client's, 5 ms to 10 s.
inline constexpr double kDefaultBuckets[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                             0.5,   0.75, 1.0,   2.5,  5.0,   7.5, 10.0};

/// What a scraper asks for, in the words of its HTTP headers; empty where it has none.
struct ScrapeRequest {
  std::string_view accept = {};
  std::string_view accept_encoding = {};
};

/// An exposition as an HTTP answer carries it.
struct Exposition {
  std::string body;
  std::string content_type;
  std::string content_encoding = {};  ///< "gzip", or empty.
};

struct RegistryOptions {
  /// Bound on the series of each of the application's metrics. Label values beyond it share one
  /// more series, with "_overflow" as the value of every label; each time that happens is counted
  /// in inferometer_dropped_series_total.
  size_t max_series_per_family = 10'000;
  /// Address space reserved for the values of engines; memory is used as series are made.
  size_t arena_bytes = size_t{64} << 20;
  /// Gives histograms native (exponential) buckets beside the classic ones, shown in protobuf.
  bool native_histograms = false;
  /// Adds a `_created` sample to every counter, histogram and summary in OpenMetrics. Prometheus
  /// stores each as one more series.
  bool created_series = false;
  /// How long an exposition waits for foreign collectors, all of them together. One that is later
  /// is left out; more than 0, at most an hour.
  double collector_timeout_seconds = 1.0;
};

/// Which families an exposition has.
enum class Shown : uint8_t {
  kAll,
  kOwn,  ///< Without guests: not those of add_source() and of inferometer.prometheus.
};

/// A set of metrics that is exposed together. Recording never takes its lock; making and removing
/// series and rendering do. Rendering never takes Python's GIL. After fork() the child may use it.
/// Thread-safe.
class Registry {
 public:
  using LabelNames = std::vector<std::string>;
  using LabelSet = std::map<std::string, std::string, std::less<>>;

  [[nodiscard]] static std::shared_ptr<Registry> create(const RegistryOptions& options = {});
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// New families of the application. They throw ConfigError for an invalid or reserved name, a
  /// name that exists or would collide in the exposition (a counter `x` with `x_total`, a histogram
  /// with its `_bucket`, `_sum`, `_count`), bad buckets (empty, not ascending, NaN; +Inf is added)
  /// and text that is not UTF-8. A counter is exposed with `_total` at its
  /// end. `native` gives a histogram native buckets or not, whatever the registry's option says.
  [[nodiscard]] Counter counter(std::string_view name, std::string_view help,
                                const LabelNames& label_names = {});
  [[nodiscard]] Gauge gauge(std::string_view name, std::string_view help,
                            const LabelNames& label_names = {});
  [[nodiscard]] Histogram histogram(std::string_view name, std::string_view help,
                                    const LabelNames& label_names = {},
                                    std::span<const double> buckets = kDefaultBuckets,
                                    std::optional<bool> native = std::nullopt);

  /// The exposition in the format that the scraper likes best: text 0.0.4 or 1.0.0, OpenMetrics
  /// 1.0, or delimited protobuf; gzipped where that is asked for and pays. Whatever the headers
  /// say, there is an answer.
  [[nodiscard]] Exposition render(const ScrapeRequest& request, Shown shown = Shown::kAll) const;
  /// The exposition as Prometheus text 0.0.4.
  [[nodiscard]] std::string render_text() const;
  /// The names of the families that the exposition has now, in its order.
  [[nodiscard]] std::vector<std::string> family_names(Shown shown = Shown::kAll) const;
  /// See RegistryOptions. Series that there are stay.
  [[nodiscard]] size_t max_series_per_family() const noexcept;
  void set_max_series_per_family(size_t limit) noexcept;
  /// The present value of the sample `name` with exactly these labels, if it is exposed. Looks it
  /// up in a whole exposition, foreign collectors included: for tests, not for hot paths.
  [[nodiscard]] std::optional<double> sample_value(std::string_view name,
                                                   const LabelSet& labels = {}) const;

  /// This registry as prometheus-cpp's Exposer and Gateway take it. Outlives the registry.
  [[nodiscard]] std::shared_ptr<prometheus::Collectable> collectable() const;
  /// Merges the families of `foreign` into the exposition from now on. It is called on a thread of
  /// its own, which the first exposition starts, without our lock, and never twice at once:
  /// expositions that are made together share a call. One that throws, or does not answer within
  /// collector_timeout_seconds, is counted in inferometer_collector_errors_total, and series that
  /// cannot be shown (another type under a name in use, a duplicate, invalid names) in
  /// inferometer_dropped_series_total; the rest is served. Once an exposition has given up on a
  /// call, later ones do not wait for it. Throws ConfigError for null and for this registry itself.
  void add_collectable(std::shared_ptr<prometheus::Collectable> foreign);
  /// Does not wait for a call that is going on: it ends some time later, and the thread with it.
  void remove_collectable(const std::shared_ptr<prometheus::Collectable>& foreign);

  /// Begins to keep the near past of the catalogue's series (not the application's): a sample now
  /// and, from a thread of its own, one every interval. Nothing if it runs with these options
  /// already. Ends with stop_history(), which forgets the samples, or with the registry; a forked
  /// child has none. Throws ConfigError for options out of range, or others than those it runs
  /// with.
  void start_history(const HistoryOptions& options = {});
  void stop_history();

  // All of these throw ConfigError if no history is running.

  /// Takes a sample out of turn: at the end of an experiment, say.
  void sample_history();
  /// The last `seconds` of one sample of the exposition (`x_bucket`, `x_sum`, `x_count` of
  /// histogram `x`) with exactly these labels; of all buckets if `le` is left out. Throws
  /// ConfigError for a name or label names that the catalogue does not have, an `le` that is no
  /// bound, and `seconds` not above 0.
  [[nodiscard]] HistoryCurve history(
      std::string_view name, const LabelSet& labels = {},
      double seconds = std::numeric_limits<double>::infinity()) const;
  /// What `labels` history() has values for.
  [[nodiscard]] std::vector<LabelSet> history_series(std::string_view name) const;

  /// Nothing if no history is running.
  [[nodiscard]] std::optional<HistoryStats> history_stats() const;

  // For the library's own recorders and bindings.

  /// What is behind it.
  [[nodiscard]] RegistryCore& core() const noexcept { return *core_; }

  /// The series of a catalogue metric, made at first use. It is exposed while at least one handle
  /// lives, so the versions of one model share it; `native` gives a histogram native buckets, if
  /// it is made now. Throws ConfigError for a wrong number of values,
  /// for invalid UTF-8 or when the arena is full.
  [[nodiscard]] std::shared_ptr<Series> acquire(Metric metric,
                                                std::span<const std::string_view> label_values,
                                                bool native = false);
  [[nodiscard]] std::shared_ptr<Series> acquire(Metric metric,
                                                std::initializer_list<std::string_view> values,
                                                bool native = false);
  /// Has `refresher` called at the start of every exposition, before a lock is taken. Does nothing
  /// if this registry has one of that name.
  void add_refresher(std::string_view name, std::shared_ptr<Refresher> refresher);
  /// Merges the families of `source` as add_collectable() does, but waits at most `timeout_ns`.
  /// If it is later, its last families are shown and inferometer_python_collectors_stale is 1.
  void add_source(std::shared_ptr<FamilySource> source, int64_t timeout_ns);
  void remove_source(const FamilySource& source);
  /// Zeroed words for stripes, cache-line aligned, at an address that never moves. Throws
  /// ConfigError when the arena is full. Detach before freeing; free before the registry goes.
  [[nodiscard]] std::atomic<uint64_t>* allocate_words(size_t count);
  void free_words(std::atomic<uint64_t>* words, size_t count) noexcept;
  /// Reserves (name, version) for one live engine. Throws ConfigError naming both if it is taken.
  void claim(std::string_view name, std::string_view version);
  void release(std::string_view name, std::string_view version) noexcept;

 private:
  explicit Registry(const RegistryOptions& options);
  [[nodiscard]] std::shared_ptr<CellFamily> add_family(CellSpec spec);
  [[nodiscard]] std::string body(Format format, Shown shown) const;

  const std::shared_ptr<RegistryCore> core_;
  const std::unique_ptr<HistorySwitch> history_;
  const int64_t collector_timeout_ns_;
  const bool created_series_;
  const bool native_histograms_;
  mutable std::atomic<size_t> last_body_bytes_{0};  // so that the next one is allocated once
};

}  // namespace inferometer
