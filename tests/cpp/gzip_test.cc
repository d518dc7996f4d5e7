#include "telemetry/write/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace inferometer {
namespace {

std::string unzipped(const std::string& bytes, size_t size) {
  std::vector<char> out(size + 1);
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U) << "one member, nothing behind it";
  inflateEnd(&stream);
  return {out.data(), out.size() - stream.avail_out};
}

TEST(GzipTest, InflatesToWhatWentIn) {
  std::string noise;
  uint64_t state = 1;
  for (int i = 0; i < 300'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    noise += static_cast<char>(state >> 56U);
  }
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(1'000'000, 'a'), noise}) {
    EXPECT_EQ(unzipped(gzip(bytes), bytes.size()), bytes);
  }
  EXPECT_LT(gzip(std::string(1'000'000, 'a')).size(), 10'000U);
}

}  // namespace
}  // namespace inferometer
