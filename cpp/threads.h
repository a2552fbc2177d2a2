// The process's team of threads: the caller and some helpers that wait for it.
//
// Helpers spin for a moment, then yield, then sleep, so that a busy machine is not kept busier by them. One session at
// a time has the team; whoever finds another session at work in the process computes alone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace rosenblatt {

inline constexpr int kMostThreads = 128;

class Team {
 public:
  using Task = void (*)(const void* context, int part);  // throws nothing

  // The team of this process; a forked child gets one of its own.
  static Team& current();
  // The number of threads of teams from the next session on: 1 to kMostThreads.
  static void set_size(int n);
  static int size();

  Team() = default;
  Team(const Team&) = delete;

  // Runs task(context, part) for each part < n_parts, part 0 in the caller's thread, and returns when all are done.
  void run(int n_parts, Task task, const void* context);
  // All parts of the running task meet here.
  void meet(int part, int n_parts);
  // Time that the caller of `run` has spent in waits that were longer than a moment's spinning, in nanoseconds.
  std::int64_t lost() const { return lost_; }

 private:
  friend class Lease;
  struct alignas(128) Place {
    std::atomic<std::uint64_t> at{0};  // the meeting that this part has reached
    alignas(128) std::atomic<std::uint32_t> alarm{0};  // rung for a helper that is asleep
    std::atomic<bool> asleep{false};
  };

  int grow(int n_threads);
  void help(int part);
  std::uint64_t wait_for_job(int part, std::uint64_t last);
  void wait_for(int part, std::uint64_t meeting, bool caller);

  Place places_[kMostThreads];
  alignas(128) std::atomic<std::uint64_t> job_{0};  // its number and, in the lowest byte, its parts
  Task task_ = nullptr;
  const void* context_ = nullptr;
  alignas(128) std::atomic<int> n_sessions_{0};
  std::atomic<const void*> owner_{nullptr};
  int n_threads_ = 1;  // with the caller; changed by the owner only
  std::int64_t lost_ = 0;
};

// A session at work. While it is the only one it may use the team.
class Lease {
 public:
  Lease();
  ~Lease();
  Lease(const Lease&) = delete;
  // The team, or nullptr where another session is at work, there is but one thread, or the process is a fork.
  Team* team();
  int n_threads() const;  // of the team that was given

 private:
  Team* team_;
  bool owner_ = false;
};

}  // namespace rosenblatt
