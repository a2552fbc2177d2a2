#include "runner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "split.h"

namespace rosenblatt {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostBindings = 8;
constexpr double kPromise = 0.9;     // of the time alone that a schedule must promise to be tried
constexpr double kDispatch = 200;    // nanoseconds to begin and end a shared run

std::atomic<Sharing> sharing{Sharing::measured};

double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// What looking at the clock costs.
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
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(64, rounded)));
  if (!data_) throw std::bad_alloc();
  std::memset(data_.get(), 0, rounded);
}

void Buffer::Free::operator()(std::byte* p) const { std::free(p); }

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
  if (bindings_.size() >= kMostBindings) bindings_.clear();
  Binding fresh;
  fresh.bound = program_->bind(persistent, memory_.data(), scratch.of(0), n_rows);
  fresh.costs.assign(fresh.bound.calls.size(), std::numeric_limits<double>::infinity());
  bindings_.push_back(std::move(fresh));
  return bindings_.back();
}

// What a batch gives besides its rows: slots, random key, and where the rows of sparse inputs are.
void Runner::fill_numbers(std::span<const Source> sources, const Batch& batch) {
  const Roles& roles = program_->roles();
  const auto place = [&](std::int32_t value) { return operand(value, nullptr, batch.n_rows); };
  for (std::size_t i = 0; i < roles.inputs.size(); ++i) {
    if (sources[i].sparse) gather(place(roles.inputs[i]), sources[i], batch.rows);
  }
  for (std::size_t i = 0; i < roles.slots.size(); ++i) write_scalar(place(roles.slots[i]), batch.slots[i]);
  if (roles.inverse_weight >= 0) write_scalar(place(roles.inverse_weight), batch.inverse_weight);
  if (roles.key >= 0) {
    const std::uint32_t key[4] = {static_cast<std::uint32_t>(batch.seed), static_cast<std::uint32_t>(batch.seed >> 32),
                                  static_cast<std::uint32_t>(batch.step), static_cast<std::uint32_t>(batch.first_row)};
    std::memcpy(place(roles.key).data, key, sizeof key);
  }
}

void Runner::fill_rows(std::span<const Source> sources, const Batch& batch, int part, int n_parts) {
  const std::vector<std::int32_t>& inputs = program_->roles().inputs;
  const Range rows = cut(batch.n_rows, part, n_parts);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (sources[i].sparse || rows.first == rows.last) continue;
    Operand to = operand(inputs[i], nullptr, batch.n_rows);
    take_rows(to, rows);
    gather(to, sources[i], batch.rows + rows.first);
  }
}

void Runner::run(std::byte* persistent, std::span<const Source> sources, const Batch& batch, Lease& lease,
                 Scratch& scratch) {
  Binding& own = binding(persistent, batch.n_rows, scratch);
  fill_numbers(sources, batch);
  if (Team::size() < 2) return run_alone(own, sources, batch);
  const bool always = sharing.load(std::memory_order_relaxed) == Sharing::always;
  if (!always && own.pace.next() == Pace::Way::profile) {
    fill_rows(sources, batch, 0, 1);
    return profile(own);
  }
  if (own.n_threads != Team::size()) plan(own, Team::size(), scratch);
  const bool timed = own.pace.timed();
  const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
  std::int64_t lost = 0;
  Team* const team = own.schedule && (always || own.pace.next() == Pace::Way::shared) ? lease.team() : nullptr;
  if (team != nullptr && own.schedule->n_parts() <= lease.n_threads()) {
    lost = -team->lost();
    run_shared(own, sources, batch, *team);
    lost += team->lost();
  } else {
    run_alone(own, sources, batch);
  }
  own.pace.done(timed ? nanoseconds_since(start) : 0, static_cast<double>(lost));
}

void Runner::run_alone(const Binding& binding, std::span<const Source> sources, const Batch& batch) {
  fill_rows(sources, batch, 0, 1);
  binding.bound.run();
}

void Runner::run_shared(const Binding& binding, std::span<const Source> sources, const Batch& batch, Team& team) {
  struct Context {
    Runner& runner;
    const Schedule& schedule;
    std::span<const Source> sources;
    const Batch& batch;
    Team& team;
  } const context{*this, *binding.schedule, sources, batch, team};
  context.schedule.run_prologue();
  team.run(context.schedule.n_parts(), [](const void* given, int part) {
    const Context& c = *static_cast<const Context*>(given);
    c.runner.fill_rows(c.sources, c.batch, part, c.schedule.n_parts());
    c.schedule.run(part, c.team);
  }, &context);
}

void Runner::profile(Binding& binding) const {
  const Bound& bound = binding.bound;
  double sum = 0;
  for (std::size_t i = 0; i < bound.calls.size(); ++i) {
    const auto start = Clock::now();
    bound.functions[i](bound.calls[i]);
    const double cost = std::max(0.0, nanoseconds_since(start) - clock_cost());
    binding.costs[i] = std::min(binding.costs[i], cost);
    sum += cost;
  }
  binding.pace.profiled(sum);
}

// The schedule for 2, 4, 8 ... or all threads that promises most, if one promises enough.
void Runner::plan(Binding& binding, int n_threads, Scratch& scratch) const {
  binding.n_threads = n_threads;
  binding.schedule.reset();
  const bool always = sharing.load() == Sharing::always;
  std::vector<double> costs = binding.costs;
  if (always) std::ranges::fill(costs, 1000.0);
  double alone = 0;
  for (const double cost : costs) alone += cost;
  std::vector<Operand> inputs;
  for (const std::int32_t input : program_->roles().inputs) inputs.push_back(operand(input, nullptr, binding.bound.n_rows));
  std::vector<void*> scratches{scratch.of(0)};
  double best = always ? std::numeric_limits<double>::infinity() : kPromise * alone - kDispatch;
  for (int n = always ? n_threads : 2; n <= n_threads; n = n < n_threads ? std::min(2 * n, n_threads) : n + 1) {
    while (static_cast<int>(scratches.size()) < n) scratches.push_back(scratch.of(static_cast<int>(scratches.size())));
    Schedule schedule(binding.bound, costs, inputs, scratches);
    if (schedule.nanoseconds() >= best) continue;
    best = schedule.nanoseconds();
    binding.schedule.emplace(std::move(schedule));
  }
  if (binding.schedule) {
    binding.pace.start();
  } else {
    binding.pace.give_up();
  }
}

}  // namespace rosenblatt
