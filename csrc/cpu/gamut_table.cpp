// Where each hue leaves the gamut, for each luma: made once per matrix, in double.
#include "gamut_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "module.h"

namespace pycolor {
namespace {

// The gamut at constant luma is a convex polygon in (Cb, Cr).  It is walked by its angle there;
// each of its points has a hue, a chroma and a lightness.
constexpr int kWalk = 2048;

struct EdgePoint {
  double a, b, fy, hue;
};

// sRGB's curve and CIE's f, in double.
double decode(double x) { return x > 0.04045 ? std::pow((x + 0.055) / 1.055, 2.4) : x / 12.92; }

double f_of(double t) {
  // CIE 15:2018, 8.2.1.
  const double knee = 6.0 / 29.0;
  return t > knee * knee * knee ? std::cbrt(t) : t / (3 * knee * knee) + 4.0 / 29.0;
}

// The polygon's point in the direction `angle` of (Cb, Cr): the first channel to reach 0 or 1.
EdgePoint edge_point(const LumaWeights& k, double y, double angle) {
  const double toward_r = 2 * (1 - k.kr) * std::sin(angle);
  const double toward_b = 2 * (1 - k.kb) * std::cos(angle);
  const double toward[3] = {toward_r, -(k.kr * toward_r + k.kb * toward_b) / k.kg, toward_b};
  double length = std::numeric_limits<double>::infinity();
  for (double d : toward) {
    if (d != 0) length = std::min(length, d < 0 ? -y / d : (1 - y) / d);
  }
  double linear[3], f[3];
  for (int c = 0; c < 3; ++c)
    linear[c] = decode(std::min(1.0, std::max(0.0, y + length * toward[c])));
  const double white[3] = {kWhiteX, 1, kWhiteZ};
  for (int i = 0; i < 3; ++i) {
    double sum = 0;
    for (int c = 0; c < 3; ++c) sum += static_cast<double>(LinearToXyzMatrix::at(i, c)) * linear[c];
    f[i] = f_of(sum / white[i]);
  }
  const double a = 500 * (f[0] - f[1]), b = 200 * (f[1] - f[2]);
  const double size = std::max(std::fabs(a) + std::fabs(b), 1e-30), t = b / size;
  return {a, b, f[1], a < 0 ? 2 - t : b < 0 ? 4 + t : t};
}

// One luma's row of the table: between two points of the walk hue, chroma and fy are straight
// lines.
void fill_row(const LumaWeights& k, double y, float* row) {
  std::fill(row, row + 2 * (kGamutHues + 1), std::numeric_limits<float>::infinity());
  // Neighboring points of the walk bracket some of the table's hues; of several crossings the
  // nearest to neutral counts.
  std::vector<EdgePoint> walk;
  for (int i = 0; i < kWalk; ++i) walk.push_back(edge_point(k, y, i * 2 * M_PI / kWalk));
  for (int i = 0; i < kWalk; ++i) {
    const EdgePoint& p = walk[i];
    const EdgePoint& q = walk[(i + 1) % kWalk];
    // Angles wrap at 4.
    const double turn = std::remainder(q.hue - p.hue, 4.0);
    const double low = std::min(p.hue, p.hue + turn), high = std::max(p.hue, p.hue + turn);
    const int last = static_cast<int>(std::floor(high * kGamutHues / 4));
    for (int at = static_cast<int>(std::ceil(low * kGamutHues / 4)); at <= last; ++at) {
      const double w = turn != 0 ? (at * 4.0 / kGamutHues - p.hue) / turn : 0;
      const double chroma = std::hypot(p.a + w * (q.a - p.a), p.b + w * (q.b - p.b));
      float* cell = row + 2 * ((at + kGamutHues) % kGamutHues);
      if (chroma < cell[0]) {  // the first crossing from the neutral color on
        cell[0] = static_cast<float>(chroma);
        cell[1] = static_cast<float>(p.fy + w * (q.fy - p.fy));
      }
    }
  }
  row[2 * kGamutHues] = row[0];
  row[2 * kGamutHues + 1] = row[1];
}

// A polynomial of relative_fy: least squares over colors (1, α, β) that have all channels in light,
// each giving neutral = E^0.8 with E = Σ k_i r_i^(1/2.4) and so one value of the function.  The
// near one serves small chroma and is weighed by what its error does there, see ordinary_color.
void fit_relative_fy(const LumaWeights& k, bool near, float* coefficients) {
  const double luma[3] = {k.kr, k.kg, k.kb}, white[3] = {kWhiteX, 1, kWhiteZ};
  double normal[kGuessTerms][kGuessTerms + 1] = {};
  // A grid of (α, β) around neutral; what is out of gamut is left out.
  constexpr int steps = 40;
  for (int i = -steps; i <= steps; ++i) {
    for (int j = -steps; j <= steps; ++j) {
      const double alpha = 0.16 * i / steps, beta = (near ? 0.4 : 0.35) * j / steps;
      const double f[3] = {1 + alpha, 1, 1 + beta};
      double sum = 0, lowest = 1, root[3];
      for (int c = 0; c < 3; ++c) {
        double r = 0;
        for (int n = 0; n < 3; ++n)
          r += static_cast<double>(XyzToLinearMatrix::at(c, n)) * white[n] * f[n] * f[n] * f[n];
        lowest = std::min(lowest, r);
        root[c] = std::pow(std::max(r, 0.0), 1 / 2.4);
        sum += luma[c] * root[c];
      }
      if (lowest < 0.02) continue;
      const auto ends = std::minmax({root[0], root[1], root[2]});
      const double spread = (ends.second - ends.first) / sum;
      if (near && spread > 0.6) continue;
      const double neutral = std::pow(sum, 0.8), p = alpha / neutral, q = beta / neutral;
      double term[kGuessTerms + 1];
      int count = 0;
      for (int m = 0; m <= kGuessDegree; ++m)
        for (int n = 0; m + n <= kGuessDegree; ++n) term[count++] = std::pow(p, m) * std::pow(q, n);
      term[count] = 1 / neutral;
      // Of the far one small chroma is the most frequent.
      const double weight = near ? std::pow(std::max(spread, 0.05), 4)
                                 : 1 / (0.02 + alpha * alpha / 0.02 + beta * beta / 0.1);
      for (int m = 0; m < kGuessTerms; ++m)
        for (int n = 0; n <= kGuessTerms; ++n) normal[m][n] += weight * term[m] * term[n];
    }
  }
  for (int m = 0; m < kGuessTerms; ++m) {  // Gauss and Jordan; the matrix is positive definite
    for (int n = kGuessTerms; n >= m; --n) normal[m][n] /= normal[m][m];
    for (int o = 0; o < kGuessTerms; ++o) {
      if (o == m) continue;
      for (int n = kGuessTerms; n >= m; --n) normal[o][n] -= normal[o][m] * normal[m][n];
    }
  }
  for (int m = 0; m < kGuessTerms; ++m)
    coefficients[m] = static_cast<float>(normal[m][kGuessTerms]);
}

// Luma 0 and 1 have black and white alone: no chroma, and the fy of these.
std::vector<float> make_table(const LumaWeights& k) {
  std::vector<float> table(kGamutFloats);
  fit_relative_fy(k, true, table.data() + kGamutCells);
  fit_relative_fy(k, false, table.data() + kGamutCells + kGuessTerms);
  for (int i = 0; i <= kGamutLumas; ++i) {
    float* row = table.data() + static_cast<size_t>(i) * 2 * (kGamutHues + 1);
    if (i > 0 && i < kGamutLumas) {
      fill_row(k, static_cast<double>(i) / kGamutLumas, row);
    } else {
      for (int j = 0; j <= kGamutHues; ++j) {
        row[2 * j] = 0;
        row[2 * j + 1] = i == 0 ? 4.0f / 29.0f : 1.0f;
      }
    }
  }
  return table;
}

}  // namespace

Gamut gamut_of(float kr, float kb) {
  // References into a map stay valid, and tables are never dropped: a Gamut may be kept.
  static std::mutex mutex;
  static std::map<std::pair<float, float>, std::unique_ptr<const std::vector<float>>> tables;
  const LumaWeights luma = {kr, 1 - kr - kb, kb};
  std::lock_guard<std::mutex> lock(mutex);
  auto& table = tables[{kr, kb}];
  if (!table) table = std::make_unique<const std::vector<float>>(make_table(luma));
  return {luma, table->data()};
}

PYCOLOR_OP(gamut_table) {
  // The table as bytes, for the GPU's copy of it.
  m.def("gamut_table", [](float kr, float kb) {
    return bytes_of(gamut_of(kr, kb).table, sizeof(float) * kGamutFloats);
  });
}

}  // namespace pycolor
