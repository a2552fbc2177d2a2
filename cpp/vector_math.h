// Elementary functions of whole vectors: exp, expm1, log, log1p, tanh, logistic, softplus, erf, sqrt, sine and cosine.
//
// Takes any floats, including denormal, infinite and NaN. Returns what libm returns, to within 2 units in the last
// place in float32 and 4 in float64; NaN stays NaN. Never uses tables, branches or state: the result of a lane depends
// neither on its position nor on its neighbours. The polynomials are minimax fits (Remez) on the reduced ranges.
#pragma once

#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {

template <class T>
struct FloatTraits;

template <>
struct FloatTraits<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr Bits bias = 127, one = 0x3f800000u, sqrt_half = 0x3f3504f3u;
  static constexpr float infinity = __builtin_huge_valf(), smallest_normal = 0x1p-126f;
  static constexpr float round_shift = 0x1.8p23f;  // adding it rounds to an integer, which is then in the low bits
  static constexpr float log2_e = 0x1.715476p+0f, ln2_high = 0x1.62ep-1f, ln2_low = 0x1.0bfbe8p-15f;
  static constexpr float exp_low = -104.5f, exp_high = 89.0f;    // beyond: 0 and infinity
  static constexpr float expm1_low = -18.0f, tanh_high = 9.25f;  // beyond: -1 and 1
  static constexpr float exp_terms[] = {0.5f,          0x1.555556p-3f,  0x1.5554aep-5f,
                                        0x1.11109p-7f, 0x1.6d74e4p-10f, 0x1.a1a21ap-13f};
  static constexpr float log_terms[] = {0x1.555554p-1f, 0x1.999a7ap-2f, 0x1.2438f6p-2f, 0x1.e2f554p-3f};
  static constexpr float erf_high = 4.0f;  // beyond: 1
  // In x^2: erf(x) / x - 1 for |x| <= 1. In |x| - 1: log(erfc(|x|)) from there to erf_high.
  static constexpr float erf_terms[] = {0x1.06eba8p-3f, -0x1.81273ep-2f,  0x1.ce2cf8p-4f, -0x1.b7f90cp-6f,
                                        0x1.5405bp-8f,  -0x1.a3f6f6p-11f, 0x1.496a16p-14f};
  static constexpr float log_erfc_terms[] = {-0x1.d97fcp+0f, -0x1.51c9aap+1f,  -0x1.afad1cp-1f, -0x1.53ff24p-5f,
                                             0x1.44411cp-7f, -0x1.df8f96p-10f, 0x1.86dcf4p-13f};
  // In f^2, |f| <= 1/8: sin(2 pi f) / f and cos(2 pi f).
  static constexpr float sine_terms[] = {0x1.921fb6p+2f, -0x1.4abbbap+5f, 0x1.465e92p+6f, -0x1.2d9302p+6f};
  static constexpr float cosine_terms[] = {1.0f, -0x1.3bd3ccp+4f, 0x1.03c1dap+6f, -0x1.55c4eap+6f, 0x1.d99f54p+5f};
  // pi / 2 as a sum of three parts. The first two are exact when multiplied by the quarter turns below circle_high.
  static constexpr float quarter_turn[] = {0x1.921ep+0f, 0x1.b544p-16f, 0x1.0b4612p-34f};
  static constexpr float quarters_per_radian = 0x1.45f306p-1f, circle_high = 64.0f;
  // In r^2, |r| <= pi / 4: (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4.
  static constexpr float arc_sine_terms[] = {-0x1.555552p-3f, 0x1.110c28p-7f, -0x1.9ac98ep-13f};
  static constexpr float arc_cosine_terms[] = {0x1.555554p-5f, -0x1.6c12d2p-10f, 0x1.9bd88p-16f};
};

template <>
struct FloatTraits<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr Bits bias = 1023, one = 0x3ff0000000000000u, sqrt_half = 0x3fe6a09e667f3bcdu;
  static constexpr double infinity = __builtin_huge_val(), smallest_normal = 0x1p-1022;
  static constexpr double round_shift = 0x1.8p52;
  static constexpr double log2_e = 0x1.71547652b82fep+0, ln2_high = 0x1.62e42fefp-1, ln2_low = 0x1.473de6af278edp-34;
  static constexpr double exp_low = -746.0, exp_high = 710.0;
  static constexpr double expm1_low = -38.0, tanh_high = 19.5;
  static constexpr double exp_terms[] = {0.5,
                                         0x1.5555555555559p-3,
                                         0x1.555555555555ap-5,
                                         0x1.111111110f690p-7,
                                         0x1.6c16c16c143e2p-10,
                                         0x1.a01a01aff474cp-13,
                                         0x1.a01a01b0d7379p-16,
                                         0x1.71ddf825e03f4p-19,
                                         0x1.27e4c55f875f0p-22,
                                         0x1.af5f19f2d5bddp-26,
                                         0x1.1f95c3ae50695p-29};
  static constexpr double log_terms[] = {0x1.555555555558fp-1, 0x1.999999998087cp-2, 0x1.2492494182b4dp-2,
                                         0x1.c71c524b884f5p-3, 0x1.746634faa59c3p-3, 0x1.39a26fbdd43c9p-3,
                                         0x1.2f00b9c6f4d9cp-3};
  static constexpr double erf_high = 6.0;
  static constexpr double erf_terms[] = {0x1.06eba8214db68p-3,   -0x1.812746b0379bdp-2,  0x1.ce2f21a040d16p-4,
                                         -0x1.b82ce311fa942p-6,  0x1.565bccf92b39bp-8,   -0x1.c02db03dd8d80p-11,
                                         0x1.f9a2baa92c48dp-14,  -0x1.f4ca4d722820bp-17, 0x1.b97fd3f7bbfdap-20,
                                         -0x1.5c0727af7aebap-23, 0x1.d71b14661f552p-27,  -0x1.abae592d66183p-31};
  static constexpr double log_erfc_terms[] = {
      -0x1.d97fbf27aa2a1p+0,  -0x1.51c9b0006c23dp+1,  -0x1.afabc11a28f77p-1,  -0x1.5477f09ca1648p-5,
      0x1.48c9d40a0952dp-7,   -0x1.033f6948ca723p-9,  0x1.f1b49eed4015ap-13,  0x1.b8c1fee870301p-16,
      -0x1.c764534433afdp-16, 0x1.4185a299d561fp-17,  -0x1.0fe0fc9978650p-19, 0x1.d98084c164360p-24,
      0x1.0412fd4cf004dp-23,  -0x1.1695efe66495ap-24, 0x1.59dec7020744cp-26,  -0x1.301d1a9f44742p-28,
      0x1.812a60835eba7p-31,  -0x1.50012a1d9bedfp-34, 0x1.69b270752fd1cp-38,  -0x1.69867af5c8f91p-43};
  static constexpr double sine_terms[] = {0x1.921fb54442d18p+2,  -0x1.4abbce625be41p+5, 0x1.466bc67758700p+6,
                                          -0x1.32d2cce2d538ep+6, 0x1.50782fca3b22ap+5,  -0x1.e30063a1fae0ep+3,
                                          0x1.e3eed64f39fa7p+1};
  static constexpr double cosine_terms[] = {1.0,
                                            -0x1.3bd3cc9be45dep+4,
                                            0x1.03c1f081b5aaap+6,
                                            -0x1.55d3c7e3c8d5cp+6,
                                            0x1.e1f5068303f02p+5,
                                            -0x1.a6d1ec3d46288p+4,
                                            0x1.f9cc15d398cd1p+2,
                                            -0x1.b2586b259039fp+0};
  static constexpr double quarter_turn[] = {0x1.921fb544428p+0, 0x1.4611a62633p-42, 0x1.45c06e0e68948p-86};
  static constexpr double quarters_per_radian = 0x1.45f306dc9c883p-1, circle_high = 256.0;
  static constexpr double arc_sine_terms[] = {-0x1.5555555555555p-3, 0x1.1111111110bb2p-7,   -0x1.a01a019e83816p-13,
                                              0x1.71de379654304p-19, -0x1.ae600aca92c64p-26, 0x1.5e0b05bff20f2p-33};
  static constexpr double arc_cosine_terms[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16967p-10, 0x1.a01a019f4e9b4p-16,
                                                -0x1.27e4fa17bf139p-22, 0x1.1eeb68cd22f56p-29,  -0x1.907d8f29fe831p-37};
};

template <class T>
using BitsVec = Vec<typename FloatTraits<T>::Bits>;

template <class T>
static inline BitsVec<T> to_bits(Vec<T> x) {
  return reinterpret_cast<BitsVec<T>>(x);
}
template <class T>
static inline Vec<T> from_bits(BitsVec<T> x) {
  return reinterpret_cast<Vec<T>>(x);
}

template <class T>
inline constexpr auto kSignBit = typename FloatTraits<T>::Bits{1} << (8 * sizeof(T) - 1);

template <class T>
static inline Vec<T> absolute(Vec<T> x) {
  return from_bits<T>(to_bits<T>(x) & ~kSignBit<T>);
}
template <class T>
static inline Vec<T> with_sign_of(Vec<T> magnitude, Vec<T> sign) {
  return from_bits<T>(to_bits<T>(magnitude) | (to_bits<T>(sign) & kSignBit<T>));
}

// min(x, limit) and max(x, limit), in which NaN stays NaN.
template <class T>
static inline Vec<T> at_most(Vec<T> x, T limit) {
  return x > limit ? broadcast(limit) : x;
}
template <class T>
static inline Vec<T> at_least(Vec<T> x, T limit) {
  return x < limit ? broadcast(limit) : x;
}

template <class T>
static inline Vec<T> sqrt(Vec<T> x) {
  // With a mask of all lanes: GCC 12 warns about an undefined operand in the unmasked form.
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(_mm512_maskz_sqrt_ps(0xffff, reinterpret_cast<__m512>(x)));
  } else {
    return reinterpret_cast<Vec<T>>(_mm512_maskz_sqrt_pd(0xff, reinterpret_cast<__m512d>(x)));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
  } else {
    return reinterpret_cast<Vec<T>>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(x)));
  }
#elif defined(__x86_64__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(_mm_sqrt_ps(reinterpret_cast<__m128>(x)));
  } else {
    return reinterpret_cast<Vec<T>>(_mm_sqrt_pd(reinterpret_cast<__m128d>(x)));
  }
#elif defined(__aarch64__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(vsqrtq_f32(reinterpret_cast<float32x4_t>(x)));
  } else {
    return reinterpret_cast<Vec<T>>(vsqrtq_f64(reinterpret_cast<float64x2_t>(x)));
  }
#else
  Vec<T> root{};
  for (int i = 0; i < kLanes<T>; ++i) root[i] = static_cast<T>(__builtin_sqrt(x[i]));
  return root;
#endif
}

// terms[0] + terms[1] x + ...
template <class T, std::size_t n>
static inline Vec<T> polynomial(Vec<T> x, const T (&terms)[n]) {
  Vec<T> sum = broadcast(terms[n - 1]);
#pragma GCC unroll 32
  for (std::size_t i = n - 1; i > 0; --i) sum = fma<T>(sum, x, broadcast(terms[i - 1]));
  return sum;
}

// exp(x) = 2^n (1 + r + rest), |r| <= log(2) / 2; r + rest is expm1 of the reduced argument to more than T's digits.
template <class T>
struct ExpParts {
  Vec<T> n;        // an integer
  Vec<T> shifted;  // n + round_shift, whose low bits are n
  Vec<T> r, rest;
};

// Valid for |x| below about 1000 (float64) or 200 (float32), and for NaN.
template <class T>
static inline ExpParts<T> exp_parts(Vec<T> x) {
  using F = FloatTraits<T>;
  const Vec<T> shifted = fma<T>(x, broadcast(F::log2_e), broadcast(F::round_shift));
  const Vec<T> n = shifted - F::round_shift;
  const Vec<T> high = fma<T>(-n, broadcast(F::ln2_high), x);  // exact, because ln2_high has few digits
  const Vec<T> low = n * F::ln2_low;
  const Vec<T> r = high - low;
  const Vec<T> lost = (high - r) - low;
  return {n, shifted, r, fma<T>(r * r, polynomial<T>(r, F::exp_terms), lost)};
}

// 2^n, if that is a normal number.
template <class T>
static inline Vec<T> power_of_two(Vec<T> shifted) {
  using F = FloatTraits<T>;
  return from_bits<T>((to_bits<T>(shifted) + F::bias) << F::mantissa_bits);
}

// x 2^n, rounded once even if 2^n or the result is not a normal number.
template <class T>
static inline Vec<T> scale(Vec<T> x, const ExpParts<T>& parts) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(
        _mm512_maskz_scalef_ps(0xffff, reinterpret_cast<__m512>(x), reinterpret_cast<__m512>(parts.n)));
  } else {
    return reinterpret_cast<Vec<T>>(
        _mm512_maskz_scalef_pd(0xff, reinterpret_cast<__m512d>(x), reinterpret_cast<__m512d>(parts.n)));
  }
#else
  using F = FloatTraits<T>;
  const Vec<T> half = fma<T>(parts.n, broadcast(T(0.5)), broadcast(F::round_shift));
  const Vec<T> other = (parts.n - (half - F::round_shift)) + F::round_shift;
  return x * power_of_two<T>(half) * power_of_two<T>(other);
#endif
}

template <class T>
static inline Vec<T> exp(Vec<T> x) {
  using F = FloatTraits<T>;
  const ExpParts<T> e = exp_parts<T>(at_least<T>(at_most<T>(x, F::exp_high), F::exp_low));
  return scale<T>(T(1) + (e.r + e.rest), e);
}

// A number as the sum of two, the second far below the last place of the first.
template <class T>
struct Pair {
  Vec<T> high, low;
};

// a + b, if |a| >= |b| or a is 0.
template <class T>
static inline Pair<T> exact_sum(Vec<T> a, Vec<T> b) {
  const Vec<T> sum = a + b;
  return {sum, (a - sum) + b};
}

// a / b to little more than half a unit in the last place, for b from 1 to 2^60.
template <class T>
static inline Vec<T> ratio(Pair<T> a, Pair<T> b) {
  const Vec<T> inverse = T(1) / b.high;
#if defined(__AVX2__) || defined(__aarch64__)
  const Vec<T> quotient = a.high * inverse;
  const Vec<T> residue = fma<T>(-quotient, b.high, a.high);  // exact, or nearly so
#else
  const Vec<T> quotient = a.high / b.high, residue{};
#endif
  return fma<T>(residue + fma<T>(-quotient, b.low, a.low), inverse, quotient);
}

// 2^n (1 + r + rest) - 1, for n from -60 to 60.
template <class T>
static inline Pair<T> expm1_of_parts(const ExpParts<T>& e) {
  const Vec<T> power = power_of_two<T>(e.shifted);
  // The first term is 0 or, being a power of two minus one, the larger of the two.
  const Pair<T> sum = exact_sum<T>(power - T(1), power * e.r);
  return {sum.high, fma<T>(power, e.rest, sum.low)};
}

template <class T>
static inline Vec<T> expm1(Vec<T> x) {
  using F = FloatTraits<T>;
  const ExpParts<T> e = exp_parts<T>(at_least<T>(at_most<T>(x, F::exp_high), F::expm1_low));
  const Pair<T> small = expm1_of_parts<T>(e);
  const Vec<T> large = scale<T>(T(1) + (e.r + e.rest), e);
  // `large` is used where 1 is below half a unit, and where 2^n could overflow in the other form.
  const Vec<T> result = x > T(40) ? large : small.high + small.low;
  return x == T(0) ? x : result;
}

template <class T>
static inline Vec<T> tanh(Vec<T> x) {
  // expm1(2|x|) / (expm1(2|x|) + 2)
  const Vec<T> magnitude = at_most<T>(absolute<T>(x), FloatTraits<T>::tanh_high);
  Pair<T> e = expm1_of_parts<T>(exp_parts<T>(magnitude + magnitude));
  e = exact_sum<T>(e.high, e.low);
  const Vec<T> sum = e.high + T(2);
  const Vec<T> lost = e.high > T(2) ? T(2) - (sum - e.high) : e.high - (sum - T(2));
  return with_sign_of<T>(ratio<T>(e, {sum, lost + e.low}), x);
}

template <class T>
static inline Vec<T> logistic(Vec<T> x) {
  const Vec<T> e = exp<T>(-absolute<T>(x));  // never overflows
  return ratio<T>({x < T(0) ? e : broadcast(T(1)), Vec<T>{}}, exact_sum<T>(broadcast(T(1)), e));
}

// log(2^k (1 + f)) + correction, for sqrt(1/2) - 1 <= f < sqrt(2) - 1 and a comparatively tiny correction.
template <class T>
static inline Vec<T> log_of_parts(Vec<T> k, Vec<T> f, Vec<T> correction) {
  using F = FloatTraits<T>;
  // With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - f^2 / 2 + s (f^2 / 2 + s^2 P(s^2)).
  const Vec<T> s = f / (f + T(2)), z = s * s, half_square = f * f * T(0.5);
  const Vec<T> series = half_square + z * polynomial<T>(z, F::log_terms);
  const Vec<T> low = fma<T>(s, series, fma<T>(k, broadcast(F::ln2_low), correction));
  return fma<T>(k, broadcast(F::ln2_high), f - (half_square - low));
}

// The exponent k and f = x / 2^k - 1 of a normal positive x, in the form that log_of_parts takes.
template <class T>
static inline Vec<T> split(Vec<T> x, Vec<T>* k) {
  using F = FloatTraits<T>;
  constexpr auto mantissa = (typename F::Bits{1} << F::mantissa_bits) - 1;
  const BitsVec<T> moved = to_bits<T>(x) + (F::one - F::sqrt_half);
  const BitsVec<T> biased = moved >> F::mantissa_bits;
  const BitsVec<T> shift = to_bits<T>(broadcast(F::round_shift));
  *k = from_bits<T>(biased + shift) - (F::round_shift + static_cast<T>(F::bias));
  return from_bits<T>((moved & mantissa) + F::sqrt_half) - T(1);
}

template <class T>
static inline Vec<T> log(Vec<T> x) {
  using F = FloatTraits<T>;
  constexpr T lift = sizeof(T) == 4 ? T(0x1p25) : T(0x1p54), lift_exponent = sizeof(T) == 4 ? T(25) : T(54);
  const auto denormal = x < F::smallest_normal;
  Vec<T> k;
  const Vec<T> f = split<T>(denormal ? x * lift : x, &k);
  Vec<T> result = log_of_parts<T>(denormal ? k - lift_exponent : k, f, Vec<T>{});
  result = x == T(0) ? broadcast(-F::infinity) : result;
  result = x < F::infinity ? result : x;  // infinity and NaN
  return x < T(0) ? broadcast(T(__builtin_nan(""))) : result;
}

// log1p of a finite x > -1.
template <class T>
static inline Vec<T> log1p_finite(Vec<T> x) {
  const Vec<T> u = x + T(1);
  Vec<T> k;
  const Vec<T> f = split<T>(u, &k);
  const auto is_small = k == T(0);  // then f is x itself, without rounding
  const Vec<T> lost = x > T(1) ? T(1) - (u - x) : x - (u - T(1));
  return log_of_parts<T>(k, is_small ? x : f, is_small ? Vec<T>{} : lost / u);
}

template <class T>
static inline Vec<T> log1p(Vec<T> x) {
  using F = FloatTraits<T>;
  Vec<T> result = log1p_finite<T>(x);
  result = x == T(-1) ? broadcast(-F::infinity) : result;
  result = x < F::infinity ? result : x;
  result = x == T(0) ? x : result;
  return x < T(-1) ? broadcast(T(__builtin_nan(""))) : result;
}

// log(1 + exp(x))
template <class T>
static inline Vec<T> softplus(Vec<T> x) {
  const Vec<T> rest = log1p_finite<T>(exp<T>(-absolute<T>(x)));
  return (x < T(0) ? Vec<T>{} : x) + rest;
}

template <class T>
static inline Vec<T> erf(Vec<T> x) {
  using F = FloatTraits<T>;
  const Vec<T> magnitude = absolute<T>(x);
  const Vec<T> near = fma<T>(x, polynomial<T>(x * x, F::erf_terms), x);
  // The logarithm of erfc loses digits where erfc is small, which is where few are needed.
  const ExpParts<T> e = exp_parts<T>(polynomial<T>(at_most<T>(magnitude, F::erf_high) - T(1), F::log_erfc_terms));
  const Vec<T> far = T(1) - power_of_two<T>(e.shifted) * (T(1) + (e.r + e.rest));
  return magnitude > T(1) ? with_sign_of<T>(far, x) : near;
}

template <class T>
struct Direction {
  Vec<T> cosine, sine;
};

// cos(2 pi u) and sin(2 pi u), for 0 <= u <= 1.
template <class T>
static inline Direction<T> direction(Vec<T> u) {
  using F = FloatTraits<T>;
  const Vec<T> shifted = u * T(4) + F::round_shift, quarter = shifted - F::round_shift;
  const Vec<T> f = u - quarter * T(0.25), square = f * f;
  const Vec<T> sine = f * polynomial<T>(square, F::sine_terms), cosine = polynomial<T>(square, F::cosine_terms);
  const auto is_odd = (to_bits<T>(shifted) & 1) != 0;
  const Vec<T> along = is_odd ? sine : cosine, across = is_odd ? cosine : sine;
  return {absolute<T>(quarter - T(1.5)) < T(1) ? -along : along,
          absolute<T>(quarter - T(2.5)) < T(1) ? -across : across};
}

// sin(x + quarters pi / 2), for |x| <= circle_high.
template <class T>
static inline Vec<T> sine(Vec<T> x, typename FloatTraits<T>::Bits quarters) {
  using F = FloatTraits<T>;
  const Vec<T> shifted = x * F::quarters_per_radian + F::round_shift, n = shifted - F::round_shift;
  const Vec<T> r = ((x - n * F::quarter_turn[0]) - n * F::quarter_turn[1]) - n * F::quarter_turn[2];
  const Vec<T> square = r * r, half = square * T(0.5), rest = T(1) - half;
  const BitsVec<T> quadrant = to_bits<T>(shifted) + quarters;
  const Vec<T> sine = fma<T>(r * square, polynomial<T>(square, F::arc_sine_terms), r);
  const Vec<T> lost = (T(1) - rest) - half;  // in the rounding of `rest`
  const Vec<T> cosine = rest + fma<T>(square * square, polynomial<T>(square, F::arc_cosine_terms), lost);
  const Vec<T> magnitude = (quadrant & 1) != 0 ? cosine : sine;
  return from_bits<T>(to_bits<T>(magnitude) ^ ((quadrant & 2) << (8 * sizeof(T) - 2)));
}

}  // namespace rosenblatt::ROSENBLATT_ISA
