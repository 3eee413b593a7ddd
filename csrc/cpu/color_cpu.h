// Colors of a run of samples: all by the short way, then those it is not for by the longer ones.
//
// A branch a vector would send 16 colors the long way for one, and be guessed wrong; so each way is
// a loop over the run that also says which samples it was not for, and the next way takes these
// laid side by side.  See ../gamut.h for the ways themselves.
#pragma once

#include "../gamut.h"
#include "kernels.h"

namespace pycolor {
namespace {

constexpr int kRun = 1152;  // samples that go through the stages together, in the L1 cache

// Each stage is a short loop over the run: the processor then overlaps several vectors.
struct ColorRun {
  float level[kRun], neutral[kRun], p[kRun], q[kRun];  // in; p and q finite
  // Out, red and blue: R' − Y', B' − Y'.  Before that all three hold the linear light.
  float red[kRun], green[kRun], blue[kRun];
};

static PYCOLOR_HD ColorDifference<Lanes> color_at(const ColorRun& run, int64_t i) {
  return {load(run.red + i), load(run.blue + i)};
}

// Samples listed out of a run, side by side: what is few and far apart fills whole vectors again.
// At most all of the run, and the last vector is filled up with the last sample.
struct Listed {
  int32_t which[kRun + 15];
  float level[kRun], neutral[kRun], p[kRun], q[kRun], red[kRun], blue[kRun];
};

// Fetches the listed samples, and some of them again to fill the last vector.
static PYCOLOR_HD void fetch_listed(const ColorRun& run, Listed& list, int count) {
  for (int i = count; i % 16 != 0; ++i) list.which[i] = list.which[count - 1];
  for (int i = 0; i < count; i += 16) {
    const Index index = load_index(list.which + i);
    store(list.level + i, gather(run.level, index));
    store(list.neutral + i, gather(run.neutral, index));
    store(list.p + i, gather(run.p, index));
    store(list.q + i, gather(run.q, index));
  }
}

// The colors without any step; lists those that this is not for, how many.
int ordinary_colors(const Gamut& gamut, ColorRun& run, int64_t count, int32_t* which) {
  uint16_t ordinary[kRun / 16];
  for (int i = 0; i < count; i += 16) {
    Mask lit;
    const Triple<Lanes> light =
        ordinary_light(gamut, load(run.neutral + i), load(run.p + i), load(run.q + i), lit);
    store(run.red + i, light.x);
    store(run.green + i, light.y);
    store(run.blue + i, light.z);
    ordinary[i / 16] = static_cast<uint16_t>(bits(lit));
  }
  for (int i = 0; i < count; i += 16) {
    Mask good;
    const Triple<Lanes> light = {load(run.red + i), load(run.green + i), load(run.blue + i)};
    const ColorDifference<Lanes> d = ordinary_color(gamut.luma, load(run.level + i), light, good);
    store(run.red + i, d.red);
    store(run.blue + i, d.blue);
    ordinary[i / 16] &= static_cast<uint16_t>(bits(good));
  }
  // A branch on the masks in the loops above would stall them on every wrong guess.
  int listed = 0;
  for (int i = 0; i < count; i += 16) {
    for (unsigned rest = ordinary[i / 16] ^ 0xffffu; rest != 0; rest &= rest - 1) {
      const int at = i + __builtin_ctz(rest);
      if (at < count) which[listed++] = at;
    }
  }
  return listed;
}

// The listed colors by one step; lists anew those that need the search, how many.
int quick_colors(const Gamut& gamut, ColorRun& run, Listed& list, int count) {
  fetch_listed(run, list, count);
  for (int i = 0; i < count; i += 16)
    store(list.red + i, load(list.neutral + i) * far_fy(gamut, load(list.p + i), load(list.q + i)));
  uint16_t hard[kRun / 16];
  for (int i = 0; i < count; i += 16) {
    Mask beyond;
    const ColorDifference<Lanes> d =
        quick_color(gamut.luma, load(list.level + i), load(list.neutral + i), load(list.p + i),
                    load(list.q + i), load(list.red + i), beyond);
    store(list.red + i, d.red);
    store(list.blue + i, d.blue);
    hard[i / 16] = static_cast<uint16_t>(bits(beyond));
  }
  int left = 0;
  for (int i = 0; i < count; ++i) {
    const int32_t at = list.which[i];
    run.red[at] = list.red[i];
    run.blue[at] = list.blue[i];
    list.which[left] = at;
    left += hard[i / 16] >> i % 16 & 1;
  }
  return left;
}

// The listed colors by the search.  Sharing out its steps over the whole list, so that vectors
// overlap and settled colors step out, was tried: it is bound by its arithmetic and gained nothing.
void search_colors(const Gamut& gamut, ColorRun& run, Listed& list, int count) {
  fetch_listed(run, list, count);
  for (int i = 0; i < count; i += 16) {
    const ColorDifference<Lanes> d = searched_color(
        gamut, load(list.level + i), load(list.neutral + i), load(list.p + i), load(list.q + i));
    store(list.red + i, d.red);
    store(list.blue + i, d.blue);
  }
  for (int i = 0; i < count; ++i) {
    run.red[list.which[i]] = list.red[i];
    run.blue[list.which[i]] = list.blue[i];
  }
}

void find_colors(const Gamut& shared, ColorRun& run, int64_t count) {
  // A copy on the stack: stores through float pointers might change the caller's, as far as the
  // compiler knows, and it would load all of it anew.
  const Gamut gamut = shared;  // which no store below can change
  Listed list;
  const int quick = ordinary_colors(gamut, run, count, list.which);
  const int searched = quick_colors(gamut, run, list, quick);
  search_colors(gamut, run, list, searched);
}

}  // namespace
}  // namespace pycolor
