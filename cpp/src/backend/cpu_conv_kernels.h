// Convolution: patches of the image become columns, the rest is a product of matrices.
// Part of cpu_kernels_isa.cc.
#pragma once

#include "backend/cpu_eigen.h"
#include "backend/cpu_tile.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

// Columns for so many elements at a time are still in the second-level cache when they are read.
inline constexpr int64_t kColumnElements = int64_t{64} * 1024;

/// How images are taken apart: several small ones at once, or some lines of a large one. All counts
/// are of floats.
struct ConvTiling {
  int64_t group_in, group_out;       // channels of a group
  int64_t padded_h, padded_w;        // the part of the padded plane that kernels touch
  int64_t depth;                     // rows of the column matrix
  int64_t pixels;                    // out_h * out_w
  int64_t images;                    // taken together; 1 if `lines` is not all of an image
  int64_t lines;                     // output lines taken together
  int64_t stride;                    // of the column matrix: pixels taken together, and filling up
  bool pad;                          // a padded copy of the image is needed
  bool columns;                      // columns are needed: not a plain 1x1
  int64_t padded_size, column_size;  // workspace
};

static ConvTiling conv_tiling(const Conv2d& op) {
  ConvTiling t;
  t.group_in = op.in_channels / op.groups;
  t.group_out = op.out_channels / op.groups;
  t.padded_h = (op.out_h - 1) * op.stride_h + (op.kernel_h - 1) * op.dilation_h + 1;
  t.padded_w = (op.out_w - 1) * op.stride_w + (op.kernel_w - 1) * op.dilation_w + 1;
  t.depth = t.group_in * op.kernel_h * op.kernel_w;
  t.pixels = op.out_h * op.out_w;
  t.pad = op.pad_top > 0 || op.pad_left > 0 || t.padded_h - op.pad_top > op.in_h ||
          t.padded_w - op.pad_left > op.in_w;
  t.columns = t.pad || op.kernel_h * op.kernel_w > 1 || op.stride_h > 1 || op.stride_w > 1 ||
              t.pixels % kTileColumns != 0;
  const int64_t wanted = most(kColumnElements / t.depth, kTileColumns);
  t.lines = least(most(wanted / op.out_w, 1), op.out_h);
  t.images =
      t.lines < op.out_h || !t.columns ? 1 : most(least(wanted, 4 * kTileColumns) / t.pixels, 1);
  t.stride = (t.images * t.lines * op.out_w + kTileColumns - 1) / kTileColumns * kTileColumns;
  t.padded_size = t.pad ? t.group_in * t.padded_h * t.padded_w : 0;
  t.column_size = t.columns ? t.depth * t.stride : 0;
  return t;
}

static size_t conv2d_workspace_bytes(const Conv2d& op) {
  const ConvTiling t = conv_tiling(op);
  return sizeof(float) * static_cast<size_t>(t.padded_size + t.column_size);
}

/// Where lines of pixels are copied from and to: `step` elements apart in a line of the source,
/// side by side in the target.
struct LineCopy {
  int64_t width, lines;
  int64_t from_stride, to_stride;
  int64_t step;
};

/// Lines of a known width (0: any): a copy is then one or two moves, not a loop with a remainder.
template <int kWidth>
static inline void copy_lines(const LineCopy& copy, const float* from, float* to) {
  const int64_t width = kWidth > 0 ? kWidth : copy.width;
  if (kWidth > 0 && copy.step == 1) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < copy.lines; ++i) {
      __builtin_memcpy(to + i * copy.to_stride, from + i * copy.from_stride,
                       sizeof(float) * kWidth);
    }
    return;
  }
  for (int64_t i = 0; i < copy.lines; ++i) {
#pragma GCC unroll 16
    for (int64_t j = 0; j < width; ++j) {
      to[i * copy.to_stride + j] = from[i * copy.from_stride + j * copy.step];
    }
  }
}

/// Copies the group's planes into the middle of zeros, which are there already.
static void pad_planes(const Conv2d& op, const ConvTiling& t, const float* x, float* padded) {
  const LineCopy copy{.width = least(op.in_w, t.padded_w - op.pad_left),
                      .lines = least(op.in_h, t.padded_h - op.pad_top),
                      .from_stride = op.in_w,
                      .to_stride = t.padded_w,
                      .step = 1};
  for (int64_t c = 0; c < t.group_in; ++c) {
    copy_lines<0>(copy, x + c * op.in_h * op.in_w,
                  padded + (c * t.padded_h + op.pad_top) * t.padded_w + op.pad_left);
  }
}

/// The columns of one image's output lines [first, first + lines).
template <int kWidth>
static void fill_columns(const Conv2d& op, const ConvTiling& t, const float* image, int64_t first,
                         int64_t lines, float* columns) {
  const int64_t h = t.pad ? t.padded_h : op.in_h;
  const int64_t w = t.pad ? t.padded_w : op.in_w;
  const LineCopy copy{.width = op.out_w,
                      .lines = lines,
                      .from_stride = op.stride_h * w,
                      .to_stride = op.out_w,
                      .step = op.stride_w};
  for (int64_t c = 0; c < t.group_in; ++c) {
    const float* plane = image + (c * h + first * op.stride_h) * w;
    for (int64_t kh = 0; kh < op.kernel_h; ++kh) {
      for (int64_t kw = 0; kw < op.kernel_w; ++kw) {
        copy_lines<kWidth>(copy, plane + kh * op.dilation_h * w + kw * op.dilation_w, columns);
        columns += t.stride;
      }
    }
  }
}

static void fill_columns(const Conv2d& op, const ConvTiling& t, const float* image, int64_t first,
                         int64_t lines, float* columns) {
  switch (op.out_w) {
    case 4:
      return fill_columns<4>(op, t, image, first, lines, columns);
    case 7:
      return fill_columns<7>(op, t, image, first, lines, columns);
    case 8:
      return fill_columns<8>(op, t, image, first, lines, columns);
    case 14:
      return fill_columns<14>(op, t, image, first, lines, columns);
    case 16:
      return fill_columns<16>(op, t, image, first, lines, columns);
    default:
      return fill_columns<0>(op, t, image, first, lines, columns);
  }
}

/// The last tile reads columns beyond `count` pixels; their sums are not stored.
static void fill_last_tile(const ConvTiling& t, int64_t count, float* columns) {
  const int64_t end = (count + kTileColumns - 1) / kTileColumns * kTileColumns;
  for (int64_t d = 0; d < t.depth; ++d) {
    for (int64_t p = count; p < end; ++p) columns[d * t.stride + p] = 0.0F;
  }
}

/// One group of the operation: its part of every operand.
struct ConvOperands {
  const float *x, *weights, *bias, *residual;
  float* y;
};

/// Adds bias and residual to the first `channels` rows of a tile, activates and stores them. The
/// `count` pixels may belong to several images: `offset` counts from the first image's first pixel.
static void store_tile(const Conv2d& op, const ConvTiling& t, const ConvOperands& operands,
                       int64_t channel, int64_t channels, int64_t offset, int64_t count,
                       const float (*tile)[kTileColumns]) {
  for (int64_t done = 0; done < count;) {
    const int64_t image = (offset + done) / t.pixels;
    const int64_t pixel = (offset + done) % t.pixels;
    const int64_t part = least(count - done, t.pixels - pixel);
    for (int64_t i = 0; i < channels; ++i) {
      const float bias = operands.bias == nullptr ? 0.0F : operands.bias[channel + i];
      const int64_t at = (image * op.out_channels + channel + i) * t.pixels + pixel;
      float* y = operands.y + at;
      const float* from = tile[i] + done;
      if (operands.residual == nullptr) {
        for (int64_t j = 0; j < part; ++j) y[j] = from[j] + bias;
      } else {
        const float* residual = operands.residual + at;
        for (int64_t j = 0; j < part; ++j) y[j] = from[j] + bias + residual[j];
      }
      activate(op.activation, part, y);
    }
    done += part;
  }
}

/// weights times columns for `count` pixels from `offset` on (as in store_tile).
static void multiply_columns(const Conv2d& op, const ConvTiling& t, const ConvOperands& operands,
                             const float* columns, int64_t stride, int64_t offset, int64_t count) {
  for (int64_t p = 0; p < count; p += kTileColumns) {
    for (int64_t c = 0; c < t.group_out; c += kTileRows) {
      float tile[kTileRows][kTileColumns];
      const int64_t channels = least(kTileRows, t.group_out - c);
      const int64_t width = least(kTileColumns, count - p);
      select_tile(channels, width)(t.depth, operands.weights + c * t.depth, columns + p, stride,
                                   tile);
      store_tile(op, t, operands, c, channels, offset + p, width, tile);
    }
  }
}

/// `images` images of one group, not more than t.images.
static void conv2d_images(const Conv2d& op, const ConvTiling& t, int64_t images,
                          const ConvOperands& operands, float* padded, float* columns) {
  if (!t.columns) {
    return multiply_columns(op, t, operands, operands.x, t.pixels, 0, t.pixels);
  }
  for (int64_t first = 0; first < op.out_h; first += t.lines) {
    const int64_t lines = least(t.lines, op.out_h - first);
    for (int64_t image = 0; image < images; ++image) {
      const float* x = operands.x + image * op.in_channels * op.in_h * op.in_w;
      if (t.pad && first == 0) pad_planes(op, t, x, padded);
      fill_columns(op, t, t.pad ? padded : x, first, lines, columns + image * t.pixels);
    }
    const int64_t count = images * lines * op.out_w;
    fill_last_tile(t, count, columns);
    multiply_columns(op, t, operands, columns, t.stride, first * op.out_w, count);
  }
}

static void conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                   const float* bias, const float* residual, float* y, float* workspace) {
  const ConvTiling t = conv_tiling(op);
  float* padded = workspace;
  float* columns = workspace + t.padded_size;
  // The border stays zero: each image overwrites the inside only.
  for (int64_t i = 0; i < t.padded_size; ++i) padded[i] = 0.0F;
  for (int64_t row = 0; row < rows; row += t.images) {
    for (int64_t group = 0; group < op.groups; ++group) {
      const int64_t in = (row * op.in_channels + group * t.group_in) * op.in_h * op.in_w;
      const int64_t channel = group * t.group_out;
      const int64_t out = (row * op.out_channels + channel) * t.pixels;
      conv2d_images(op, t, least(t.images, rows - row),
                    {.x = x + in,
                     .weights = weights + channel * t.depth,
                     .bias = bias == nullptr ? nullptr : bias + channel,
                     .residual = residual == nullptr ? nullptr : residual + out,
                     .y = y + out},
                    padded, columns);
    }
  }
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
