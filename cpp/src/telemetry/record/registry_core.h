// What is behind a Registry.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "telemetry/catalogue.h"
#include "telemetry/cells/cell_family.h"
#include "telemetry/record/collectors.h"
#include "telemetry/record/family.h"
#include "telemetry/record/names.h"
#include "telemetry/record/refresher.h"
#include "telemetry/record/storage.h"
#include "telemetry/write/sink.h"

namespace inferometer {

struct RegistryOptions;
struct ForeignFamily;
struct ForeignSeries;
enum class Shown : uint8_t;

/// Where a family of the application was made: here, or in another registry that shows it itself
/// (inferometer.prometheus.REGISTRY), whose guest it is.
enum class Origin : uint8_t { kOwn, kGuest };

/// All families of one registry, and the walk over them that every writer uses. Held by the
/// Registry and by the Collectable that it hands out. Handles hold cells and series, not this.
/// Thread-safe.
class RegistryCore {
 public:
  explicit RegistryCore(const RegistryOptions& options);
  ~RegistryCore();
  RegistryCore(const RegistryCore&) = delete;
  RegistryCore& operator=(const RegistryCore&) = delete;

  [[nodiscard]] const std::shared_ptr<Storage>& storage() noexcept { return storage_; }
  [[nodiscard]] Family& family(Metric metric) noexcept {
    return *catalogue_[static_cast<size_t>(metric)];
  }
  /// Shows a family of the application from now on. Throws ConfigError if one of the names it would
  /// expose is taken.
  void attach(std::shared_ptr<CellFamily> family, Origin origin = Origin::kOwn);
  /// Shows it no more; one that is not attached is left alone.
  void detach(const CellFamily& family);

  void add_collector(std::unique_ptr<Collector> collector);
  /// Does not wait for a collector that hangs.
  void remove_collector(const void* key);

  /// Has it called at the start of every exposition. Does nothing if there is one of that name.
  void add_refresher(std::string_view name, std::shared_ptr<Refresher> refresher);

  void claim(std::string_view name, std::string_view version);
  void release(std::string_view name, std::string_view version) noexcept;

  /// Shows everything (Shown{}), or what `shown` says, to the sink: catalogue, application, foreign
  /// families, each in order of registration. Families without series are left out.
  void visit(Sink& sink, Shown shown = Shown{});
  /// The same for the catalogue alone: no foreign code runs.
  void visit_catalogue(Sink& sink);

 private:
  struct Attached {
    std::shared_ptr<CellFamily> family;
    Origin origin;
  };

  [[nodiscard]] Collectors::Threads collector_threads(Shown shown) EXCLUDES(storage_->mutex);
  void refresh() EXCLUDES(storage_->mutex);
  // Whether one of our series has these labels.
  [[nodiscard]] bool has_locked(const ForeignFamily& family, const ForeignSeries& series)
      REQUIRES(storage_->mutex);

  // Constant after construction.
  const std::shared_ptr<Storage> storage_;
  std::array<std::unique_ptr<Family>, kMetricCount> catalogue_;
  Family::SeriesList own_series_;  // what the registry says about itself

  std::vector<Attached> application_ GUARDED_BY(storage_->mutex);
  NameTable names_ GUARDED_BY(storage_->mutex);
  // (name, version) of the live engines, and the process that made each: a claim of a forked
  // child's parent does not bind the child.
  std::map<std::pair<std::string, std::string>, uint32_t> claims_ GUARDED_BY(storage_->mutex);
  Collectors collectors_ GUARDED_BY(storage_->mutex);
  // inferometer_python_collectors_stale; there while there is something that may be stale.
  std::shared_ptr<Series> stale_ GUARDED_BY(storage_->mutex);
  // By name; few.
  std::map<std::string, std::shared_ptr<Refresher>, std::less<>> refreshers_
      GUARDED_BY(storage_->mutex);
};

}  // namespace inferometer
