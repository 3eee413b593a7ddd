// Colors of a run of samples: all by the quick way, then the hard ones among them by the search.
#pragma once

#include "../gamut.h"
#include "kernels.h"

namespace pycolor {
namespace {

constexpr int kRun = 1024;  // samples that go through the stages together, in the L1 cache

// Each stage is a short loop over the run: the processor then overlaps several vectors.
struct ColorRun {
  float level[kRun], neutral[kRun], a[kRun], b[kRun];  // in; a and b finite
  float red[kRun], green[kRun], blue[kRun];            // out, before `settled`
};

PC_FN Triple<Lanes> color_at(const ColorRun& run, int64_t i) {
  return {load(run.red + i), load(run.green + i), load(run.blue + i)};
}

void search_colors(const Gamut& gamut, ColorRun& run, const uint16_t* which, int count) {
  for (int first = 0; first < count; first += 16) {
    float level[16], neutral[16], a[16], b[16], rgb[3][16];
    for (int i = 0; i < 16; ++i) {
      const int at = which[first + i < count ? first + i : first];
      level[i] = run.level[at];
      neutral[i] = run.neutral[at];
      a[i] = run.a[at];
      b[i] = run.b[at];
    }
    const Triple<Lanes> c = searched_color(gamut, load(level), load(neutral), load(a), load(b));
    store(rgb[0], c.x);
    store(rgb[1], c.y);
    store(rgb[2], c.z);
    for (int i = 0; i < 16 && first + i < count; ++i) {
      run.red[which[first + i]] = rgb[0][i];
      run.green[which[first + i]] = rgb[1][i];
      run.blue[which[first + i]] = rgb[2][i];
    }
  }
}

void find_colors(const Gamut& gamut, ColorRun& run, int64_t count) {
  uint16_t which[kRun];
  int searched = 0;
  float* fy = run.red;
  for (int i = 0; i < count; i += 16)
    store(fy + i, guessed_fy(gamut, load(run.neutral + i), load(run.a + i), load(run.b + i)));
  for (int i = 0; i < count; i += 16) {
    Mask hard;
    const Triple<Lanes> c = quick_color(gamut, load(run.level + i), load(fy + i), load(run.a + i),
                                        load(run.b + i), hard);
    store(run.red + i, c.x);
    store(run.green + i, c.y);
    store(run.blue + i, c.z);
    for (unsigned left = bits(hard); left != 0; left &= left - 1) {
      const int at = i + __builtin_ctz(left);
      if (at < count) which[searched++] = static_cast<uint16_t>(at);
    }
  }
  search_colors(gamut, run, which, searched);
}

}  // namespace
}  // namespace pycolor
