// What each instruction set implements: the ops on one share of the work.
//
// The ops' own files (ops.cpp, render.cpp …) check nothing and compute nothing: they lay out a job
// and call these, a row or a band at a time, from several threads.  The table of the best set
// that the machine runs is chosen once (dispatch.cpp), and its rows are functions of a translation
// unit that is compiled for that set: kernels_plain.cpp, kernels_avx2.cpp and kernels_avx512.cpp
// include the same sources after another simd_*.h.
#pragma once

#include "../image.h"
#include "../motion.h"
#include "../render.h"

namespace pycolor {

// Low-resolution planes (guide, a, b) of each frame, rows padded for whole-vector loads.
struct LowPlanes {
  float* data;
  int64_t height, width, row;  // row ≥ width + 16
  PYCOLOR_HD float* plane(int64_t frame, int64_t which, int64_t y) const {
    return data + ((frame * 3 + which) * height + y) * row;
  }
};

// Where each output column's three spline taps are: index of the sample and weight, up to a whole
// vector of columns.
struct ColumnTaps {
  float* sample[3];
  float* weight[3];
};

// Output rows that have the nearest low-resolution row in common.
struct Band {
  int64_t first, last, nearest;
};

// The luma samples that a chroma sample's box covers along one axis, from `first` on.
struct SiteTaps {
  int first, count;
  float weight[5];
};

// The renderer on one frame or several: all that the bands share, worked out once.
struct RenderJob {
  LowPlanes low;
  const void* luma;  // uint8_t or uint16_t
  int64_t frames, height, width, luma_stride[3];
  int64_t rows, columns;  // of the output planes
  FrameCode code;
  Refinement refinement;
  Gamut gamut;
  ColumnTaps taps;
  SiteTaps site_rows, site_columns;
  float site_scale;  // 1 / sum of the site weights
  // out: u and v, or r, g and b
  void* out[3];
  int64_t out_stride[3][3];  // frame, row, column of each
  int is_uint16;             // samples are uint16_t
  int rgb;
  // The low-resolution coordinate of an output row.
  PYCOLOR_HD float low_row(int64_t row) const {
    const float position = code.center_row + static_cast<float>(row << code.row_shift);
    return low_coordinate(position, static_cast<float>(low.height), static_cast<float>(height));
  }
};

// Arrays N×C×H×W, the guide N×1×H×W; see ../joint_bilateral.h.
struct JointBilateralJob {
  Image<const float> chroma, guide;
  Image<float> out;
  int radius;
  float range_scale;
  const float* space;  // (2·radius + 1)²: log2 of the spatial weight; below −1e30 outside the disk
};

// chroma N×C×h×w, guide_low N×1×h×w, guide N×1×H×W, out N×C×H×W.
struct UpsampleJob {
  Image<const float> chroma, guide_low, guide;
  Image<float> out;
  int taps;  // per axis
  float range_scale, floor;
  const int32_t* row_index;  // taps × H, then the same layout for the others
  const float* row_weight;
  const int32_t* column_index;
  const float* column_weight;
};

// A conversion is a run of these, see ../color.h: rgb_to_lab is kRgbToLinear, kLinearToXyz,
// kXyzToLab.
enum class Step : int {
  kRgbToLinear,
  kLinearToRgb,
  kLinearToXyz,
  kXyzToLinear,
  kXyzToLab,
  kLabToXyz,
  kXyzToLuv,
  kLuvToXyz,
  kLumaToCodes
};

// A run of steps over in, N×3×H×W.
struct ConvertJob {
  Image<const float> in;
  void* out;
  int64_t out_stride[4];
  int kind;  // of out: 0 float, 1 uint8_t, 2 uint16_t
  int steps;
  Step step[8];
};

// Attention with one bias a key, see attention_cpu.h.
constexpr int64_t kQueriesInCache = 32;  // whose scores with all keys are held at once

struct AttentionJob {
  const float* query;   // Q×D
  const float* packed;  // ⌈K/16⌉×D×16: keys as vectors, those past the last one 0
  const float* bias;    // ⌈K/16⌉×16, −3.4e38 past the last one
  const float* value;   // M×⌈K/16⌉×16, 0 past the last one
  float* out;           // Q×M
  float* log_sum;       // Q
  int64_t queries, keys, depth, width;
};

// The kernels: a line each.  A kernel is a function of that name in a *_cpu.h, on one share of the
// work; the build includes all of these, and makes a table for each instruction set.
//
//   annealed_mean    `count` pixels from x on; strides in floats
//   mean_lightness   mean lightness × scale of each cell in one low-resolution row
//   lightness        L* of each of `count` codes
//   low_chroma       `count` samples of a row of the low-resolution chroma planes, as numbers that
//                    all sums with weights have room for; NaN and ∞ count as 0; whole vectors are
//                    written
//   column_taps      writes what the job's taps then are
//   render           a band of a frame, all columns
//   joint_bilateral, upsample
//                    rows first … last − 1 of a frame
//   convert, yab_to_ycbcr
//                    one row of a frame
//   motion_search, chain_flows, blend_warped_chroma
//                    rows first … last − 1 of cells
//   flow_to_field    one plane: channel 2 is the cost
//   attention        queries first … last − 1, kQueriesInCache of them at most
#define PYCOLOR_KERNELS(KERNEL)                                                                    \
  KERNEL(annealed_mean, const float* x, int64_t entries, int64_t entry_stride,                     \
         int64_t pixel_stride, int64_t count, const float* palette, float scale, float* a,         \
         float* b, int64_t out_stride)                                                             \
  KERNEL(mean_lightness, const void* luma, int is_uint16, int64_t row_stride, int64_t height,      \
         int64_t width, int64_t low_height, int64_t low_width, int64_t row, const FrameCode& code, \
         float scale, float* out)                                                                  \
  KERNEL(lightness, const void* luma, int is_uint16, int64_t count, const FrameCode& code,         \
         float* out)                                                                               \
  KERNEL(low_chroma, const float* from, int64_t stride, int64_t count, float unit, float* to)      \
  KERNEL(column_taps, const RenderJob& job, const ColumnTaps& taps)                                \
  KERNEL(render, const RenderJob& job, int64_t frame, const Band& band)                            \
  KERNEL(joint_bilateral, const JointBilateralJob& job, int64_t frame, int64_t first_row,          \
         int64_t last_row)                                                                         \
  KERNEL(upsample, const UpsampleJob& job, int64_t frame, int64_t first_row, int64_t last_row)     \
  KERNEL(convert, const ConvertJob& job, int64_t frame, int64_t row)                               \
  KERNEL(yab_to_ycbcr, const Gamut& gamut, const Image<const float>& in, const Image<float>& out,  \
         int64_t frame, int64_t row)                                                               \
  KERNEL(motion_search, const MotionJob& job, int64_t frame, int64_t first, int64_t last)          \
  KERNEL(chain_flows, const ChainJob& job, int64_t frame, int64_t first, int64_t last)             \
  KERNEL(flow_to_field, const FieldFlowJob& job, int64_t key, int64_t channel)                     \
  KERNEL(blend_warped_chroma, const BlendJob& job, int64_t first, int64_t last)                    \
  KERNEL(attention, const AttentionJob& job, int64_t first, int64_t last)

struct Kernels {
  const char* name;
#define KERNEL(name, ...) void (*name)(__VA_ARGS__);
  PYCOLOR_KERNELS(KERNEL)
#undef KERNEL
};

const Kernels& kernels_plain();
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();

// The best that this machine runs, or the one that PYCOLOR_SIMD asks for.
const Kernels& kernels();

}  // namespace pycolor
