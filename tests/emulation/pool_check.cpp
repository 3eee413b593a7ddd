// Chunks that throw: the error reaches the caller, the gate opens, and the pool works on.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "../../csrc/cpu/pool.h"

using pycolor::parallel_for;

static void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("%s\n", what);
  std::exit(1);
}

int main() {
  for (int round = 0; round < 300; ++round) {
    const int threads = 1 + round % 4, gate = round % 3 * 8;
    const int64_t chunks = 64, bad = round % chunks;
    std::atomic<int64_t> began{0};
    bool thrown = false;
    try {
      parallel_for(threads, gate, chunks, [&](int64_t i) {
        ++began;
        if (i == bad) throw std::runtime_error("chunk");
      });
    } catch (const std::runtime_error& error) {
      thrown = error.what()[0] == 'c';
    }
    expect(thrown, "the error was lost");
    const int64_t seen = began;
    expect(seen >= 1 && seen <= chunks, "chunks were counted wrong");
    std::atomic<int64_t> sum{0}, early{0};
    std::atomic<int> inner{0};
    parallel_for(threads, gate, chunks, [&](int64_t i) {
      if (i >= gate && early.load() < gate) expect(false, "the gate opened too early");
      if (i < gate) ++early;
      sum += i;
      parallel_for(threads, 2, [&](int64_t) { ++inner; });
    });
    expect(began == seen, "a chunk of the failed job ran on");
    expect(sum == chunks * (chunks - 1) / 2, "a chunk was left out");
    expect(inner == 2 * chunks, "a chunk inside a chunk was left out");
  }
  std::printf("ok\n");
}
