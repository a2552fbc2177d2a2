#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <thread>

namespace rosenblatt {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSpins = 2000;                                    // some 20 to 50 microseconds
constexpr auto kDrowsy = std::chrono::microseconds(300);        // of yielding before a helper sleeps
constexpr std::uint64_t kMeetings = std::uint64_t{1} << 20;     // of one job
constexpr std::uint64_t kDone = kMeetings - 1;

std::atomic<Team*> current_team{nullptr};  // never deleted: helpers may outlive the interpreter
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

void forget_team() { current_team.store(nullptr); }  // in a forked child, where the helpers do not exist

}  // namespace

Team& Team::current() {
  Team* team = current_team.load();
  if (team != nullptr) return *team;
  static const int registered = pthread_atfork(nullptr, nullptr, forget_team);
  static_cast<void>(registered);
  Team* fresh = new Team;
  if (current_team.compare_exchange_strong(team, fresh)) return *fresh;
  delete fresh;
  return *team;
}

void Team::set_size(int n) { wanted_threads.store(std::clamp(n, 1, kMostThreads)); }
int Team::size() { return wanted_threads.load(); }

// Starts helpers until there are as many threads as wanted, or as the system allows.
int Team::grow(int n_threads) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the threads that the program knows
  try {
    for (; n_threads_ < n_threads; ++n_threads_) std::thread(&Team::help, this, n_threads_).detach();
  } catch (const std::exception&) {  // no more threads or no memory for them: fewer will do
    wanted_threads.compare_exchange_strong(n_threads, n_threads_);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return n_threads_;
}

void Team::run(int n_parts, Task task, const void* context) {
  task_ = task;
  context_ = context;
  const std::uint64_t number = number_of(job_.load(std::memory_order_relaxed)) + 1;
  places_[0].at.store(number * kMeetings, std::memory_order_relaxed);
  job_.store(number << 8 | static_cast<std::uint64_t>(n_parts));
  for (int part = 1; part < n_parts; ++part) {
    Place& place = places_[part];
    if (!place.asleep.load()) continue;
    place.alarm.fetch_add(1);
    place.alarm.notify_one();
  }
  task(context, 0);
  for (int part = 1; part < n_parts; ++part) wait_for(part, number * kMeetings + kDone, true);
}

void Team::meet(int part, int n_parts) {
  std::atomic<std::uint64_t>& own = places_[part].at;
  const std::uint64_t meeting = own.load(std::memory_order_relaxed) + 1;
  own.store(meeting, std::memory_order_release);
  for (int other = 0; other < n_parts; ++other) {
    if (other != part) wait_for(other, meeting, part == 0);
  }
}

void Team::wait_for(int part, std::uint64_t meeting, bool caller) {
  const std::atomic<std::uint64_t>& at = places_[part].at;
  for (int i = 0; i < kSpins; ++i) {
    if (at.load(std::memory_order_acquire) >= meeting) return;
    pause();
  }
  const auto start = Clock::now();
  while (at.load(std::memory_order_acquire) < meeting) sched_yield();
  if (caller) lost_ += std::chrono::nanoseconds(Clock::now() - start).count();
}

// The next job that has a part for this helper; others do not keep it awake.
std::uint64_t Team::wait_for_job(int part, std::uint64_t last) {
  std::uint64_t job = last;
  const auto arrived = [&] {
    job = job_.load();
    return job != last && part < parts_of(job);
  };
  for (int i = 0; i < kSpins; ++i) {
    if (arrived()) return job;
    pause();
  }
  for (const auto start = Clock::now(); Clock::now() - start < kDrowsy;) {
    if (arrived()) return job;
    sched_yield();
  }
  Place& own = places_[part];
  while (!arrived()) {
    const std::uint32_t alarm = own.alarm.load();
    own.asleep.store(true);
    if (!arrived()) own.alarm.wait(alarm);
    own.asleep.store(false);
  }
  return job;
}

void Team::help(int part) {
  for (std::uint64_t job = 0;;) {
    job = wait_for_job(part, job);
    places_[part].at.store(number_of(job) * kMeetings, std::memory_order_relaxed);
    task_(context_, part);
    places_[part].at.store(number_of(job) * kMeetings + kDone, std::memory_order_release);
  }
}

Lease::Lease() : team_(&Team::current()) { team_->n_sessions_.fetch_add(1); }

Lease::~Lease() {
  if (owner_) team_->owner_.store(nullptr);
  team_->n_sessions_.fetch_sub(1);
}

int Lease::n_threads() const { return std::min(Team::size(), team_->n_threads_); }

Team* Lease::team() {
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
