#include "inferometer/registry.h"

#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "telemetry/cells/app_spec.h"
#include "telemetry/record/foreign_collect.h"
#include "telemetry/record/history_switch.h"
#include "telemetry/record/registry_core.h"
#include "telemetry/write/collectable.h"
#include "telemetry/write/family_names.h"
#include "telemetry/write/gzip.h"
#include "telemetry/write/negotiation.h"
#include "telemetry/write/number.h"
#include "telemetry/write/openmetrics_writer.h"
#include "telemetry/write/protobuf_writer.h"
#include "telemetry/write/sample_finder.h"
#include "telemetry/write/text_writer.h"

namespace inferometer {
namespace {

int64_t timeout_ns_of(const RegistryOptions& options) {
  constexpr double kMaxSeconds = 3600;
  const double seconds = options.collector_timeout_seconds;
  if (!(seconds > 0 && seconds <= kMaxSeconds)) {
    throw ConfigError("collector_timeout: got " + float_text(seconds) +
                      ", want more than 0 and at most " + float_text(kMaxSeconds) + " seconds");
  }
  return seconds_to_ns(seconds);
}

}  // namespace

std::shared_ptr<Registry> Registry::create(const RegistryOptions& options) {
  return std::shared_ptr<Registry>(new Registry(options));
}

Registry::Registry(const RegistryOptions& options)
    : core_(std::make_shared<RegistryCore>(options)),
      history_(std::make_unique<HistorySwitch>(core_)),
      collector_timeout_ns_(timeout_ns_of(options)),
      created_series_(options.created_series),
      native_histograms_(options.native_histograms) {}

Registry::~Registry() = default;

Counter Registry::counter(std::string_view name, std::string_view help,
                          const LabelNames& label_names) {
  return Counter(add_family(app_spec(CellType::kCounter, name, help, label_names, {})));
}

Gauge Registry::gauge(std::string_view name, std::string_view help, const LabelNames& label_names) {
  return Gauge(add_family(app_spec(CellType::kGauge, name, help, label_names, {})));
}

Histogram Registry::histogram(std::string_view name, std::string_view help,
                              const LabelNames& label_names, std::span<const double> buckets,
                              std::optional<bool> native) {
  CellSpec spec = app_spec(CellType::kHistogram, name, help, label_names, buckets);
  spec.native_histograms = native.value_or(native_histograms_);
  return Histogram(add_family(std::move(spec)));
}

std::shared_ptr<CellFamily> Registry::add_family(CellSpec spec) {
  auto family = std::make_shared<CellFamily>(std::move(spec), core_->storage());
  core_->attach(family);
  return family;
}

size_t Registry::max_series_per_family() const noexcept {
  return core_->storage()->max_series_per_family.load(std::memory_order_relaxed);
}

void Registry::set_max_series_per_family(size_t limit) noexcept {
  core_->storage()->max_series_per_family.store(limit, std::memory_order_relaxed);
}

std::string Registry::render_text() const { return render({}).body; }

Exposition Registry::render(const ScrapeRequest& request, Shown shown) const {
  // Below this a compressed body saves no packet.
  constexpr size_t kMinGzipBytes = 1024;
  const auto [format, content_type] = negotiate(request.accept);
  Exposition exposition{body(format, shown), content_type};
  if (exposition.body.size() >= kMinGzipBytes && accepts_gzip(request.accept_encoding)) {
    exposition.body = gzip(exposition.body);
    exposition.content_encoding = "gzip";
  }
  return exposition;
}

std::string Registry::body(Format format, Shown shown) const {
  // Relaxed: a guess that nothing depends on.
  const size_t expected = last_body_bytes_.load(std::memory_order_relaxed);
  std::string bytes;
  switch (format) {
    case Format::kText004:
    case Format::kText100: {
      TextWriter writer(expected);
      core_->visit(writer, shown);
      bytes = std::move(writer).text();
      break;
    }
    case Format::kOpenMetrics001:
    case Format::kOpenMetrics100: {
      OpenMetricsWriter writer(expected, created_series_);
      core_->visit(writer, shown);
      bytes = std::move(writer).text();
      break;
    }
    case Format::kProtobuf: {
      ProtobufWriter writer(expected);
      core_->visit(writer, shown);
      bytes = std::move(writer).bytes();
      break;
    }
  }
  last_body_bytes_.store(bytes.size(), std::memory_order_relaxed);
  return bytes;
}

std::vector<std::string> Registry::family_names(Shown shown) const {
  FamilyNames names;
  core_->visit(names, shown);
  return std::move(names).names();
}

std::optional<double> Registry::sample_value(std::string_view name, const LabelSet& labels) const {
  SampleFinder finder(name, labels);
  core_->visit(finder);
  return finder.value();
}

std::shared_ptr<prometheus::Collectable> Registry::collectable() const {
  return make_collectable(core_);
}

void Registry::add_collectable(std::shared_ptr<prometheus::Collectable> foreign) {
  if (foreign == nullptr) throw ConfigError("got no collectable, want one");
  if (is_collectable_of(*foreign, *core_)) {
    throw ConfigError("got this registry's own collectable, want a foreign one");
  }
  const void* const key = foreign.get();
  core_->add_collector(std::make_unique<Collector>(
      key, source_of(std::move(foreign)), CollectorOptions{.timeout_ns = collector_timeout_ns_}));
}

void Registry::remove_collectable(const std::shared_ptr<prometheus::Collectable>& foreign) {
  core_->remove_collector(foreign.get());
}

void Registry::add_source(std::shared_ptr<FamilySource> source, int64_t timeout_ns) {
  const void* const key = source.get();
  core_->add_collector(std::make_unique<Collector>(
      key, std::move(source), CollectorOptions{timeout_ns, CollectorOptions::Late::kShowLast}));
}

void Registry::remove_source(const FamilySource& source) { core_->remove_collector(&source); }

void Registry::start_history(const HistoryOptions& options) { history_->start(options); }

void Registry::stop_history() { history_->stop(); }

void Registry::sample_history() { history_->get()->sample(); }

HistoryCurve Registry::history(std::string_view name, const LabelSet& labels,
                               double seconds) const {
  return history_->get()->curve(name, labels, seconds);
}

std::vector<Registry::LabelSet> Registry::history_series(std::string_view name) const {
  return history_->get()->series(name);
}

std::optional<HistoryStats> Registry::history_stats() const {
  const std::shared_ptr<HistoryCore> core = history_->find();
  if (core == nullptr) return std::nullopt;
  return core->stats();
}

std::shared_ptr<Series> Registry::acquire(Metric metric,
                                          std::span<const std::string_view> label_values,
                                          bool native) {
  return core_->family(metric).get(label_values, native);
}

std::shared_ptr<Series> Registry::acquire(Metric metric,
                                          std::initializer_list<std::string_view> values,
                                          bool native) {
  return acquire(metric, std::span(values.begin(), values.size()), native);
}

void Registry::add_refresher(std::string_view name, std::shared_ptr<Refresher> refresher) {
  core_->add_refresher(name, std::move(refresher));
}

std::atomic<uint64_t>* Registry::allocate_words(size_t count) {
  Arena& arena = core_->storage()->arena;
  return arena.at(arena.allocate(count));
}

void Registry::free_words(std::atomic<uint64_t>* words, size_t count) noexcept {
  Arena& arena = core_->storage()->arena;
  arena.free(arena.offset_of(words), count);
}

void Registry::claim(std::string_view name, std::string_view version) {
  core_->claim(name, version);
}

void Registry::release(std::string_view name, std::string_view version) noexcept {
  core_->release(name, version);
}

}  // namespace inferometer
