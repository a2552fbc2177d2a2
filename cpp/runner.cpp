#include "runner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

namespace rosenblatt {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxBindings = 8;
constexpr double kWorthTrying = 0.9;  // times the serial time: the longest predicted run that is worth trying
constexpr double kDispatch = 200;     // nanoseconds to start and finish a parallel run

constexpr std::align_val_t kAlignment{64};  // bytes: a line of the cache, and the widest vector

std::atomic<Sharing> sharing{Sharing::measured};

double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// The cost of reading the clock, in nanoseconds.
double clock_cost() {
  static const double cost = [] {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 100; ++i) least = std::min(least, nanoseconds_since(Clock::now()));
    return least;
  }();
  return cost;
}

void write_scalar(const Operand& to, double number) {
  if (to.dtype == DType::float32) {
    *static_cast<float*>(to.data) = static_cast<float>(number);
  } else {
    *static_cast<double*>(to.data) = number;
  }
}

}  // namespace

Buffer::Buffer(std::size_t bytes) {
  const std::size_t rounded = (bytes + 64) / 64 * 64;
  data_.reset(static_cast<std::byte*>(::operator new(rounded, kAlignment)));
  std::memset(data_.get(), 0, rounded);
}

void Buffer::Free::operator()(std::byte* p) const { ::operator delete(p, kAlignment); }

void* Scratch::of(int part) {
  while (buffers_.size() <= static_cast<std::size_t>(part)) buffers_.emplace_back(kScratchBytes);
  return buffers_[static_cast<std::size_t>(part)].data();
}

Runner::Runner(std::shared_ptr<const Program> program)
    : program_(std::move(program)), memory_(static_cast<std::size_t>(program_->workspace_bytes())) {}

void Runner::set_sharing(Sharing how) { sharing.store(how); }

Operand Runner::operand(std::int32_t value, std::byte* persistent, std::int64_t n_rows) const {
  return program_->operand(value, persistent, memory_.data(), n_rows);
}

Runner::Binding& Runner::binding(std::byte* persistent, std::int64_t n_rows, Scratch& scratch) {
  if (bound_to_ != persistent) bindings_.clear();
  bound_to_ = persistent;
  for (Binding& candidate : bindings_) {
    if (candidate.bound.n_rows == n_rows) return candidate;
  }
  if (bindings_.size() >= kMaxBindings) bindings_.clear();
  bindings_.push_back(bind(persistent, n_rows, scratch));
  return bindings_.back();
}

Runner::Binding Runner::bind(std::byte* persistent, std::int64_t n_rows, Scratch& scratch) const {
  const Roles& roles = program_->roles();
  Binding fresh;
  fresh.bound = program_->bind(persistent, memory_.data(), scratch.of(0), n_rows);
  fresh.costs.assign(fresh.bound.calls.size(), std::numeric_limits<double>::infinity());
  for (const std::int32_t input : roles.inputs) fresh.inputs.push_back(operand(input, persistent, n_rows));
  for (const std::int32_t slot : roles.slots) fresh.slots.push_back(operand(slot, persistent, n_rows));
  if (roles.inverse_weight >= 0) fresh.inverse_weight = operand(roles.inverse_weight, persistent, n_rows);
  if (roles.key >= 0) fresh.key = operand(roles.key, persistent, n_rows);
  return fresh;
}

// Fills everything but the rows of dense inputs: the slots, the random key, and the pointers of sparse inputs.
void Runner::fill_scalars(const Binding& binding, std::span<const Source> sources, const Batch& batch) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].sparse) gather(binding.inputs[i], sources[i], batch.rows);
  }
  for (std::size_t i = 0; i < binding.slots.size(); ++i) write_scalar(binding.slots[i], batch.slots[i]);
  if (binding.inverse_weight.data != nullptr) write_scalar(binding.inverse_weight, batch.inverse_weight);
  if (binding.key.data != nullptr) {
    const std::uint32_t key[4] = {static_cast<std::uint32_t>(batch.seed), static_cast<std::uint32_t>(batch.seed >> 32),
                                  static_cast<std::uint32_t>(batch.step), static_cast<std::uint32_t>(batch.first_row)};
    std::memcpy(binding.key.data, key, sizeof key);
  }
}

void Runner::fill_rows(const Binding& binding, std::span<const Source> sources, const Batch& batch, Range rows) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].sparse) continue;
    Operand to = binding.inputs[i];
    take_rows(to, rows);
    gather(to, sources[i], batch.rows + rows.first);
  }
}

void Runner::run(std::byte* persistent, std::span<const Source> sources, const Batch& batch, TeamLock& team_lock,
                 Scratch& scratch) {
  Binding& own = binding(persistent, batch.n_rows, scratch);
  fill_scalars(own, sources, batch);
  if (Team::size() < 2) {
    run_serial(own, sources, batch);
  } else {
    run_measured(own, sources, batch, team_lock, scratch);
  }
}

void Runner::run_measured(Binding& own, std::span<const Source> sources, const Batch& batch, TeamLock& team_lock,
                          Scratch& scratch) {
  const bool always = sharing.load(std::memory_order_relaxed) == Sharing::always;
  if (!always && own.tuner.mode() == ParallelTuner::Mode::profile) {
    fill_rows(own, sources, batch, {0, batch.n_rows});
    return profile(own);
  }
  if (own.n_threads != Team::size()) plan(own, Team::size(), scratch);
  const bool timed = own.tuner.needs_time();
  const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
  std::int64_t waited = 0;
  Team* const team =
      own.schedule && (always || own.tuner.mode() == ParallelTuner::Mode::parallel) ? team_lock.team() : nullptr;
  if (team != nullptr && own.schedule->n_parts() <= team_lock.n_threads()) {
    waited = -team->wait_time();
    run_parallel(own, sources, batch, *team);
    waited += team->wait_time();
  } else {
    run_serial(own, sources, batch);
    if (own.tuner.mode() == ParallelTuner::Mode::parallel) return;  // the team was not available: nothing to record
  }
  own.tuner.record_run(timed ? nanoseconds_since(start) : 0, static_cast<double>(waited));
}

void Runner::run_serial(const Binding& binding, std::span<const Source> sources, const Batch& batch) {
  fill_rows(binding, sources, batch, {0, batch.n_rows});
  binding.bound.run();
}

void Runner::run_parallel(const Binding& binding, std::span<const Source> sources, const Batch& batch, Team& team) {
  struct Context {
    const Binding& binding;
    std::span<const Source> sources;
    const Batch& batch;
    Team& team;
  } const context{binding, sources, batch, team};
  binding.schedule->run_prologue();
  team.run(binding.schedule->n_parts(), [](const void* given, int part) {
    const Context& c = *static_cast<const Context*>(given);
    const Schedule& schedule = *c.binding.schedule;
    fill_rows(c.binding, c.sources, c.batch, part_range(c.batch.n_rows, part, schedule.n_parts()));
    schedule.run(part, c.team);
  }, &context);
}

void Runner::profile(Binding& binding) {
  const Bound& bound = binding.bound;
  double sum = 0;
  for (std::size_t i = 0; i < bound.calls.size(); ++i) {
    const auto start = Clock::now();
    bound.functions[i](bound.calls[i]);
    const double cost = std::max(0.0, nanoseconds_since(start) - clock_cost());
    binding.costs[i] = std::min(binding.costs[i], cost);
    sum += cost;
  }
  binding.tuner.record_profile(sum);
}

// Makes schedules for 2, 4, 8, ... and all threads. Keeps the one with the shortest predicted time, if it is worth
// trying.
void Runner::plan(Binding& binding, int n_threads, Scratch& scratch) {
  binding.n_threads = n_threads;
  binding.schedule.reset();
  const bool always = sharing.load() == Sharing::always;
  std::vector<double> costs = binding.costs;
  for (double& cost : costs) cost = always || !std::isfinite(cost) ? 1000.0 : cost;
  double serial = 0;
  for (const double cost : costs) serial += cost;
  std::vector<void*> scratches{scratch.of(0)};
  double best = always ? std::numeric_limits<double>::infinity() : kWorthTrying * serial - kDispatch;
  for (int n = always ? n_threads : 2; n <= n_threads; n = n < n_threads ? std::min(2 * n, n_threads) : n + 1) {
    while (static_cast<int>(scratches.size()) < n) scratches.push_back(scratch.of(static_cast<int>(scratches.size())));
    Schedule schedule(binding.bound, costs, binding.inputs, scratches);
    if (schedule.nanoseconds() >= best) continue;
    best = schedule.nanoseconds();
    binding.schedule.emplace(std::move(schedule));
  }
  if (binding.schedule) {
    binding.tuner.start();
  } else {
    binding.tuner.disable();
  }
}

}  // namespace rosenblatt
