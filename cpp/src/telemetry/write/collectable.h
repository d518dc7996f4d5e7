// A registry as prometheus-cpp sees it.
#pragma once

#include <memory>

namespace prometheus {
class Collectable;
}

namespace inferometer {

class RegistryCore;

/// A Collectable that shows everything the registry shows. Keeps the core alive. Thread-safe.
[[nodiscard]] std::shared_ptr<prometheus::Collectable> make_collectable(
    std::shared_ptr<RegistryCore> core);
/// Whether `collectable` came from make_collectable() of this core.
[[nodiscard]] bool is_collectable_of(const prometheus::Collectable& collectable,
                                     const RegistryCore& core) noexcept;

}  // namespace inferometer
