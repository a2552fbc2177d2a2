#include "threads.h"

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif

#include <algorithm>
#include <exception>
#include <thread>

namespace rosenblatt {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSpins = 2000;                                 // about 20 to 50 microseconds
constexpr auto kYieldTime = std::chrono::microseconds(300);  // before an idle worker sleeps
constexpr std::uint64_t kBarriersPerJob = std::uint64_t{1} << 20;
constexpr std::uint64_t kDone = kBarriersPerJob - 1;

std::atomic<Team*> current_team{nullptr};  // never deleted: workers may outlive the interpreter
std::atomic<int> wanted_threads{1};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

std::uint64_t number_of(std::uint64_t job) { return job >> 8; }
int parts_of(std::uint64_t job) { return static_cast<int>(job & 0xff); }

#if defined(_WIN32)
struct NoSignals {};
void watch_forks() {}
#else
void forget_team() { current_team.store(nullptr); }  // in a forked child, where the workers do not exist

void watch_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_team);
  static_cast<void>(registered);
}

// Threads that are started meanwhile do not handle the signals of the program.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;

 private:
  sigset_t before_;
};
#endif

}  // namespace

Team& Team::current() {
  Team* team = current_team.load();
  if (team != nullptr) return *team;
  watch_forks();
  Team* fresh = new Team;
  if (current_team.compare_exchange_strong(team, fresh)) return *fresh;
  delete fresh;
  return *team;
}

void Team::set_size(int n) { wanted_threads.store(std::clamp(n, 1, kMaxThreads)); }
int Team::size() { return wanted_threads.load(); }

// Starts workers until the team has n_threads threads, or as many as the system allows.
int Team::grow(int n_threads) {
  [[maybe_unused]] const NoSignals masked;
  try {
    for (; n_threads_ < n_threads; ++n_threads_) std::thread(&Team::worker_loop, this, n_threads_).detach();
  } catch (const std::exception&) {  // no more threads, or no memory for them: use fewer
    wanted_threads.compare_exchange_strong(n_threads, n_threads_);
  }
  return n_threads_;
}

void Team::run(int n_parts, Task task, const void* context) {
  task_ = task;
  context_ = context;
  const std::uint64_t number = number_of(job_.load(std::memory_order_relaxed)) + 1;
  parts_[0].progress.store(number * kBarriersPerJob, std::memory_order_relaxed);
  job_.store(number << 8 | static_cast<std::uint64_t>(n_parts));
  for (int part = 1; part < n_parts; ++part) {
    PartState& worker = parts_[part];
    if (!worker.asleep.load()) continue;
    worker.wakeup.fetch_add(1);
    worker.wakeup.notify_one();
  }
  task(context, 0);
  for (int part = 1; part < n_parts; ++part) wait_for(part, number * kBarriersPerJob + kDone, true);
}

void Team::barrier(int part, int n_parts) {
  std::atomic<std::uint64_t>& own = parts_[part].progress;
  const std::uint64_t barrier = own.load(std::memory_order_relaxed) + 1;
  own.store(barrier, std::memory_order_release);
  for (int other = 0; other < n_parts; ++other) {
    if (other != part) wait_for(other, barrier, part == 0);
  }
}

void Team::wait_for(int part, std::uint64_t barrier, bool is_caller) {
  const std::atomic<std::uint64_t>& progress = parts_[part].progress;
  for (int i = 0; i < kSpins; ++i) {
    if (progress.load(std::memory_order_acquire) >= barrier) return;
    pause();
  }
  const auto start = Clock::now();
  while (progress.load(std::memory_order_acquire) < barrier) std::this_thread::yield();
  if (is_caller) wait_time_ += std::chrono::nanoseconds(Clock::now() - start).count();
}

// Waits for the next job that has a part for this worker. Other jobs do not keep it awake.
std::uint64_t Team::wait_for_job(int part, std::uint64_t last) {
  std::uint64_t job = last;
  const auto has_job = [&] {
    job = job_.load();
    return job != last && part < parts_of(job);
  };
  for (int i = 0; i < kSpins; ++i) {
    if (has_job()) return job;
    pause();
  }
  for (const auto start = Clock::now(); Clock::now() - start < kYieldTime;) {
    if (has_job()) return job;
    std::this_thread::yield();
  }
  PartState& own = parts_[part];
  while (!has_job()) {
    const std::uint32_t wakeup = own.wakeup.load();
    own.asleep.store(true);
    if (!has_job()) own.wakeup.wait(wakeup);
    own.asleep.store(false);
  }
  return job;
}

void Team::worker_loop(int part) {
  for (std::uint64_t job = 0;;) {
    job = wait_for_job(part, job);
    parts_[part].progress.store(number_of(job) * kBarriersPerJob, std::memory_order_relaxed);
    task_(context_, part);
    parts_[part].progress.store(number_of(job) * kBarriersPerJob + kDone, std::memory_order_release);
  }
}

TeamLock::TeamLock() : team_(&Team::current()) { team_->n_sessions_.fetch_add(1); }

TeamLock::~TeamLock() {
  if (owner_) team_->owner_.store(nullptr);
  team_->n_sessions_.fetch_sub(1);
}

int TeamLock::n_threads() const { return std::min(Team::size(), team_->n_threads_); }

Team* TeamLock::team() {
  const int wanted = Team::size();
  if (wanted < 2 || team_->n_sessions_.load() != 1 || team_ != current_team.load()) return nullptr;
  if (!owner_) {
    const void* nobody = nullptr;
    owner_ = team_->owner_.compare_exchange_strong(nobody, this);
    if (!owner_) return nullptr;
  }
  if (team_->n_threads_ < wanted && team_->grow(wanted) < 2) return nullptr;
  return team_;
}

}  // namespace rosenblatt
