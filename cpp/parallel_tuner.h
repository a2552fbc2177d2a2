// Decides whether a program runs on one thread or on the team, from the measured times of its runs.
//
// The first runs are serial and time each call; a schedule is made from these costs. Then some parallel runs are timed,
// and the faster mode is kept for a while. If the team keeps its caller waiting, as on a busy machine, the program goes
// back to one thread at once. Results have the same bits in either mode.
#pragma once

#include <cstdint>

namespace rosenblatt {

class ParallelTuner {
 public:
  ParallelTuner();

  enum class Mode { profile, serial, parallel };

  Mode mode() const;        // of the next run
  bool needs_time() const;  // whether `record_run` must be given the time of the next run
  void record_profile(double nanoseconds);
  // Called after each run that was not a profile. `nanoseconds`: its time, if needed; `waited`: how long the team made
  // its caller wait.
  void record_run(double nanoseconds, double waited);
  // Never run in parallel: the costs promise no gain.
  void disable() { stage_ = Stage::disabled; }
  // There is a new schedule: try it.
  void start() {
    round_ = 0;
    enter(Stage::warm_up);
  }

 private:
  enum class Stage { time_serial, warm_up, time_parallel, serial, parallel, disabled };

  void enter(Stage stage);
  void fall_back();

  Stage stage_ = Stage::time_serial;
  int profiles_left_;
  std::int64_t runs_left_ = 0;          // in this stage
  double best_ = 0;                     // nanoseconds of the fastest run timed in this stage
  double serial_, parallel_ = 0;        // nanoseconds of a run in each mode
  double waited_ = 0, max_waited_ = 0;  // nanoseconds spent waiting for the team, and how many are tolerated
  double pause_ = 0;                    // nanoseconds of serial runs before the team is tried again
  int round_ = 0;                       // of warming up
};

}  // namespace rosenblatt
