// Kernels that change the persistent memory: optimizer steps, accumulation, assignment.
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "split.h"
#include "vector_math.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

template <class T>
inline Vec<T> scalar_of(const Operand& x) {
  return broadcast(*data_of<const T>(x));
}

// In all updates, grad stands for grad + decay param.
//
// velocity = momentum velocity - rate grad; param += velocity, or with Nesterov's look-ahead one step further.
template <class T>
void sgd_update_kernel(const Call& call) {
  T *param = data_of<T>(call.inputs[0]), *velocity = data_of<T>(call.inputs[1]);
  const T* grad = data_of<const T>(call.inputs[2]);
  const Vec<T> rate = scalar_of<T>(call.inputs[3]), momentum = scalar_of<T>(call.inputs[4]);
  const Vec<T> decay = scalar_of<T>(call.inputs[5]);
  const bool nesterov = call.attrs[0] != 0;
  for_vectors<T>(call.inputs[0].size(), [=](std::int64_t i, auto size) {
    const Vec<T> w = size.get(param + i);
    const Vec<T> step = rate * (size.get(grad + i) + decay * w);
    Vec<T> v = momentum * size.get(velocity + i) - step;
    size.put(velocity + i, v);
    if (nesterov) v = momentum * v - step;
    size.put(param + i, w + v);
  });
}

// Kingma and Ba (2015), with the bias corrections in step_size and denominator_scale. gradient_step scales the gradient
// itself, which Nadam (Dozat 2016) adds to the step.
template <class T>
void adam_update_kernel(const Call& call) {
  T* param = data_of<T>(call.inputs[0]);
  T *first = data_of<T>(call.inputs[1]), *second = data_of<T>(call.inputs[2]);
  const T* grad = data_of<const T>(call.inputs[3]);
  const Vec<T> step_size = scalar_of<T>(call.inputs[4]), gradient_step = scalar_of<T>(call.inputs[5]);
  const Vec<T> denominator_scale = scalar_of<T>(call.inputs[6]), decay = scalar_of<T>(call.inputs[7]);
  const double beta_1 = attr_double(call.attrs[0]), beta_2 = attr_double(call.attrs[1]);
  const T b1 = static_cast<T>(beta_1), rest_1 = static_cast<T>(1 - beta_1);
  const T b2 = static_cast<T>(beta_2), rest_2 = static_cast<T>(1 - beta_2);
  const T epsilon = static_cast<T>(attr_double(call.attrs[2]));
  for_vectors<T>(call.inputs[0].size(), [=](std::int64_t i, auto size) {
    const Vec<T> w = size.get(param + i);
    const Vec<T> g = size.get(grad + i) + decay * w;
    const Vec<T> m = b1 * size.get(first + i) + rest_1 * g;
    const Vec<T> v = b2 * size.get(second + i) + rest_2 * (g * g);
    size.put(first + i, m);
    size.put(second + i, v);
    const Vec<T> denominator = sqrt<T>(v) * denominator_scale + epsilon;
    size.put(param + i, w - (step_size * m + gradient_step * g) / denominator);
  });
}

// RMSProp and AdaGrad: square = keep square + gain grad^2; velocity = momentum velocity + grad / (sqrt(square) +
// epsilon).
template <class T>
void rms_update_kernel(const Call& call) {
  T* param = data_of<T>(call.inputs[0]);
  T *square = data_of<T>(call.inputs[1]), *velocity = data_of<T>(call.inputs[2]);
  const T* grad = data_of<const T>(call.inputs[3]);
  const Vec<T> rate = scalar_of<T>(call.inputs[4]), momentum = scalar_of<T>(call.inputs[5]);
  const Vec<T> decay = scalar_of<T>(call.inputs[6]);
  const T keep = static_cast<T>(attr_double(call.attrs[0])), gain = static_cast<T>(attr_double(call.attrs[1]));
  const T epsilon = static_cast<T>(attr_double(call.attrs[2]));
  for_vectors<T>(call.inputs[0].size(), [=](std::int64_t i, auto size) {
    const Vec<T> w = size.get(param + i);
    const Vec<T> g = size.get(grad + i) + decay * w;
    const Vec<T> s = keep * size.get(square + i) + gain * (g * g);
    const Vec<T> v = momentum * size.get(velocity + i) + g / (sqrt<T>(s) + epsilon);
    size.put(square + i, s);
    size.put(velocity + i, v);
    size.put(param + i, w - rate * v);
  });
}

template <class T>
void blend_kernel(const Call& call) {
  T* target = data_of<T>(call.inputs[0]);
  const T* value = data_of<const T>(call.inputs[1]);
  const Vec<T> keep = scalar_of<T>(call.inputs[2]), gain = scalar_of<T>(call.inputs[3]);
  for_vectors<T>(call.inputs[0].size(), [=](std::int64_t i, auto size) {
    size.put(target + i, keep * size.get(target + i) + gain * size.get(value + i));
  });
}

template <class T>
void accumulate_kernel(const Call& call) {
  T* target = data_of<T>(call.inputs[0]);
  const T* value = data_of<const T>(call.inputs[1]);
  for_vectors<T>(call.inputs[0].size(),
                 [=](std::int64_t i, auto size) { size.put(target + i, size.get(target + i) + size.get(value + i)); });
}

template <class T>
void assign_kernel(const Call& call) {
  T* target = data_of<T>(call.inputs[0]);
  const T* value = data_of<const T>(call.inputs[1]);
  for_vectors<T>(call.inputs[0].size(), [=](std::int64_t i, auto size) { size.put(target + i, size.get(value + i)); });
}

// kArrays operands of the same shape, then kScalars scalars, and no output.
template <int kArrays, int kScalars>
const char* check_update(const Call& call) {
  if (call.output.rank != -1) return "an update has no output";
  for (int i = 0; i < kArrays + kScalars; ++i) {
    if (!is_dense_float(call.inputs[i]) || call.inputs[i].dtype != call.inputs[0].dtype) return kWrongType;
  }
  for (int i = 1; i < kArrays; ++i) {
    if (!same_shape(call.inputs[i], call.inputs[0])) return kWrongShape;
  }
  for (int i = kArrays; i < kArrays + kScalars; ++i) {
    if (call.inputs[i].rank != 0) return "a hyperparameter of an optimizer must be a scalar";
  }
  return nullptr;
}

constexpr Kernel rows[] = {
    {"sgd_update", 6, 1, check_update<3, 3>, sgd_update_kernel<float>, sgd_update_kernel<double>, split_update, 2},
    {"adam_update", 8, 3, check_update<4, 4>, adam_update_kernel<float>, adam_update_kernel<double>, split_update, 3},
    {"rms_update", 7, 3, check_update<4, 3>, rms_update_kernel<float>, rms_update_kernel<double>, split_update, 3},
    {"blend", 4, 0, check_update<2, 2>, blend_kernel<float>, blend_kernel<double>, split_update, 1},
    {"accumulate", 2, 0, check_update<2, 0>, accumulate_kernel<float>, accumulate_kernel<double>, split_update, 1},
    {"assign", 2, 0, check_update<2, 0>, assign_kernel<float>, assign_kernel<double>, split_update, 1},
};

}  // namespace

const KernelTable update_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
