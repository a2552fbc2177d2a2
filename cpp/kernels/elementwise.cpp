// Elementwise kernels: functions of one operand, broadcast arithmetic and comparisons, and derivatives of activations.
#include "kernels/lanes.h"
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "vector_math.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

// A comparison as 1 or 0 in each lane.
template <class T, class Mask>
inline Vec<T> indicator(Mask mask) {
  return mask ? broadcast(T(1)) : Vec<T>{};
}

// clang-format off: a function of one line stays on one line
struct Neg {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return -x; }
};
struct Abs {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return absolute<T>(x); }
};
struct Sign {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    const Vec<T> not_positive = x < T(0) ? broadcast(T(-1)) : x;  // keeps 0 and NaN
    return x > T(0) ? broadcast(T(1)) : not_positive;
  }
};
struct Exp {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return exp<T>(x); }
};
struct Log {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return log<T>(x); }
};
struct Log1p {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return log1p<T>(x); }
};
struct Expm1 {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return expm1<T>(x); }
};
struct Sqrt {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return sqrt<T>(x); }
};
struct Square {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return x * x; }
};
struct Tanh {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return tanh<T>(x); }
};
struct Logistic {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return logistic<T>(x); }
};
struct Softplus {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return softplus<T>(x); }
};
struct Erf {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return erf<T>(x); }
};
// With n = e^x (e^x + 2), tanh(softplus(x)) = n / (n + 2). It rounds to 1 long before n overflows.
struct Mish {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    const Vec<T> e = exp<T>(at_most<T>(x, T(40))), n = e * (e + T(2));
    return x * (n / (n + T(2)));
  }
};
struct MishSlope {  // w + x logistic(x) (1 - w^2), w = tanh(softplus(x))
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    const Vec<T> near = at_most<T>(x, T(20)), e = exp<T>(near), n = e * (e + T(2)), m = T(1) / (n + T(2));
    return n * m + near * (e / (e + T(1))) * (T(4) * (n + T(1)) * m * m);
  }
};
struct Relu {
  template <class T>
  static Vec<T> apply(Vec<T> x) { return x < T(0) ? Vec<T>{} : x; }  // keeps NaN
};
// sin or cos. The few numbers that are too large for the three-part reduction are left to libm.
template <class T, class Libm>
inline Vec<T> sine_or_libm(Vec<T> x, int quarters, Libm libm) {
  Vec<T> y = sine<T>(x, static_cast<typename FloatTraits<T>::Bits>(quarters));
  const Vec<T> outside = absolute<T>(x) <= FloatTraits<T>::circle_high ? Vec<T>{} : broadcast(T(1));
  if (max_of_lanes<T>(outside)[0] == T(0)) return y;
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    if (outside[lane] != T(0)) y[lane] = libm(x[lane]);
  }
  return y;
}
struct Sin {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return sine_or_libm<T>(x, 0, [](T v) { return sizeof(T) == 4 ? T(__builtin_sinf(float(v))) : T(__builtin_sin(v)); });
  }
};
struct Cos {
  template <class T>
  static Vec<T> apply(Vec<T> x) {
    return sine_or_libm<T>(x, 1, [](T v) { return sizeof(T) == 4 ? T(__builtin_cosf(float(v))) : T(__builtin_cos(v)); });
  }
};

struct Add {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return x + y; }
};
struct Sub {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return x - y; }
};
struct Mul {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return x * y; }
};
struct Div {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return x / y; }
};
struct Maximum {  // propagates a NaN in either operand
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) {
    const Vec<T> larger = x >= y ? x : y;
    return x == x ? larger : x;
  }
};
struct Minimum {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) {
    const Vec<T> smaller = x <= y ? x : y;
    return x == x ? smaller : x;
  }
};
struct Power {
  static float scalar(float x, float y) { return __builtin_powf(x, y); }
  static double scalar(double x, double y) { return __builtin_pow(x, y); }
};
struct Equal {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return indicator<T>(x == y); }
};
struct Less {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return indicator<T>(x < y); }
};
struct LessEqual {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return indicator<T>(x <= y); }
};
struct Greater {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return indicator<T>(x > y); }
};
struct GreaterEqual {
  template <class T>
  static Vec<T> apply(Vec<T> x, Vec<T> y) { return indicator<T>(x >= y); }
};
struct Where {
  template <class T>
  static Vec<T> apply(Vec<T> condition, Vec<T> x, Vec<T> y) { return condition != T(0) ? x : y; }
};

// The cotangent of an activation's input, from the cotangent of its output and the output itself.
struct ReluBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> out) { return out > T(0) ? g : Vec<T>{}; }
};
struct TanhBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> out) { return g * fma<T>(-out, out, broadcast(T(1))); }
};
struct LogisticBackward {
  template <class T>
  static Vec<T> apply(Vec<T> g, Vec<T> out) { return g * out * (T(1) - out); }
};
// clang-format on

constexpr Kernel rows[] = {
    same_shape_row<Neg, 1>("neg"),
    same_shape_row<Abs, 1>("abs"),
    same_shape_row<Sign, 1>("sign"),
    same_shape_row<Exp, 1>("exp"),
    same_shape_row<Log, 1>("log"),
    same_shape_row<Log1p, 1>("log1p"),
    same_shape_row<Expm1, 1>("expm1"),
    same_shape_row<Sqrt, 1>("sqrt"),
    same_shape_row<Square, 1>("square"),
    same_shape_row<Tanh, 1>("tanh"),
    same_shape_row<Logistic, 1>("logistic"),
    same_shape_row<Softplus, 1>("softplus"),
    same_shape_row<Erf, 1>("erf"),
    same_shape_row<Relu, 1>("relu"),
    same_shape_row<Mish, 1>("mish"),
    same_shape_row<MishSlope, 1>("mish_slope"),
    same_shape_row<Sin, 1>("sin"),
    same_shape_row<Cos, 1>("cos"),
    broadcast_row<Add, 2>("add"),
    broadcast_row<Sub, 2>("sub"),
    broadcast_row<Mul, 2>("mul"),
    broadcast_row<Div, 2>("div"),
    broadcast_row<Maximum, 2>("maximum"),
    broadcast_row<Minimum, 2>("minimum"),
    broadcast_row<Power, 2>("power"),
    broadcast_row<Equal, 2>("equal"),
    broadcast_row<Less, 2>("less"),
    broadcast_row<LessEqual, 2>("less_equal"),
    broadcast_row<Greater, 2>("greater"),
    broadcast_row<GreaterEqual, 2>("greater_equal"),
    same_shape_row<ReluBackward, 2>("relu_backward"),
    same_shape_row<TanhBackward, 2>("tanh_backward"),
    same_shape_row<LogisticBackward, 2>("logistic_backward"),
    broadcast_row<Where, 3>("where"),
};

}  // namespace

const KernelTable elementwise_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
