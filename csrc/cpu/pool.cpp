#include "pool.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

namespace pycolor {
namespace {

// Looks for `happened` for a few microseconds, less than falling asleep and being woken takes.
template <class Happened>
bool soon(const Happened& happened) {
  for (int i = 0; i < 500; ++i) {
    if (happened()) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  return happened();
}

class Job {
 public:
  Job(void (*body)(void*, int64_t), void* context, int64_t gate, int64_t chunks)
      : body_(body), context_(context), gate_(gate), chunks_(chunks) {}

  void work() {
    for (int64_t i = next_++; i < chunks_; i = next_++) {
      if (i >= gate_) pass();
      body_(context_, i);
      if (i < gate_ && ++done_ == gate_) open();
    }
  }

 private:
  bool is_open() const { return done_ >= gate_; }

  void pass() {
    if (soon([this] { return is_open(); })) return;
    std::unique_lock<std::mutex> lock(mutex_);
    opened_.wait(lock, [this] { return is_open(); });
  }

  void open() {
    std::lock_guard<std::mutex> lock(mutex_);
    opened_.notify_all();
  }

  void (*const body_)(void*, int64_t);
  void* const context_;
  const int64_t gate_, chunks_;
  std::atomic<int64_t> next_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable opened_;
};

class Pool {
 public:
  void run(int helpers, Job& job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (; size_ < helpers; ++size_) std::thread([this] { loop(); }).detach();
      job_ = &job;
      wanted_ = helpers;
    }
    if (helpers == 1) {
      wake_.notify_one();
    } else {
      wake_.notify_all();
    }
    job.work();
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = nullptr;  // whoever has not started yet need not
    wanted_ = 0;
    lock.unlock();
    soon([this] { return active_ == 0; });
    lock.lock();
    done_.wait(lock, [this] { return active_ == 0; });
  }

  std::mutex busy;  // held for the time of one job

 private:
  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return wanted_ > 0; });
      --wanted_;
      ++active_;
      Job* job = job_;
      lock.unlock();
      job->work();
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  int size_ = 0, wanted_ = 0;
  std::atomic<int> active_{0};  // changed under the mutex
};

// Never destroyed: its threads sleep until the process ends.  A forked child has none of them, so
// it forgets the parent's pool and makes its own.
std::atomic<Pool*> current{nullptr};

Pool& pool() {
  Pool* p = current.load();
  if (p == nullptr) {
    static const int registered = pthread_atfork(nullptr, nullptr, [] { current.store(nullptr); });
    (void)registered;
    auto fresh = std::make_unique<Pool>();
    if (current.compare_exchange_strong(p, fresh.get())) p = fresh.release();
  }
  return *p;
}

thread_local bool inside = false;

}  // namespace

void parallel_for(int threads, int64_t gate, int64_t chunks, void (*body)(void*, int64_t),
                  void* context) {
  Job job(body, context, gate, chunks);
  const int64_t useful = threads < chunks ? threads : chunks;
  if (useful <= 1 || inside) return job.work();
  Pool& p = pool();
  std::unique_lock<std::mutex> lock(p.busy, std::try_to_lock);
  if (!lock.owns_lock()) return job.work();
  inside = true;
  p.run(static_cast<int>(useful) - 1, job);
  inside = false;
}

float* scratch(Scratch slot, size_t floats) {
  struct Block {
    float* data = nullptr;
    size_t size = 0;
    ~Block() { std::free(data); }
  };
  thread_local Block blocks[2];
  Block& block = blocks[static_cast<int>(slot)];
  if (block.size < floats) {
    std::free(block.data);
    block.size = 0;
    block.data = static_cast<float*>(std::aligned_alloc(64, (floats * 4 + 63) / 64 * 64));
    if (block.data == nullptr) throw std::bad_alloc();
    block.size = floats;
  }
  return block.data;
}

}  // namespace pycolor
