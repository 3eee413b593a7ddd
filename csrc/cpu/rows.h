// Rows of pictures, shared out to the threads.
//
// A share is a run of rows of one frame.  What a row comes to does not depend on the share it is
// in, so the number of threads changes no bytes.
#pragma once

#include <algorithm>

#include "../image.h"
#include "pool.h"

namespace pycolor {

// a/b rounded up, of positive numbers.
inline int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Rows a share: enough shares to level the threads out, few enough to keep each one long.
inline int64_t rows_per_chunk(int64_t rows, int64_t frames, int threads) {
  return std::max<int64_t>(1, rows * frames / (int64_t{threads} * 8));
}

// Calls body(frame, first_row, last_row) over all rows of all frames.
template <class Body>
void over_rows(int64_t frames, int64_t rows, int64_t step, int threads, const Body& body) {
  const int64_t chunks = ceil_divide(rows, step);
  parallel_for(threads, frames * chunks, [&](int64_t i) {
    const int64_t first = i % chunks * step;
    body(i / chunks, first, std::min(rows, first + step));
  });
}

// Row `row` of a frame of samples of one byte, or of two.
inline const void* row_of(const Image<const void>& image, bool is_uint16, int64_t frame,
                          int64_t row) {
  const int64_t at = frame * image.stride[0] + row * image.stride[2];
  return static_cast<const char*>(image.data) + at * (is_uint16 ? 2 : 1);
}

}  // namespace pycolor
