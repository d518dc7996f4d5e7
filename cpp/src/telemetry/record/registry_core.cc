#include "telemetry/record/registry_core.h"

#include <algorithm>
#include <optional>

#include "base/process_generation.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "telemetry/cells/cell_view.h"

#ifndef INFEROMETER_VERSION
#define INFEROMETER_VERSION "unknown"
#endif

namespace inferometer {

RegistryCore::RegistryCore(const RegistryOptions& options)
    : storage_(std::make_shared<Storage>(options.arena_bytes, options.max_series_per_family)) {
  for (const MetricInfo& info : catalogue()) {
    FamilySpec spec = FamilySpec::of(info);
    spec.native_histograms = options.native_histograms;
    catalogue_[static_cast<size_t>(info.metric)] =
        std::make_unique<Family>(storage_, std::move(spec));
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

void RegistryCore::attach(std::shared_ptr<CellFamily> family, Origin origin) {
  const std::string& name = family->exposed_name();
  const MetricType type = metric_type(family->spec().type);
  MutexLock lock(storage_->mutex);
  if (const NameTable::Owner* owner = names_.owner_of(name, type)) {
    throw ConfigError("got " + std::string(metric_type_name(type)) + " \"" + name +
                      "\", want a name that does not collide with the " +
                      std::string(metric_type_name(owner->type)) + " \"" + owner->family +
                      "\" of this registry");
  }
  names_.add(name, type);
  application_.push_back({std::move(family), origin});
}

void RegistryCore::detach(const CellFamily& family) {
  std::shared_ptr<CellFamily> detached;  // destroyed when the lock is free again
  MutexLock lock(storage_->mutex);
  const auto found = std::ranges::find(application_, &family,
                                       [](const Attached& one) { return one.family.get(); });
  if (found == application_.end()) return;
  detached = std::move(found->family);
  application_.erase(found);
  names_.remove(family.exposed_name(), metric_type(family.spec().type));
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

// The families' locks are this registry's storage_->mutex, which the analysis cannot see; so below.
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
  foreign.resolve(names_, [&](const ForeignFamily& family, const ForeignSeries& series)
                              NO_THREAD_SAFETY_ANALYSIS { return has_locked(family, series); });
  // Counted before anything is shown, so that this exposition tells about itself.
  add_shared(storage_->collector_errors, merged.errors);
  add_shared(storage_->dropped_series, foreign.dropped());
  // Relaxed: read under the lock.
  if (stale_ != nullptr) stale_->base()->store(merged.stale ? 1 : 0, std::memory_order_relaxed);

  for (const auto& family : catalogue_) {
    const std::optional<ForeignFamily> theirs = foreign.take(family->spec().name);
    if (!family->empty_locked()) {
      family->visit_locked(sink);
    } else if (theirs) {
      family->visit_header(sink);
    }
    if (theirs) visit_series(*theirs, sink);
  }
  for (const Attached& attached : application_) {
    const CellFamily& family = *attached.family;
    if (!is_native(family) || (shown == Shown::kOwn && attached.origin == Origin::kGuest)) continue;
    const std::optional<ForeignFamily> theirs = foreign.take(family.exposed_name());
    const bool shown_ours = visit_cells(family, sink);
    if (!theirs) continue;
    if (!shown_ours) sink.family(view_of(family));
    visit_series(*theirs, sink);
  }
  foreign.visit(sink);
}

bool RegistryCore::has_locked(const ForeignFamily& family,
                              const ForeignSeries& series) NO_THREAD_SAFETY_ANALYSIS {
  for (const auto& ours : catalogue_) {
    if (ours->spec().name != family.name) continue;
    return ours->contains_locked(series.label_names, series.label_values);
  }
  const auto ours = std::ranges::find(application_, family.name, [](const Attached& attached) {
    return std::string_view(attached.family->exposed_name());
  });
  // What is not native is Python's to show.
  return ours != application_.end() && is_native(*ours->family) &&
         ours->family->contains(series.label_names, series.label_values);
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

}  // namespace inferometer
