// A thread pool whose caller works too.
//
// One pool for the process, a few dozen lines in place of OpenMP: its waits are short and then
// asleep, so that a decoder or an encoder beside it keeps its processor (OpenMP's barriers spin,
// which made a 0.8 ms op take 20 ms beside another job), and it does not clash with the OpenMP of
// torch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pycolor {

// Runs body(context, chunk) for each chunk on up to `threads` threads, the caller being one, and
// returns when all are done.  Chunks are begun in order; those from `gate` on begin when all below
// it are done, so that work in two parts wakes its helpers once.  A thread waits for the last
// chunks of others for some microseconds, then asleep; without work it sleeps.  A call made while
// another is running, or from inside a chunk, runs on its caller alone.  A forked child starts with
// an empty pool.
//
// What a chunk throws is thrown here, once no thread is at work any more: of several the first.
// Chunks that have not begun by then are left out.
void parallel_for(int threads, int64_t gate, int64_t chunks, void (*body)(void*, int64_t),
                  void* context);

template <class Body>
void parallel_for(int threads, int64_t gate, int64_t chunks, const Body& body) {
  auto call = [](void* context, int64_t chunk) { (*static_cast<const Body*>(context))(chunk); };
  parallel_for(threads, gate, chunks, call, const_cast<Body*>(&body));
}

template <class Body>
void parallel_for(int threads, int64_t chunks, const Body& body) {
  parallel_for(threads, 0, chunks, body);
}

// Memory for what an op lays out: no op allocates per frame, and each thread has its own, so that
// none waits for another. kShared is for the caller's planes, which all threads of a job read;
// kWorker for what one chunk needs alone.
//
// Memory of this thread that lasts until its next scratch() of the same slot: 64-byte aligned,
// kept between calls so that no page is faulted in anew.
enum class Scratch { kShared, kWorker };
float* scratch(Scratch slot, size_t floats);

}  // namespace pycolor
