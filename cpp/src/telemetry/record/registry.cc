#include "inferometer/registry.h"

#include "inferometer/errors.h"
#include "telemetry/record/registry_core.h"
#include "telemetry/write/collectable.h"
#include "telemetry/write/sample_finder.h"
#include "telemetry/write/text_writer.h"

namespace inferometer {

std::shared_ptr<Registry> Registry::create(const RegistryOptions& options) {
  return std::shared_ptr<Registry>(new Registry(options));
}

Registry::Registry(const RegistryOptions& options)
    : core_(std::make_shared<RegistryCore>(options)) {}

Registry::~Registry() = default;

Counter Registry::counter(std::string_view name, std::string_view help,
                          const LabelNames& label_names) {
  return Counter(core_->add_family(
      FamilySpec::of_application(MetricType::kCounter, name, help, label_names, {})));
}

Gauge Registry::gauge(std::string_view name, std::string_view help, const LabelNames& label_names) {
  return Gauge(core_->add_family(
      FamilySpec::of_application(MetricType::kGauge, name, help, label_names, {})));
}

Histogram Registry::histogram(std::string_view name, std::string_view help,
                              const LabelNames& label_names, std::span<const double> buckets) {
  return Histogram(core_->add_family(
      FamilySpec::of_application(MetricType::kHistogram, name, help, label_names, buckets)));
}

std::string Registry::render_text() const {
  // Relaxed: a guess that nothing depends on.
  TextWriter writer(last_text_bytes_.load(std::memory_order_relaxed));
  core_->visit(writer);
  std::string text = std::move(writer).text();
  last_text_bytes_.store(text.size(), std::memory_order_relaxed);
  return text;
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
  core_->add_collector(std::move(foreign));
}

void Registry::remove_collectable(const std::shared_ptr<prometheus::Collectable>& foreign) {
  core_->remove_collector(foreign);
}

std::shared_ptr<Series> Registry::acquire(Metric metric,
                                          std::span<const std::string_view> label_values) {
  return core_->family(metric).get(label_values);
}

std::shared_ptr<Series> Registry::acquire(Metric metric,
                                          std::initializer_list<std::string_view> values) {
  return acquire(metric, std::span(values.begin(), values.size()));
}

void Registry::add_refresher(std::string_view name, std::shared_ptr<Refresher> refresher) {
  core_->add_refresher(name, std::move(refresher));
}

std::atomic<uint64_t>* Registry::allocate_words(size_t count) {
  Arena& arena = core_->storage().arena;
  return arena.at(arena.allocate(count));
}

void Registry::free_words(std::atomic<uint64_t>* words, size_t count) noexcept {
  Arena& arena = core_->storage().arena;
  arena.free(arena.offset_of(words), count);
}

void Registry::claim(std::string_view name, std::string_view version) {
  core_->claim(name, version);
}

void Registry::release(std::string_view name, std::string_view version) noexcept {
  core_->release(name, version);
}

}  // namespace inferometer
