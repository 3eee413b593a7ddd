// The renderer on whole frames: what is worked out once a call, and what is shared out.
//
// Two parts behind one gate: the low-resolution planes of all frames, then bands of output rows.
// The field is the caller's, or decoded from logits on the way (fused_frame); the bytes are the
// same.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "../annealed_mean.h"
#include "../joint_bilateral.h"
#include "gamut_table.h"
#include "kernels.h"
#include "module.h"
#include "rows.h"

namespace pycolor {
namespace {

// The weights of the luma samples under a chroma sample along one axis.
SiteTaps site_taps(float center, int shift) {
  const Site site = site_of(center, shift);
  SiteTaps taps = {site.first, site.count, {}};
  for (int k = 0; k < site.count; ++k) taps.weight[k] = site.weight(k);
  return taps;
}

float sum_of(const SiteTaps& taps) {
  float sum = 0;
  for (int i = 0; i < taps.count; ++i) sum += taps.weight[i];
  return sum;
}

// A band is a run of output rows with one nearest low-resolution row, so that its taps are laid out
// once.
// All bands of a frame, from the top down, of `most` rows at most.
std::vector<Band> bands_of(const RenderJob& job, int64_t most) {
  std::vector<Band> bands;
  const auto nearest = [&](int64_t row) {
    return static_cast<int64_t>(std::floor(job.low_row(row) + 0.5f));
  };
  for (int64_t first = 0, last; first < job.rows; first = last) {
    const int64_t low = nearest(first);
    for (last = first + 1; last < job.rows && nearest(last) == low;) ++last;
    const int64_t rows = last - first, parts = ceil_divide(rows, most);
    for (int64_t i = 0; i < parts; ++i)
      bands.push_back({first + rows * i / parts, first + rows * (i + 1) / parts, low});
  }
  return bands;
}

// Where the chroma comes from: rows first … last − 1 of a frame are written to the low-resolution
// planes.
// A field in memory.
struct GivenField {
  const Image<const float>& field;

  const int64_t* size() const { return field.size; }
  size_t floats() const { return 0; }
  // Enough rows for a share to be worth waking a thread.
  int64_t rows_at_once(int) const { return 16; }

  void rows(const LowPlanes& low, float*, int64_t n, int64_t first, int64_t last) const {
    for (int c = 0; c < 2; ++c)
      for (int64_t y = first; y < last; ++y)
        low_row(low, field.data + n * field.stride[0] + c * field.stride[1] + y * field.stride[2],
                field.stride[3], n, c, y);
  }

  static void low_row(const LowPlanes& low, const float* from, int64_t stride, int64_t n, int c,
                      int64_t y) {
    const float unit = c == 0 ? 1.0f / 500.0f : -1.0f / 200.0f;
    float* to = low.plane(n, 1 + c, y);
    kernels().low_chroma(from, stride, low.width, unit, to);
    std::fill(to + low.width, to + low.row, 0.0f);
  }
};

// A field that is decoded from logits, a few rows at a time, as its planes are laid out.
struct DecodedField {
  const Image<const float>& logits;
  const float* palette;
  float scale;

  const int64_t* size() const { return logits.size; }
  size_t floats() const {
    return static_cast<size_t>(2 * logits.size[0] * logits.size[2] * logits.size[3]);
  }
  bool one_run() const { return logits.stride[2] == logits.size[3] * logits.stride[3]; }

  // Enough pixels to stay at it; in one run whole vectors, so that these are those of
  // annealed_mean.
  int64_t rows_at_once(int threads) const {
    const int64_t w = logits.size[3], all = logits.size[2] * w;
    const int64_t unit = one_run() ? 16 / std::gcd(w, int64_t{16}) : 1;
    const int64_t pixels = std::min<int64_t>(512, rows_per_chunk(all, logits.size[0], threads));
    return ceil_divide(pixels, w * unit) * unit;
  }

  void rows(const LowPlanes& low, float* decoded, int64_t n, int64_t first, int64_t last) const {
    const int64_t w = logits.size[3], plane = logits.size[2] * w;
    const int64_t step = one_run() ? last - first : 1;
    float* a = decoded + n * 2 * plane;
    for (int64_t y = first; y < last; y += step)
      kernels().annealed_mean(logits.data + n * logits.stride[0] + y * logits.stride[2],
                              logits.size[1], logits.stride[1], logits.stride[3], step * w, palette,
                              scale, a + y * w, a + plane + y * w, 1);
    for (int c = 0; c < 2; ++c)
      for (int64_t y = first; y < last; ++y)
        GivenField::low_row(low, a + c * plane + y * w, 1, n, c, y);
  }
};

template <class Field>
void render_from(const Field& field, const Image<const void>& luma, bool is_uint16,
                 const FrameCode& code, double sigma_range, double floor,
                 const std::vector<Image<void>>& planes, bool rgb, int threads) {
  const int64_t frames = luma.size[0], h = field.size()[2], w = field.size()[3];
  // What every band needs, worked out once: sizes, strides, the gamut's table, the weights of the
  // luma samples under a chroma sample.
  RenderJob job = {};
  job.low = {nullptr, h, w, ceil_divide(w, 16) * 16 + 16};
  job.luma = luma.data;
  job.frames = frames;
  job.height = luma.size[2];
  job.width = luma.size[3];
  job.luma_stride[0] = luma.stride[0];
  job.luma_stride[1] = luma.stride[2];
  job.rows = planes[0].size[2];
  job.columns = planes[0].size[3];
  job.code = code;
  job.refinement = {range_scale(sigma_range), static_cast<float>(std::min(floor, 1e6))};
  job.gamut = gamut_of(code.luma.kr, code.luma.kb);
  job.site_rows = site_taps(code.center_row, code.row_shift);
  job.site_columns = site_taps(code.center_column, code.column_shift);
  job.site_scale = 1.0f / (sum_of(job.site_rows) * sum_of(job.site_columns));
  for (size_t c = 0; c < planes.size(); ++c) {
    job.out[c] = planes[c].data;
    job.out_stride[c][0] = planes[c].stride[0];
    job.out_stride[c][1] = planes[c].stride[2];
    job.out_stride[c][2] = planes[c].stride[3];
  }
  job.is_uint16 = is_uint16;
  job.rgb = rgb;

  // One scratch block for the low-resolution planes, the column taps and what is decoded.
  const int64_t low_size = frames * 3 * h * job.low.row;
  const int64_t padded = ceil_divide(job.columns, 16) * 16;
  job.low.data =
      scratch(Scratch::kShared, static_cast<size_t>(low_size + 6 * padded) + field.floats());
  for (int k = 0; k < 3; ++k) {
    job.taps.sample[k] = job.low.data + low_size + k * padded;
    job.taps.weight[k] = job.low.data + low_size + (k + 3) * padded;
  }
  float* decoded = job.low.data + low_size + 6 * padded;
  kernels().column_taps(job, job.taps);

  // First the low-resolution planes: chroma, then the luma's mean lightness; then the bands.  A
  // thread takes whole ones: it lays their taps out once, and reads large frames in long runs.
  const int64_t step = field.rows_at_once(threads), parts = ceil_divide(h, step);
  const int64_t chroma = frames * parts, gate = chroma + frames * h;
  const auto bands = bands_of(job, rows_per_chunk(job.rows, frames, threads));
  const int64_t count = static_cast<int64_t>(bands.size());
  parallel_for(threads, gate, gate + frames * count, [&](int64_t i) {
    if (i < chroma) {
      const int64_t first = i % parts * step;
      field.rows(job.low, decoded, i / parts, first, std::min(h, first + step));
    } else if (i < gate) {
      const int64_t n = (i - chroma) / h, y = (i - chroma) % h;
      float* to = job.low.plane(n, 0, y);
      kernels().mean_lightness(row_of(luma, is_uint16, n, 0), is_uint16, job.luma_stride[1],
                               job.height, job.width, h, w, y, code, job.refinement.range_scale,
                               to);
      std::fill(to + w, to + job.low.row, 0.0f);
    } else {
      kernels().render(job, (i - gate) / count, bands[(i - gate) % count]);
    }
  });
}

// Planes: {u, v}, or {r, g, b} where rgb is true; each N×1×rows×columns.
void render(const Image<const float>& field, const Image<const void>& luma, bool is_uint16,
            const FrameCode& code, double sigma_range, double floor,
            const std::vector<Image<void>>& planes, bool rgb, int threads) {
  render_from(GivenField{field}, luma, is_uint16, code, sigma_range, floor, planes, rgb, threads);
}

// annealed_mean, then render to {u, v}: the same bytes.
void fused_frame(const Image<const float>& logits, uintptr_t palette, double temperature,
                 const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                 double sigma_range, double floor, const std::vector<Image<void>>& planes,
                 int threads) {
  const DecodedField field = {logits, at<const float>(palette), annealed_scale(temperature)};
  render_from(field, luma, is_uint16, code, sigma_range, floor, planes, false, threads);
}

}  // namespace

PYCOLOR_OP(render) {
  // field N×2×h×w, luma N×1×H×W; planes: u and v, or r, g and b where `rgb`, each N×1×rows×columns.
  m.def("render", &render, unlocked);
  // annealed_mean's first arguments (the palette's address), then render's to u and v.
  m.def("fused_frame", &fused_frame, unlocked);
}

}  // namespace pycolor
