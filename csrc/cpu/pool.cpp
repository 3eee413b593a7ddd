#include "pool.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace pycolor {
namespace {

// Looks whether `predicate` holds for a few microseconds, less than falling asleep and being woken
// takes; whether it does.
template <class Predicate>
bool spin_until(const Predicate& predicate) {
  for (int i = 0; i < 500; ++i) {
    if (predicate()) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  return predicate();
}

// One call of parallel_for; lives on its caller's stack until no thread works at it.
class Job {
 public:
  Job(void (*body)(void*, int64_t), void* context, int64_t gate, int64_t chunks)
      : body_(body), context_(context), gate_(gate), chunks_(chunks) {}

  // Takes chunks until none is left.  Throws nothing: helpers have nobody to tell, and the caller
  // must wait for them first.
  void work() noexcept {
    for (int64_t i = next_++; i < chunks_; i = next_++) {
      if (i >= gate_) wait_gate();
      run(i);
      if (i < gate_ && ++done_ == gate_) open_gate();
    }
  }

  // When all threads have left it.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  // After the first chunk that throws the others are only counted, so that the gate opens.
  void run(int64_t chunk) noexcept {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      body_(context_, chunk);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  bool is_open() const { return done_ >= gate_; }

  void wait_gate() {
    if (spin_until([this] { return is_open(); })) return;
    std::unique_lock<std::mutex> lock(mutex_);
    opened_.wait(lock, [this] { return is_open(); });
  }

  void open_gate() {
    std::lock_guard<std::mutex> lock(mutex_);
    opened_.notify_all();
  }

  void (*const body_)(void*, int64_t);
  void* const context_;
  const int64_t gate_, chunks_;
  std::atomic<int64_t> next_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable opened_;
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
};

// Sleeping threads, as many as were ever wanted at once.
class Pool {
 public:
  // Returns when the job is done and no helper looks at it any more.
  void run(int helpers, Job& job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      try {
        for (; size_ < helpers; ++size_) std::thread([this] { loop(); }).detach();
      } catch (const std::system_error&) {
        helpers = size_;  // no more threads to be had: those there are do it
      }
      job_ = &job;
      wanted_ = helpers;
    }
    // One is woken where one is wanted: the others would only look and fall asleep again.
    if (helpers == 1) {
      wake_.notify_one();
    } else {
      wake_.notify_all();
    }
    job.work();
    std::unique_lock<std::mutex> lock(mutex_);
    // The job goes away with its caller's stack: no helper may take it up from here on, and those
    // at work are waited for.
    job_ = nullptr;  // whoever has not started yet need not
    wanted_ = 0;
    lock.unlock();
    spin_until([this] { return active_ == 0; });
    lock.lock();
    done_.wait(lock, [this] { return active_ == 0; });
  }

  std::mutex busy;  // held for the time of one job

 private:
  // A helper's life: asleep until helpers are wanted, then one job.
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

// Marks the thread as working at a job for the lifetime of the mark.
struct InsideMark {
  InsideMark() { inside = true; }
  ~InsideMark() { inside = false; }
  InsideMark(const InsideMark&) = delete;
  InsideMark& operator=(const InsideMark&) = delete;
};

// Whether the pool has run the job; not where it is busy or where one thread is enough.
bool run_in_pool(int threads, int64_t chunks, Job& job) {
  const int64_t useful = threads < chunks ? threads : chunks;
  if (useful <= 1 || inside) return false;
  Pool& p = pool();
  // Another caller has the pool: rather than wait, work alone.
  std::unique_lock<std::mutex> lock(p.busy, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  const InsideMark mark;
  p.run(static_cast<int>(useful) - 1, job);
  return true;
}

}  // namespace

void parallel_for(int threads, int64_t gate, int64_t chunks, void (*body)(void*, int64_t),
                  void* context) {
  Job job(body, context, gate, chunks);
  if (!run_in_pool(threads, chunks, job)) job.work();
  job.rethrow();
}

float* scratch(Scratch slot, size_t floats) {
  // Grows, never shrinks: frames of one film are of one size.
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
