#include "telemetry/write/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace inferometer {
namespace {

constexpr int kGzipWindow = MAX_WBITS + 16;  // zlib's way to ask for a gzip header
constexpr int kMemoryLevel = 8;              // its default

// Single-owner.
class Deflater {
 public:
  Deflater() {
    if (deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  [[nodiscard]] z_stream& stream() noexcept { return stream_; }

 private:
  z_stream stream_{};
};

// zlib counts in 32 bits: a long body goes in and out in pieces.
uInt piece(size_t bytes) noexcept {
  return static_cast<uInt>(std::min<size_t>(bytes, std::numeric_limits<uInt>::max()));
}

}  // namespace

std::string gzip(std::string_view bytes) {
  Deflater deflater;
  z_stream& stream = deflater.stream();
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  size_t read = 0;
  size_t written = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const uInt input = piece(bytes.size() - read);
    const uInt room = piece(out.size() - written);
    // zlib's interface is not const-correct; it does not write to its input.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data() + read));
    stream.avail_in = input;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    stream.avail_out = room;
    status = deflate(&stream, read + input == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    read += input - stream.avail_in;
    written += room - stream.avail_out;
    if (status == Z_STREAM_ERROR) throw std::bad_alloc();
  }
  out.resize(written);
  return out;
}

}  // namespace inferometer
