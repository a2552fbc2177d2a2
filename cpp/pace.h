// Whether runs of a program are shared with the team, decided by what runs took.
//
// The first runs are made alone, each call timed: what a schedule is made from. Then some runs are shared and timed, and
// the quicker way is kept for a while; if the team keeps its caller waiting, as on a busy machine, it is left at once.
// Results are the same bits either way.
#pragma once

#include <cstdint>

namespace rosenblatt {

class Pace {
 public:
  Pace();

  enum class Way { profile, alone, shared };

  Way next() const;            // how to do the next run
  bool timed() const;          // whether `done` should get its time
  void profiled(double nanoseconds);
  // After a run that was not a profile. `nanoseconds`: its time, if timed; `lost`: what the team made its caller wait.
  void done(double nanoseconds, double lost);
  // The costs promise nothing from sharing: never try. Or: there is a new schedule; try it.
  void give_up() { stage_ = Stage::given_up; }
  void start() {
    round_ = 0;
    enter(Stage::warm_up);
  }

 private:
  enum class Stage { time_alone, warm_up, time_shared, alone, shared, given_up };

  void enter(Stage stage);
  void leave_team();

  Stage stage_ = Stage::time_alone;
  int profiles_left_;
  std::int64_t left_ = 0;  // runs of this stage
  double best_ = 0;        // nanoseconds of the runs timed in this stage
  double alone_, shared_ = 0;
  double lost_ = 0, allowed_ = 0;  // nanoseconds lost in waits, and how many may be
  double rest_ = 0;        // nanoseconds until the team is tried again
  int round_ = 0;          // of warming up
};

}  // namespace rosenblatt
