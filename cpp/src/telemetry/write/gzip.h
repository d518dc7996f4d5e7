// Compression of expositions.
#pragma once

#include <string>
#include <string_view>

namespace inferometer {

/// `bytes` as one gzip member, at zlib's fastest level: metrics shrink to about a tenth at it
/// already. Throws std::bad_alloc.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace inferometer
