#include "telemetry/record/registry_core.h"

#include <algorithm>
#include <optional>

#include "base/process_generation.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"

#ifndef INFEROMETER_VERSION
#define INFEROMETER_VERSION "unknown"
#endif

namespace inferometer {

RegistryCore::RegistryCore(const RegistryOptions& options)
    : storage_(std::make_shared<Storage>(options.arena_bytes, options.max_series)) {
  for (const MetricInfo& info : catalogue()) {
    FamilySpec spec = FamilySpec::of(info);
    spec.native_histograms = options.native_histograms;
    catalogue_[static_cast<size_t>(info.metric)] =
        std::make_unique<Family>(storage_, std::move(spec), Family::Keep::kWhileHeld);
    names_.add(info.name, info.type);
  }
  const std::string_view version = INFEROMETER_VERSION;
  own_series_ = {family(Metric::kDroppedSeries).get({}), family(Metric::kCollectorErrors).get({}),
                 family(Metric::kBuildInfo).get({&version, 1})};
  own_series_[0]->attach(&storage_->dropped_series);
  own_series_[1]->attach(&storage_->collector_errors);
  add_shared(*own_series_[2]->base(), 1);
}

RegistryCore::~RegistryCore() = default;

// The families' locks are this registry's storage_->mutex, which the analysis cannot see; so below.
std::shared_ptr<Family> RegistryCore::add_family(FamilySpec spec) NO_THREAD_SAFETY_ANALYSIS {
  auto family = std::make_shared<Family>(storage_, std::move(spec), Family::Keep::kUntilRemoved);
  const FamilySpec& made = family->spec();
  MutexLock lock(storage_->mutex);
  if (const NameTable::Owner* owner = names_.owner_of(made.name, made.type)) {
    throw ConfigError("got " + std::string(metric_type_name(made.type)) + " \"" + made.name +
                      "\", want a name that does not collide with the " +
                      std::string(metric_type_name(owner->type)) + " \"" + owner->family +
                      "\" of this registry");
  }
  if (made.label_names.empty()) (void)family->get_locked({});
  application_.push_back(family);
  names_.add(made.name, made.type);
  return family;
}

void RegistryCore::add_collector(std::unique_ptr<Collector> collector) NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(storage_->mutex);
  collectors_.add(std::move(collector));
  if (stale_ == nullptr && collectors_.may_be_stale()) {
    stale_ = family(Metric::kPythonCollectorsStale).get_locked({});
  }
}

void RegistryCore::remove_collector(const void* key) {
  // Destroyed when the lock is free again.
  Collectors::List removed;
  std::shared_ptr<Series> stale;
  MutexLock lock(storage_->mutex);
  removed = collectors_.remove(key);
  if (!collectors_.may_be_stale()) stale.swap(stale_);
}

void RegistryCore::claim(std::string_view name, std::string_view version) {
  MutexLock lock(storage_->mutex);
  const auto [claim, fresh] =
      claims_.try_emplace({std::string(name), std::string(version)}, process_generation());
  if (fresh) return;
  if (claim->second != process_generation()) {
    claim->second = process_generation();
    return;
  }
  throw ConfigError("got a second engine named \"" + std::string(name) + "\", version \"" +
                    std::string(version) +
                    "\", want one in a registry: close the first, or give "
                    "this one another name, version or registry");
}

void RegistryCore::release(std::string_view name, std::string_view version) noexcept {
  MutexLock lock(storage_->mutex);
  std::erase_if(claims_, [&](const auto& claim) {
    return claim.first.first == name && claim.first.second == version;
  });
}

void RegistryCore::add_refresher(std::string_view name, std::shared_ptr<Refresher> refresher) {
  MutexLock lock(storage_->mutex);
  std::shared_ptr<Refresher>& held = refreshers_[std::string(name)];
  if (held == nullptr) held = std::move(refresher);
}

Collectors::Threads RegistryCore::collector_threads(Shown shown) {
  MutexLock lock(storage_->mutex);
  return collectors_.threads(shown == Shown::kAll);
}

void RegistryCore::refresh() {
  std::vector<std::shared_ptr<Refresher>> refreshers;
  {
    MutexLock lock(storage_->mutex);
    for (const auto& [name, refresher] : refreshers_) refreshers.push_back(refresher);
  }
  for (const auto& refresher : refreshers) {
    try {
      refresher->refresh(*this);
    } catch (...) {
      add_shared(storage_->collector_errors, 1);
    }
  }
}

void RegistryCore::visit(Sink& sink, Shown shown) NO_THREAD_SAFETY_ANALYSIS {
  refresh();
  // Destroyed after the lock, as are the dead series.
  const Collectors::Threads threads = collector_threads(shown);
  Family::SeriesList dead;
  // Foreign code runs on threads of its own: it may take long, hang, or use this registry.
  Merged merged = collect(threads);
  ForeignFamilies& foreign = merged.families;

  MutexLock lock(storage_->mutex);
  for (const auto& family : catalogue_) family->collect_dead_locked(dead);
  const std::vector<Family*> families = families_locked();
  foreign.resolve(names_, [&](const ForeignFamily& theirs,
                              const ForeignSeries& series) NO_THREAD_SAFETY_ANALYSIS {
    const auto ours = std::ranges::find(families, theirs.name,
                                        [](const Family* family) { return family->spec().name; });
    return (*ours)->contains_locked(series.label_names, series.label_values);
  });
  // Counted before anything is shown, so that this exposition tells about itself.
  add_shared(storage_->collector_errors, merged.errors);
  add_shared(storage_->dropped_series, foreign.dropped());
  // Relaxed: read under the lock.
  if (stale_ != nullptr) stale_->base()->store(merged.stale ? 1 : 0, std::memory_order_relaxed);

  for (Family* family : families) {
    const std::optional<ForeignFamily> theirs = foreign.take(family->spec().name);
    if (family->empty_locked() && !theirs) continue;
    family->visit_locked(sink);
    if (theirs) visit_series(*theirs, sink);
  }
  foreign.visit(sink);
}

void RegistryCore::visit_catalogue(Sink& sink) NO_THREAD_SAFETY_ANALYSIS {
  refresh();
  Family::SeriesList dead;  // destroyed after the lock
  MutexLock lock(storage_->mutex);
  for (const auto& family : catalogue_) {
    family->collect_dead_locked(dead);
    if (!family->empty_locked()) family->visit_locked(sink);
  }
}

std::vector<Family*> RegistryCore::families_locked() {
  std::vector<Family*> families;
  families.reserve(catalogue_.size() + application_.size());
  for (const auto& family : catalogue_) families.push_back(family.get());
  for (const auto& family : application_) families.push_back(family.get());
  return families;
}

}  // namespace inferometer
