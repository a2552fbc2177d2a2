#include "parallel_tuner.h"

#include <algorithm>
#include <limits>

namespace rosenblatt {

namespace {

constexpr int kProfiles = 4, kTimedRuns = 5;
constexpr double kLongRun = 1e6;               // nanoseconds; a longer run needs only half as many profiles
constexpr double kWarmUp = 5e6;                // nanoseconds of a round: an idle core reaches its clock rate slowly
constexpr int kMaxRounds = 6, kMinRounds = 3;  // a hopeless round ends the trial after kMinRounds
constexpr double kHopeless = 1.5;              // times the serial time: another round will not help
constexpr double kWorthwhile = 0.97;           // times the serial time: the longest parallel time that is a gain
constexpr double kKeepTime = 5e8;              // nanoseconds for which a gain is kept before it is measured again,
constexpr std::int64_t kKeepRuns = 40 * kTimedRuns;  // and the least number of runs
constexpr double kMinPause = 5e7, kMaxPause = 3e9;
constexpr double kToleratedWait = 2e6, kToleratedShare = 0.2;  // nanoseconds, plus a share of the time of the runs

// How many runs of `each` nanoseconds take at least this long.
std::int64_t runs_in(double nanoseconds, double each) {
  return 1 + static_cast<std::int64_t>(nanoseconds / std::max(each, 1.0));
}

}  // namespace

ParallelTuner::ParallelTuner() : profiles_left_(kProfiles), serial_(std::numeric_limits<double>::infinity()) {}

void ParallelTuner::record_profile(double nanoseconds) {
  profiles_left_ -= nanoseconds > kLongRun ? 2 : 1;
  serial_ = std::min(serial_, nanoseconds);
}

ParallelTuner::Mode ParallelTuner::mode() const {
  if (profiles_left_ > 0) return Mode::profile;
  const bool parallel = stage_ == Stage::warm_up || stage_ == Stage::time_parallel || stage_ == Stage::parallel;
  return parallel ? Mode::parallel : Mode::serial;
}

bool ParallelTuner::needs_time() const { return stage_ == Stage::time_serial || stage_ == Stage::time_parallel; }

void ParallelTuner::enter(Stage stage) {
  stage_ = stage;
  best_ = std::numeric_limits<double>::infinity();
  waited_ = 0;
  max_waited_ = kToleratedWait;
  switch (stage) {
    case Stage::time_serial:
    case Stage::time_parallel: runs_left_ = kTimedRuns; break;
    case Stage::warm_up: runs_left_ = runs_in(kWarmUp, serial_); break;
    case Stage::serial: runs_left_ = runs_in(pause_, serial_); break;
    case Stage::parallel: runs_left_ = std::max(runs_in(kKeepTime, parallel_), kKeepRuns); break;
    case Stage::disabled: break;
  }
}

void ParallelTuner::fall_back() {
  round_ = 0;
  pause_ = std::clamp(pause_ * 4, kMinPause, kMaxPause);
  enter(Stage::serial);
}

void ParallelTuner::record_run(double nanoseconds, double waited) {
  if (stage_ == Stage::disabled) return;
  if (needs_time()) best_ = std::min(best_, nanoseconds);
  waited_ += waited;
  if (stage_ == Stage::parallel) max_waited_ += kToleratedShare * parallel_;
  if (stage_ == Stage::warm_up) max_waited_ += kToleratedShare * serial_;
  if (waited_ > max_waited_ && mode() == Mode::parallel) return fall_back();
  if (--runs_left_ > 0) return;
  switch (stage_) {
    case Stage::time_serial: serial_ = best_; return enter(Stage::warm_up);
    case Stage::warm_up: return enter(Stage::time_parallel);
    case Stage::time_parallel:
      parallel_ = best_;
      if (parallel_ > kWorthwhile * serial_) {
        const bool hopeless = ++round_ >= kMinRounds && parallel_ > kHopeless * serial_;
        return round_ < kMaxRounds && !hopeless ? enter(Stage::warm_up) : fall_back();
      }
      round_ = 0;
      pause_ = 0;
      return enter(Stage::parallel);
    case Stage::serial:
    case Stage::parallel: return enter(Stage::time_serial);
    case Stage::disabled: return;
  }
}

}  // namespace rosenblatt
