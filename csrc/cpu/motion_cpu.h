// Color over time on the CPU, one row of cells at a time.  See ../motion.h.
//
// Block matching looks at eight neighboring places at once: a row of the window holds 16 bytes, the
// block's 8 and what the places to its right add.  Windows that reach beyond the picture are laid
// out with its border repeated, so that one loop serves all cells.  One instruction compares four
// bytes with what stands at eight places (mpsadbw, and vdbpsadbw on four rows together); another
// finds the least of eight sums and the first place that has it (phminposuw).  The baseline
// compares place by place.
//
// Flows and colors are floats, 16 cells a vector; what lies where a flow leads is gathered.  Sums
// are in the order of the definitions, so that the vectors change no bits.
#pragma once

#include <type_traits>

#include "../motion.h"
#include "kernels.h"
#include "lanes.h"
#include "pool.h"

namespace pycolor {

// The C library's, so that a library of vectors does not change the bytes.
static PYCOLOR_HD Lanes natural_exp(Lanes x) {
  float lanes[16];
  store(lanes, x);
  for (float& lane : lanes) lane = expf(lane);
  return load(lanes);
}

namespace {

constexpr int kPlaces = 8;   // compared at once
constexpr int kWindow = 16;  // bytes of a window's row
constexpr int kMostRadius = 64;
constexpr int kCells = Lanes::count;  // whose windows are laid out together

// See load_window, of which this is the rare part.
__attribute__((noinline)) void load_border_window(const Image<const uint8_t>& image,
                                                  const uint8_t* frame, int64_t top, int64_t left,
                                                  int rows, uint8_t* window) {
  const int64_t height = image.size[2], width = image.size[3], step = image.stride[2];
  const auto row = [&](int y) { return frame + clamped(top + y, height) * step; };
  // Rows that are no run of bytes, or shorter than a window's: pixel by pixel.
  if (image.stride[3] != 1 || width < kWindow) {
    for (int y = 0; y < rows; ++y, window += kWindow)
      for (int x = 0; x < kWindow; ++x)
        window[x] = row(y)[clamped(left + x, width) * image.stride[3]];
    return;
  }
  // Else 16 bytes that lie in the picture hold all that is seen, the border's pixel several times.
  const int64_t base = left < 0 ? 0 : left > width - kWindow ? width - kWindow : left;
  uint8_t index[kWindow];
  for (int x = 0; x < kWindow; ++x)
    index[x] = static_cast<uint8_t>(clamped(left + x, width) - base);
  for (int y = 0; y < rows; ++y) pick_bytes(row(y) + base, index, window + y * kWindow);
}

// `rows` rows of 16 pixels from (top, left) on, the border's pixels repeated beyond it.
template <class Rows>
static PYCOLOR_HD void load_window(const Image<const uint8_t>& image, const uint8_t* frame,
                                   int64_t top, int64_t left, Rows rows, uint8_t* window) {
  const int64_t height = image.size[2], width = image.size[3], step = image.stride[2];
  if (top >= 0 && left >= 0 && top + rows <= height && left + kWindow <= width &&
      image.stride[3] == 1) {
    const uint8_t* row = frame + top * step + left;
    for (int y = 0; y < rows; ++y, row += step, window += kWindow)
      std::memcpy(window, row, kWindow);
    return;
  }
  load_border_window(image, frame, top, left, rows, window);
}

// The penalties of the places first … first + 7 of a row of steps, those past the radius never to
// be taken.
struct PlacePenalties {
  uint16_t of[(2 * kMostRadius + 1 + kPlaces) / kPlaces][kPlaces];
};

PlacePenalties place_penalties(int radius, int penalty) {
  PlacePenalties p;
  for (int i = 0; i < 2 * radius + kPlaces; ++i) {
    const int away = i < radius ? radius - i : i - radius;
    p.of[i / kPlaces][i % kPlaces] =
        i > 2 * radius ? 0xffff : static_cast<uint16_t>(penalty * away);
  }
  return p;
}

// x, x + 1 … x + 15.
static PYCOLOR_HD Lanes counted(int64_t x) {
  alignas(64) static constexpr float steps[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                  8, 9, 10, 11, 12, 13, 14, 15};
  return load(steps) + Lanes(static_cast<float>(x));
}

// 16 samples of a plane's row from column x on.
static PYCOLOR_HD Lanes load_columns(const Image<const float>& image, int64_t n, int64_t c,
                                     int64_t y, int64_t x) {
  const int64_t* s = image.stride;
  return load_samples(image.data + n * s[0] + c * s[1] + y * s[2] + x * s[3], s[3],
                      image.size[3] - x);
}
static PYCOLOR_HD void put_columns(const Image<float>& image, int64_t n, int64_t c, int64_t y,
                                   int64_t x, Lanes value) {
  const int64_t* s = image.stride;
  put(image.data + n * s[0] + c * s[1] + y * s[2] + x * s[3], s[3], image.size[3] - x, value);
}

// Of one cell: its block, and its surroundings in the reference.
struct Window {
  alignas(64) uint8_t block[kMotionBlock * kWindow];
  alignas(64) uint8_t rows[(kMotionBlock + 2 * kMostRadius) * kWindow];
};

// A number that the compiler knows, where loops are to be laid out for it.
template <int value>
using Known = std::integral_constant<int, value>;

// Looks through the places `first` … first + 7 of each row of steps; gives the least score, times
// 2^16, plus its place in rows: the least of all is then the first of equals.
//
// The rows are tried from the start's outward, and left when the penalty of being so far is more
// than the best score: that is where most cells of a still picture end.
template <class Radius>
static PYCOLOR_HD uint32_t least_score(const Window& window, Radius radius, int penalty, int first,
                                       const uint16_t* penalties, uint32_t best) {
  const Block block = load_block(window.block);
  const auto look = [&](int row, int away) {
    const uint32_t found = least_difference(block, window.rows + row * kWindow, penalties);
    const uint32_t place = static_cast<uint32_t>(row * (2 * radius + 1) + first) + (found & 7);
    const uint32_t score = (found >> 16) + static_cast<uint32_t>(penalty * away);
    const uint32_t scored = score << 16 | place;
    best = scored < best ? scored : best;
  };
  look(radius, 0);
  for (int away = 1; away <= radius; ++away) {
    if (static_cast<uint32_t>(penalty * away) > best >> 16) break;
    look(radius - away, away);
    look(radius + away, away);
  }
  return best;
}

// Rows that the steps reach.
template <int radius>
Known<kMotionBlock + 2 * radius> window_rows(Known<radius>) {
  return {};
}
int window_rows(int radius) { return kMotionBlock + 2 * radius; }

// Half away from zero, as nearest_pixel.
static PYCOLOR_HD Lanes nearest_pixels(Lanes x) {
  const Mask number = (x < Lanes(1.0f)) | (Lanes(0.0f) < x);
  const Lanes size = min(abs(x), Lanes(8192.0f)), whole = floor(size);
  const Lanes near = whole + select(size - whole < Lanes(0.5f), Lanes(0.0f), Lanes(1.0f));
  return select(number, select(x < Lanes(0.0f), Lanes(0.0f) - near, near), Lanes(0.0f));
}

// The 16 cells from (cell_y, cell_x) on.  All windows are laid out before the first is looked at:
// what has just been stored in pieces cannot be loaded whole at once.
template <class Radius>
void match_cells(const MotionJob& job, Radius radius, const PlacePenalties& penalties, int64_t n,
                 int64_t cell_y, int64_t cell_x, Window* windows) {
  const int side = 2 * radius + 1;
  const int64_t left = job.flow.size[3] - cell_x;
  const int count = static_cast<int>(left < kCells ? left : kCells);
  const int64_t top = cell_y * kMotionCell - kMotionMargin;
  const uint8_t* guide = job.guide.data + n * job.guide.stride[0];
  const uint8_t* reference = job.reference.data + n * job.reference.stride[0];
  float dy[kCells], dx[kCells], cost[kCells];
  uint32_t best[kCells];
  store(dy, nearest_pixels(load_columns(job.start, n, 0, cell_y, cell_x)));
  store(dx, nearest_pixels(load_columns(job.start, n, 1, cell_y, cell_x)));
  const auto left_of = [&](int i) { return (cell_x + i) * kMotionCell - kMotionMargin; };
  for (int i = 0; i < count; ++i) {
    load_window(job.guide, guide, top, left_of(i), Known<kMotionBlock>(), windows[i].block);
    best[i] = 0xffffffffu;
  }
  for (int first = 0; first < side; first += kPlaces) {
    for (int i = 0; i < count; ++i)
      load_window(job.reference, reference, top + static_cast<int>(dy[i]) - radius,
                  left_of(i) + static_cast<int>(dx[i]) - radius + first, window_rows(radius),
                  windows[i].rows);
    for (int i = 0; i < count; ++i)
      best[i] = least_score(windows[i], radius, job.penalty, first, penalties.of[first / kPlaces],
                            best[i]);
  }
  for (int i = 0; i < count; ++i) {
    const int place = static_cast<int>(best[i] & 0xffff);
    const int step_y = place / side - radius, step_x = place % side - radius;
    const int away = (step_y < 0 ? -step_y : step_y) + (step_x < 0 ? -step_x : step_x);
    const int difference = static_cast<int>(best[i] >> 16) - job.penalty * away;
    dy[i] += static_cast<float>(step_y);
    dx[i] += static_cast<float>(step_x);
    cost[i] = static_cast<float>(difference) / (kMotionBlock * kMotionBlock);
  }
  for (int i = count; i < kCells; ++i) dy[i] = dx[i] = cost[i] = 0.0f;
  put_columns(job.flow, n, 0, cell_y, cell_x, load(dy));
  put_columns(job.flow, n, 1, cell_y, cell_x, load(dx));
  put_columns(job.cost, n, 0, cell_y, cell_x, load(cost));
}

template <class Radius>
void match_rows(const MotionJob& job, Radius radius, int64_t n, int64_t first, int64_t last) {
  const PlacePenalties penalties = place_penalties(radius, job.penalty);
  Window windows[kCells];
  for (int64_t y = first; y < last; ++y)
    for (int64_t x = 0; x < job.flow.size[3]; x += kCells)
      match_cells(job, radius, penalties, n, y, x, windows);
}

void motion_search(const MotionJob& job, int64_t n, int64_t first, int64_t last) {
  // Differences are 64·255 at most; with the penalties they must stay below the 2^16 − 1 of places
  // that are not looked at.
  if (job.radius > kMostRadius || 2 * job.penalty * job.radius + 16320 >= 0xffff) {
    for (int64_t y = first; y < last; ++y)
      for (int64_t x = 0; x < job.flow.size[3]; ++x) match_cell(job, n, y, x);
    return;
  }
  // What propagation asks for is laid out for it.
  if (job.radius == 1) return match_rows(job, Known<1>(), n, first, last);
  if (job.radius == 2) return match_rows(job, Known<2>(), n, first, last);
  match_rows(job, job.radius, n, first, last);
}

// Rows first … last − 1 of frame n.
void chain_flows(const ChainJob& job, int64_t n, int64_t first, int64_t last) {
  for (int64_t y = first; y < last; ++y) {
    for (int64_t x = 0; x < job.out.size[3]; x += 16) {
      const Lanes dy = load_columns(job.first, n, 0, y, x),
                  dx = load_columns(job.first, n, 1, y, x);
      const Pair<Lanes> flow = chained(job, n, Lanes(static_cast<float>(y)), counted(x), dy, dx);
      put_columns(job.out, n, 0, y, x, flow.first);
      put_columns(job.out, n, 1, y, x, flow.second);
    }
  }
}

// One plane.  Each row of the input is spread out to the output's columns once, as the two values
// that stand beside each of them.
void flow_to_field(const FieldFlowJob& job, int64_t k, int64_t channel) {
  const Image<const float>& from = channel == 2 ? job.cost : job.flow;
  const Image<float>& to = channel == 2 ? job.field_cost : job.field_flow;
  const int64_t c = channel == 2 ? 0 : channel, h = from.size[2], w = from.size[3];
  const int64_t height = to.size[2], width = to.size[3], padded = (width + 15) / 16 * 16;
  float* row =
      scratch(Scratch::kWorker, static_cast<size_t>((w + 15) / 16 * 16 + (2 * h + 1) * padded));
  float* part = row + (w + 15) / 16 * 16;
  float* beside = part + padded;  // h rows of both
  const Lanes unit(job.unit(static_cast<int>(channel)));
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; x += 16) store(row + x, load_columns(from, k, c, y, x) * unit);
    for (int64_t x = 0; x < padded; x += 16) {
      const CellPair<Lanes> at =
          resized_cells(counted(x), static_cast<float>(w), static_cast<float>(width));
      store(beside + 2 * y * padded + x, gather(row, to_index(at.low)));
      store(beside + (2 * y + 1) * padded + x, gather(row, to_index(at.next)));
      if (y == 0) store(part + x, at.part);
    }
  }
  for (int64_t y = 0; y < height; ++y) {
    float lanes[16];
    const CellPair<Lanes> at = resized_cells(Lanes(static_cast<float>(y)), static_cast<float>(h),
                                             static_cast<float>(height));
    store(lanes, at.low);
    const float* upper = beside + 2 * static_cast<int64_t>(lanes[0]) * padded;
    store(lanes, at.next);
    const float* lower = beside + 2 * static_cast<int64_t>(lanes[0]) * padded;
    for (int64_t x = 0; x < width; x += 16)
      put_columns(
          to, k, c, y, x,
          resized_value(job.weights_first(), at.part, load(part + x), load(upper + x),
                        load(upper + padded + x), load(lower + x), load(lower + padded + x)));
  }
}

// All key frames of 16 cells before the next 16: their sums stay in registers.
void blend_warped_chroma(const BlendJob& job, int64_t first, int64_t last) {
  for (int64_t y = first; y < last; ++y) {
    for (int64_t x = 0; x < job.out.size[3]; x += 16) {
      const Lanes row(static_cast<float>(y)), column = counted(x), zero(0.0f);
      BlendSum<Lanes> sum = {zero, zero, zero, zero};
      for (int64_t k = 0; k < job.chroma.size[0]; ++k)
        blend_from(job, k, row, column, load_columns(job.flow, k, 0, y, x),
                   load_columns(job.flow, k, 1, y, x), load_columns(job.cost, k, 0, y, x), sum);
      const Pair<Lanes> color = blended(job, sum);
      put_columns(job.out, 0, 0, y, x, color.first);
      put_columns(job.out, 0, 1, y, x, color.second);
    }
  }
}

}  // namespace
}  // namespace pycolor
