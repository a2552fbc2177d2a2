// The team of threads of the process: the calling thread and the workers that wait for its jobs.
//
// Idle workers spin for a moment, then yield, then sleep, so that they add little load to a busy machine. Only one
// session at a time may use the team. While several sessions run in the process, each computes on its own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace rosenblatt {

inline constexpr int kMaxThreads = 128;

class Team {
 public:
  using Task = void (*)(const void* context, int part);  // must not throw

  // The team of this process; a forked child gets its own.
  static Team& current();
  // The number of threads that later runs use: clamped to 1 .. kMaxThreads.
  static void set_size(int n);
  static int size();

  Team() = default;
  Team(const Team&) = delete;

  // Runs task(context, part) for each part < n_parts, part 0 on the calling thread. Returns when all parts are done.
  void run(int n_parts, Task task, const void* context);
  // Blocks until all parts of the running task have reached this barrier.
  void barrier(int part, int n_parts);
  // Nanoseconds that the callers of `run` have waited in total, short spins not counted.
  std::int64_t wait_time() const { return wait_time_; }

 private:
  friend class TeamLock;
  struct alignas(128) PartState {
    std::atomic<std::uint64_t> progress{0};             // the last barrier that this part has reached
    alignas(128) std::atomic<std::uint32_t> wakeup{0};  // incremented to wake a sleeping worker
    std::atomic<bool> asleep{false};
  };

  int grow(int n_threads);
  void worker_loop(int part);
  std::uint64_t wait_for_job(int part, std::uint64_t last);
  void wait_for(int part, std::uint64_t barrier, bool is_caller);

  PartState parts_[kMaxThreads];
  alignas(128) std::atomic<std::uint64_t> job_{0};  // its number and, in the lowest byte, the number of its parts
  Task task_ = nullptr;
  const void* context_ = nullptr;
  alignas(128) std::atomic<int> n_sessions_{0};
  std::atomic<const void*> owner_{nullptr};
  int n_threads_ = 1;  // the caller included; changed by the owner only
  std::int64_t wait_time_ = 0;
};

// Held by a running session. It gives access to the team while this is the only session that runs.
class TeamLock {
 public:
  TeamLock();
  ~TeamLock();
  TeamLock(const TeamLock&) = delete;
  // The team, or nullptr if another session is running, there is only one thread, or the process was forked meanwhile.
  Team* team();
  int n_threads() const;  // of the team that `team` returned

 private:
  Team* team_;
  bool owner_ = false;
};

}  // namespace rosenblatt
