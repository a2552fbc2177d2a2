#include "pace.h"

#include <algorithm>
#include <limits>

namespace rosenblatt {

namespace {

constexpr int kProfiles = 4, kTimed = 5;
constexpr double kLong = 1e6;                        // nanoseconds of a run that needs only half as many profiles
constexpr double kWarmUp = 5e6;                      // nanoseconds of a round: an idle core reaches its clock rate slowly
constexpr int kRounds = 6, kPatience = 3;            // at most; and before a bad one ends them
constexpr double kHopeless = 1.5;                    // of the time alone: no further round will help
constexpr double kGain = 0.97;                       // of the time alone that sharing must not exceed
constexpr double kKept = 5e8;                        // nanoseconds for which a good choice is kept, and
constexpr std::int64_t kKeptRuns = 40 * kTimed;      // runs for which it is kept at least
constexpr double kFirstRest = 5e7, kLongestRest = 3e9;
constexpr double kTolerance = 2e6, kShareLost = 0.2;  // nanoseconds, and part of the shared runs, lost in waits

std::int64_t runs(double nanoseconds, double each) {
  return 1 + static_cast<std::int64_t>(nanoseconds / std::max(each, 1.0));
}

}  // namespace

Pace::Pace() : profiles_left_(kProfiles), alone_(std::numeric_limits<double>::infinity()) {}

void Pace::profiled(double nanoseconds) {
  profiles_left_ -= nanoseconds > kLong ? 2 : 1;
  alone_ = std::min(alone_, nanoseconds);
}

Pace::Way Pace::next() const {
  if (profiles_left_ > 0) return Way::profile;
  const bool shares = stage_ == Stage::warm_up || stage_ == Stage::time_shared || stage_ == Stage::shared;
  return shares ? Way::shared : Way::alone;
}

bool Pace::timed() const { return stage_ == Stage::time_alone || stage_ == Stage::time_shared; }

void Pace::enter(Stage stage) {
  stage_ = stage;
  best_ = std::numeric_limits<double>::infinity();
  lost_ = 0;
  allowed_ = kTolerance;
  switch (stage) {
    case Stage::time_alone:
    case Stage::time_shared: left_ = kTimed; break;
    case Stage::warm_up: left_ = runs(kWarmUp, alone_); break;
    case Stage::alone: left_ = runs(rest_, alone_); break;
    case Stage::shared:
      left_ = std::max(runs(kKept, shared_), kKeptRuns);
      break;
    case Stage::given_up: break;
  }
}

void Pace::leave_team() {
  round_ = 0;
  rest_ = std::clamp(rest_ * 4, kFirstRest, kLongestRest);
  enter(Stage::alone);
}

void Pace::done(double nanoseconds, double lost) {
  if (stage_ == Stage::given_up) return;
  if (timed()) best_ = std::min(best_, nanoseconds);
  lost_ += lost;
  if (stage_ == Stage::shared || stage_ == Stage::warm_up) allowed_ += kShareLost * (stage_ == Stage::shared ? shared_ : alone_);
  if (lost_ > allowed_ && next() == Way::shared) return leave_team();
  if (--left_ > 0) return;
  switch (stage_) {
    case Stage::time_alone:
      alone_ = best_;
      return enter(Stage::warm_up);
    case Stage::warm_up: return enter(Stage::time_shared);
    case Stage::time_shared:
      shared_ = best_;
      if (shared_ > kGain * alone_) {
        const bool hopeless = ++round_ >= kPatience && shared_ > kHopeless * alone_;
        return round_ < kRounds && !hopeless ? enter(Stage::warm_up) : leave_team();
      }
      round_ = 0;
      rest_ = 0;
      return enter(Stage::shared);
    case Stage::alone:
    case Stage::shared: return enter(Stage::time_alone);
    case Stage::given_up: return;
  }
}

}  // namespace rosenblatt
