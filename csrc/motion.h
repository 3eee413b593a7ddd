// Color over time: where the surroundings of each cell are in another frame, and what colors the
// key frames have there.
//
// A flow v is N×2×h×w floats, (dy, dx) in guide pixels, one vector for each cell of 4×4 of them:
// what is at p in one frame is at p + v(p) in the other.  The ops, in the order of their use:
//
//   motion_search   v(p) = argmin over |d − round(s(p))|∞ ≤ r of
//                          Σ |G(p + b) − R(p + d + b)| + λ |d − round(s(p))|₁,
//                   b over the 8×8 pixels around the cell, s where the search begins.  All sums are
//                   whole numbers: every machine finds the same.
//   chain_flows     u(p) = v(p) + w(p + v(p)): from A to C of v from A to B and w from B to C.
//   flow_to_field   a flow in pixels and its cost, resized to a chroma field's cells and counted in
//                   them.
//   blend_warped_chroma    the mean of the key frames' fields c_k at p + v_k(p), weighed by
//                   w_k = a_k (exp(−e_k²/2σ²) + ε), e_k the cost, and lengthened to the weighed
//                   mean of |c_k|, γ times at most: hues that differ do not gray each other.
//
// Floats: chain_flows and flow_to_field take their sums in the order that torch's grid_sample and
// interpolate do where the processor has fused multiply-adds, and give the same bits there; no op
// here is more than 1e-5 of its largest input from its equation in exact arithmetic.
// V is 16 floats (cpu/simd_*.h) or one (cuda/scalar.h).
#pragma once

#include <cmath>
#include <cstring>

#include "image.h"

namespace pycolor {

constexpr int kMotionCell = 4;                                 // guide pixels a cell, each way
constexpr int kMotionMargin = 2;                               // of the block around its cell
constexpr int kMotionBlock = kMotionCell + 2 * kMotionMargin;  // 8

// ---- motion_search ------------------------------------------------------------------------------

struct MotionJob {
  Image<const uint8_t> guide, reference;  // N×1×H×W of equal sizes, multiples of the cell
  Image<const float> start;               // N×2×h×w: (dy, dx) in pixels; NaN counts as 0
  Image<float> flow;                      // N×2×h×w
  Image<float> cost;                      // N×1×h×w: mean absolute difference, 0…255
  int radius;
  int penalty;  // λ: of a step of one pixel away from the start, in sums of absolute differences
};

static PYCOLOR_HD int64_t clamped(int64_t i, int64_t size) {
  return i < 0 ? 0 : i < size ? i : size - 1;
}

// Half away from zero, within ±8192.
static PYCOLOR_HD int nearest_pixel(float x) {
  const float limited = x < -8192.0f ? -8192.0f : x > 8192.0f ? 8192.0f : x == x ? x : 0.0f;
  const int whole = static_cast<int>(limited);  // toward zero
  const float rest = limited - static_cast<float>(whole);
  return rest >= 0.5f ? whole + 1 : rest <= -0.5f ? whole - 1 : whole;
}

// Where the search of a cell begins: a step (dy, dx) and the block's upper left pixel.
struct MotionStart {
  int64_t top, left;
  int dy, dx;
};

static PYCOLOR_HD MotionStart motion_start(const MotionJob& job, int64_t n, int64_t cell_y,
                                           int64_t cell_x) {
  const Image<const float>& s = job.start;
  const float* start = s.data + n * s.stride[0] + cell_y * s.stride[2] + cell_x * s.stride[3];
  return {cell_y * kMotionCell - kMotionMargin, cell_x * kMotionCell - kMotionMargin,
          nearest_pixel(start[0]), nearest_pixel(start[s.stride[1]])};
}

static PYCOLOR_HD void put_match(const MotionJob& job, int64_t n, int64_t cell_y, int64_t cell_x,
                                 int dy, int dx, int difference) {
  float* flow = job.flow.data + n * job.flow.stride[0] + cell_y * job.flow.stride[2] +
                cell_x * job.flow.stride[3];
  flow[0] = static_cast<float>(dy);
  flow[job.flow.stride[1]] = static_cast<float>(dx);
  float* cost = job.cost.data + n * job.cost.stride[0] + cell_y * job.cost.stride[2] +
                cell_x * job.cost.stride[3];
  *cost = static_cast<float>(difference) / (kMotionBlock * kMotionBlock);
}

// A pixel of a frame, the border's pixels repeated beyond it.
static PYCOLOR_HD int pixel_at(const Image<const uint8_t>& image, const uint8_t* frame, int64_t y,
                               int64_t x) {
  return frame[clamped(y, image.size[2]) * image.stride[2] +
               clamped(x, image.size[3]) * image.stride[3]];
}

// Σ |block − image| where the block's upper left pixel is at (top, left).
static PYCOLOR_HD int block_difference(const Image<const uint8_t>& image, const uint8_t* frame,
                                       const int (&block)[kMotionBlock][kMotionBlock], int64_t top,
                                       int64_t left) {
  const bool inside = top >= 0 && left >= 0 && top + kMotionBlock <= image.size[2] &&
                      left + kMotionBlock <= image.size[3];
  const uint8_t* corner = inside ? frame + top * image.stride[2] + left * image.stride[3] : frame;
  int sum = 0;
  for (int y = 0; y < kMotionBlock; ++y) {
    for (int x = 0; x < kMotionBlock; ++x) {
      const int other = inside ? corner[y * image.stride[2] + x * image.stride[3]]
                               : pixel_at(image, frame, top + y, left + x);
      const int d = block[y][x] - other;
      sum += d < 0 ? -d : d;
    }
  }
  return sum;
}

// One cell, step by step: what the definition says.  Of equals the first in rows.
static PYCOLOR_HD void match_cell(const MotionJob& job, int64_t n, int64_t cell_y, int64_t cell_x) {
  const MotionStart start = motion_start(job, n, cell_y, cell_x);
  const uint8_t* guide = job.guide.data + n * job.guide.stride[0];
  const uint8_t* reference = job.reference.data + n * job.reference.stride[0];
  int block[kMotionBlock][kMotionBlock];
  for (int y = 0; y < kMotionBlock; ++y)
    for (int x = 0; x < kMotionBlock; ++x)
      block[y][x] = pixel_at(job.guide, guide, start.top + y, start.left + x);
  int best = 0x7fffffff, best_difference = 0, best_y = 0, best_x = 0;
  for (int step_y = -job.radius; step_y <= job.radius; ++step_y) {
    for (int step_x = -job.radius; step_x <= job.radius; ++step_x) {
      const int dy = start.dy + step_y, dx = start.dx + step_x;
      const int difference =
          block_difference(job.reference, reference, block, start.top + dy, start.left + dx);
      const int away = (step_y < 0 ? -step_y : step_y) + (step_x < 0 ? -step_x : step_x);
      const int score = difference + job.penalty * away;
      if (score < best) {
        best = score;
        best_difference = difference;
        best_y = dy;
        best_x = dx;
      }
    }
  }
  put_match(job, n, cell_y, cell_x, best_y, best_x, best_difference);
}

// ---- chain_flows --------------------------------------------------------------------------------

struct ChainJob {
  Image<const float> first, second;  // N×2×h×w, in pixels; a plane of `second` below 2^31 floats
  Image<float> out;
};

// Between which two cells along an axis a place is, and how far from the one to the next.
template <class V>
struct CellPair {
  V low, next, part;
};

// `place` in cells, the ends repeated; NaN is 0.  By way of −1…1 and back, as grid_sample is
// called: that costs the place up to 1e-5 of the axis, and is kept for the sake of the same bits.
template <class V>
static PYCOLOR_HD CellPair<V> grid_cells(V place, float cells) {
  const V grid = (V(2.0f) * place + V(1.0f)) / V(cells) - V(1.0f);
  const V back = fma(grid + V(1.0f), V(0.5f * cells), V(-0.5f));
  const V last(cells - 1.0f), at = min(max(back, V(0.0f)), last), low = floor(at);
  return {low, min(low + V(1.0f), last), at - low};
}

// `plane` between cells.
template <class V>
static PYCOLOR_HD V grid_value(const float* plane, const int64_t* stride, const CellPair<V>& y,
                               const CellPair<V>& x) {
  const int32_t down = static_cast<int32_t>(stride[2]), right = static_cast<int32_t>(stride[3]);
  const auto y0 = times(to_index(y.low), down), y1 = times(to_index(y.next), down);
  const auto x0 = times(to_index(x.low), right), x1 = times(to_index(x.next), right);
  const V north = V(1.0f) - y.part, west = V(1.0f) - x.part;
  V sum = gather(plane, y0 + x0) * (west * north);
  sum = fma(gather(plane, y0 + x1), x.part * north, sum);
  sum = fma(gather(plane, y1 + x0), west * y.part, sum);
  return fma(gather(plane, y1 + x1), x.part * y.part, sum);
}

// Two channels of a cell: dy and dx, or a and b.
template <class V>
struct Pair {
  V first, second;
};

// u of the cell (y, x), whose v is (dy, dx).
template <class V>
static PYCOLOR_HD Pair<V> chained(const ChainJob& job, int64_t n, V y, V x, V dy, V dx) {
  const Image<const float>& s = job.second;
  const V cell(1.0f / kMotionCell);
  const CellPair<V> row = grid_cells(y + dy * cell, static_cast<float>(s.size[2]));
  const CellPair<V> column = grid_cells(x + dx * cell, static_cast<float>(s.size[3]));
  const float* plane = s.data + n * s.stride[0];
  return {dy + grid_value(plane, s.stride, row, column),
          dx + grid_value(plane + s.stride[1], s.stride, row, column)};
}

// ---- flow_to_field ------------------------------------------------------------------------------

struct FieldFlowJob {
  Image<const float> flow, cost;        // K×2×h×w in pixels, K×1×h×w
  Image<float> field_flow, field_cost;  // K×2×H×W in the field's cells, K×1×H×W
  // A channel's factor: cells of the field a pixel, and 1 for the cost.
  PYCOLOR_HD float unit(int channel) const {
    if (channel == 2) return 1.0f;
    const double ratio = static_cast<double>(field_flow.size[2 + channel]) /
                         static_cast<double>(flow.size[2 + channel]);
    return static_cast<float>(ratio) / kMotionCell;
  }
  // interpolate has two orders of products: small outputs are taken as pictures of few channels.
  PYCOLOR_HD bool weights_first() const { return field_flow.size[2] + field_flow.size[3] <= 128; }
};

// Of output cell i along an axis: half-pixel centers, the ends repeated.
template <class V>
static PYCOLOR_HD CellPair<V> resized_cells(V i, float from, float to) {
  const V place = max(fma(i + V(0.5f), V(from / to), V(-0.5f)), V(0.0f));
  const V last(from - 1.0f), low = min(floor(place), last);
  return {low, min(low + V(1.0f), last), min(place - low, V(1.0f))};
}

// Between the values at the low and next cells of both axes: v01 is below at y and next at x.
template <class V>
static PYCOLOR_HD V resized_value(bool weights_first, V y, V x, V v00, V v01, V v10, V v11) {
  const V north = V(1.0f) - y, west = V(1.0f) - x;
  if (weights_first) {
    const V upper = fma(v00, north * west, v01 * (north * x));
    return fma(v11, y * x, fma(v10, y * west, upper));
  }
  return fma(fma(v00, west, v01 * x), north, fma(v10, west, v11 * x) * y);
}

// ---- blend_warped_chroma
// -------------------------------------------------------------------------------

struct BlendJob {
  Image<const float> chroma;  // K×2×h×w: the key frames' fields; a plane below 2^31 floats
  Image<const float> flow;    // K×2×h×w: to each key frame, in cells
  Image<const float> cost;    // K×1×h×w: how little the two frames are alike there
  const float* weight;        // K: a_k
  float cost_scale;           // 1 / (2σ²)
  float floor, growth;        // ε, γ
  Image<float> out;           // 1×2×h×w
};

// Bilinear between cells; the border's cells repeat beyond it.  NaN places are 0.
template <class V>
static PYCOLOR_HD Pair<V> sample_chroma(const Image<const float>& image, int64_t n, V y, V x) {
  const V last_y(static_cast<float>(image.size[2] - 1));
  const V last_x(static_cast<float>(image.size[3] - 1));
  y = min(max(y, V(0.0f)), last_y);
  x = min(max(x, V(0.0f)), last_x);
  const V top = floor(y), left = floor(x), fy = y - top, fx = x - left;
  const int32_t down = static_cast<int32_t>(image.stride[2]);
  const int32_t right = static_cast<int32_t>(image.stride[3]);
  const auto y0 = times(to_index(top), down), x0 = times(to_index(left), right);
  const auto y1 = times(to_index(min(top + V(1.0f), last_y)), down);
  const auto x1 = times(to_index(min(left + V(1.0f), last_x)), right);
  V out[2];
  for (int c = 0; c < 2; ++c) {
    const float* plane = image.data + n * image.stride[0] + c * image.stride[1];
    const V v00 = gather(plane, y0 + x0), v10 = gather(plane, y1 + x0);
    const V upper = v00 + fx * (gather(plane, y0 + x1) - v00);
    const V lower = v10 + fx * (gather(plane, y1 + x1) - v10);
    out[c] = upper + fy * (lower - upper);
  }
  return {out[0], out[1]};
}

// Σ w_k, Σ w_k c_k and Σ w_k |c_k| of a cell.
template <class V>
struct BlendSum {
  V weights, a, b, length;
};

// Adds key frame k to the sums of the cell (y, x), whose flow to it is (dy, dx).
template <class V>
static PYCOLOR_HD void blend_from(const BlendJob& job, int64_t k, V y, V x, V dy, V dx, V cost,
                                  BlendSum<V>& sum) {
  const Pair<V> c = sample_chroma(job.chroma, k, y + dy, x + dx);
  const V alike = natural_exp((V(0.0f) - cost) * cost * V(job.cost_scale));
  const V w = V(job.weight[k]) * (alike + V(job.floor));
  sum.weights = sum.weights + w;
  sum.a = sum.a + w * c.first;
  sum.b = sum.b + w * c.second;
  sum.length = sum.length + w * sqrt(c.first * c.first + c.second * c.second);
}

// The color of a cell whose sums are complete.
template <class V>
static PYCOLOR_HD Pair<V> blended(const BlendJob& job, const BlendSum<V>& sum) {
  const V own = sqrt(sum.a * sum.a + sum.b * sum.b);  // times Σ w_k, as sum.length is
  const V growth = select(V(0.0f) < own, sum.length / own, V(1.0f));
  const V scale = min(growth, V(job.growth)) / sum.weights;
  return {sum.a * scale, sum.b * scale};
}

}  // namespace pycolor
