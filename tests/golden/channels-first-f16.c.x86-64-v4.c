/* gn_f16_o1_g2_c3_i301: group normalisation, specialised by gngen.
 *
 * input   x        f16[batch * 1806]
 * input   gamma    f16[6]
 * input   beta     f16[6]
 * output  y        f16[batch * 1806]
 *
 * f16: the bits of a number in a uint16_t; it is computed with as a float.
 *
 * Machine: x86-64 with AVX-512; 512-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x4_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8_unaligned __attribute__((vector_size(64), aligned(8), may_alias));
typedef uint16_t f16x16 __attribute__((vector_size(32)));
typedef uint16_t f16x16_unaligned __attribute__((vector_size(32), aligned(2), may_alias));
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128)));
typedef double f64x16_unaligned __attribute__((vector_size(128), aligned(8), may_alias));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t m32x16 __attribute__((vector_size(64)));
typedef int32_t m32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

/* The bits of a float, and the float of some bits. */
static inline uint32_t bits_of(float a) { union { float from; uint32_t to; } u = {a}; return u.to; }
static inline float float_of(uint32_t a) { union { uint32_t from; float to; } u = {a}; return u.to; }

static inline f16x16 cast_f16x16_from_f32(f32x16 a) {
    typedef short shorts __attribute__((vector_size(32)));
    return (f16x16)__builtin_ia32_vcvtps2ph512_mask(a, 0, (shorts){0}, (unsigned short)-1);
}

static inline float cast_f32_from_f16(uint16_t a) {
#if defined(__clang__) && __clang_major__ >= 15 /* later ones have no builtin */
    union { uint16_t from; _Float16 to; } u = {a};
    return u.to;
#else
    typedef short shorts __attribute__((vector_size(16)));
    return __builtin_ia32_vcvtph2ps((shorts){(short)a})[0];
#endif
}

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline f32x16 cast_f32x16_from_f16(f16x16 a) {
    typedef short shorts __attribute__((vector_size(32)));
    return (f32x16)__builtin_ia32_vcvtph2ps512_mask((shorts)a, (f32x16){0}, (unsigned short)-1, 4);
}

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline double cast_f64_from_i64(int64_t a) { return (double)a; }

static inline f64x16 cast_f64x16_from_f32(f32x16 a) { return __builtin_convertvector(a, f64x16); }

/* a * b + c, rounded once. */
static inline float fma_f32(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}

/* a * b + c, rounded once. */
static inline f32x16 fma_f32x16(f32x16 a, f32x16 b, f32x16 c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#else
    return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
#endif
}

/* a * b + c, rounded once. */
static inline double fma_f64(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}


static inline f16x16 load_f16x16(const uint16_t *p, int64_t i) { return *(const f16x16_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f16x16 load_part_f16x16(const uint16_t *p, int64_t i, int64_t n, f16x16 fill) {
    typedef short shorts __attribute__((vector_size(32)));
    const unsigned mask = n >= 16 ? 65535u : (1u << n) - 1;
    return (f16x16)__builtin_ia32_loaddquhi256_mask((const void *)(p + i), (shorts)fill, mask);
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }

static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f16(const uint16_t *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x16(f64x16 v) {
    const union { f64x16 whole; f64x8 half[2]; } u8 = {v};
    const f64x8 v8 = u8.half[0] + u8.half[1];
    const union { f64x8 whole; f64x4 half[2]; } u4 = {v8};
    const f64x4 v4 = u4.half[0] + u4.half[1];
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v4};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x16 select_f32x16(i32x16 mask, f32x16 a, f32x16 b) { return (f32x16)(((i32x16)a & mask) | ((i32x16)b & ~mask)); }

static inline f32x16 splat_f32x16(float a) { return (f32x16){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_f16x16(uint16_t *p, int64_t i, f16x16 v) { *(f16x16_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f16x16(uint16_t *p, int64_t i, int64_t n, f16x16 v) {
    typedef short shorts __attribute__((vector_size(32)));
    const unsigned mask = n >= 16 ? 65535u : (1u << n) - 1;
    __builtin_ia32_storedquhi256_mask((void *)(p + i), (shorts)v, mask);
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_f16_o1_g2_c3_i301(const uint16_t *x, const uint16_t *gamma, const uint16_t *beta, uint16_t *y, int64_t batch, int threads) {
    (void)threads;
    for (int64_t n = 0; n < batch; n += 1) {
        for (int64_t g = 0; g < 2; g += 1) {
            float shift = cast_f32_from_f16(x[n * 1806 + g * 903]);
            f32x16 shifts = splat_f32x16(shift);
            f32x16 sum = splat_f32x16(0.0f);
            f32x16 square = splat_f32x16(0.0f);
            f32x16 sum_2 = splat_f32x16(0.0f);
            f32x16 square_2 = splat_f32x16(0.0f);
            f32x16 sum_3 = splat_f32x16(0.0f);
            f32x16 square_3 = splat_f32x16(0.0f);
            f32x16 sum_4 = splat_f32x16(0.0f);
            f32x16 square_4 = splat_f32x16(0.0f);
            for (int64_t i = 0; i + 64 <= 903; i += 64) {
                f32x16 d = cast_f32x16_from_f16(load_f16x16(x, n * 1806 + g * 903 + i)) - shifts;
                sum = sum + d;
                square = fma_f32x16(d, d, square);
                f32x16 d_2 = cast_f32x16_from_f16(load_f16x16(x, n * 1806 + g * 903 + (i + 16))) - shifts;
                sum_2 = sum_2 + d_2;
                square_2 = fma_f32x16(d_2, d_2, square_2);
                f32x16 d_3 = cast_f32x16_from_f16(load_f16x16(x, n * 1806 + g * 903 + (i + 32))) - shifts;
                sum_3 = sum_3 + d_3;
                square_3 = fma_f32x16(d_3, d_3, square_3);
                f32x16 d_4 = cast_f32x16_from_f16(load_f16x16(x, n * 1806 + g * 903 + (i + 48))) - shifts;
                sum_4 = sum_4 + d_4;
                square_4 = fma_f32x16(d_4, d_4, square_4);
            }
            f32x16 some = cast_f32x16_from_f16(load_part_f16x16(x, n * 1806 + g * 903 + 896, 7, cast_f16x16_from_f32(splat_f32x16(0.0f))));
            f32x16 d_6 = select_f32x16(some < cast_f32x16_from_f16(load_part_f16x16(x, n * 1806 + g * 903 + 896, 7, cast_f16x16_from_f32(splat_f32x16(1.0f)))), shifts, some) - shifts;
            sum = sum + d_6;
            square = fma_f32x16(d_6, d_6, square);
            double count = cast_f64_from_i64(903);
            double total = sum_f64x16(cast_f64x16_from_f32(sum + sum_2 + (sum_3 + sum_4)));
            double squares = sum_f64x16(cast_f64x16_from_f32(square + square_2 + (square_3 + square_4)));
            double off = total / count;
            double block_mean = cast_f64_from_f32(shift) + off;
            double block_m2 = squares - total * off;
            if (not_m64(squares <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                double redo = 0.0;
                for (int64_t i_3 = 0; i_3 < 903; i_3 += 1) {
                    redo = redo + cast_f64_from_f32(cast_f32_from_f16(x[n * 1806 + g * 903 + i_3]));
                }
                double center = redo / count;
                double redo_rest = 0.0;
                double redo_square = 0.0;
                for (int64_t i_4 = 0; i_4 < 903; i_4 += 1) {
                    double e = cast_f64_from_f32(cast_f32_from_f16(x[n * 1806 + g * 903 + i_4])) - center;
                    redo_rest = redo_rest + e;
                    redo_square = fma_f64(e, e, redo_square);
                }
                block_mean = center + redo_rest / count;
                block_m2 = redo_square - redo_rest * redo_rest / count;
            }
            double mean_all = block_mean;
            double m2_all = block_m2;
            double count_all = count;
            double spread = max_f64(m2_all, 0.0) / count_all + 0.001;
            double rstd_all = 1.0 / sqrt_f64(spread);
            float mean_high = cast_f32_from_f64(mean_all);
            float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
            float rstd_1 = cast_f32_from_f64(rstd_all);
            for (int64_t c = 0; c < 3; c += 1) {
                float scale = rstd_1 * cast_f32_from_f16(gamma[g * 3 + c]);
                float offset = fma_f32(-mean_low, scale, cast_f32_from_f16(beta[g * 3 + c]));
                f32x16 highs = splat_f32x16(mean_high);
                f32x16 scales = splat_f32x16(scale);
                f32x16 offsets = splat_f32x16(offset);
                const int64_t phase = peel_f16(y, n * 1806 + g * 903 + c * 301, 16);
                const int64_t aligned = advance(0, phase, 301);
                if (0 < aligned) {
                    store_part_f16x16(y, n * 1806 + g * 903 + c * 301, aligned, cast_f16x16_from_f32(fma_f32x16(cast_f32x16_from_f16(load_part_f16x16(x, n * 1806 + g * 903 + c * 301, aligned, cast_f16x16_from_f32(splat_f32x16(0.0f)))) - highs, scales, offsets)));
                }
#pragma GCC unroll 4
                for (int64_t i_5 = aligned; i_5 + 16 <= 301; i_5 += 16) {
                    store_f16x16(y, n * 1806 + g * 903 + c * 301 + i_5, cast_f16x16_from_f32(fma_f32x16(cast_f32x16_from_f16(load_f16x16(x, n * 1806 + g * 903 + c * 301 + i_5)) - highs, scales, offsets)));
                }
                const int64_t tail = main_end(aligned, 301, 16);
                if (tail < 301) {
                    store_part_f16x16(y, n * 1806 + g * 903 + c * 301 + tail, 301 - tail, cast_f16x16_from_f32(fma_f32x16(cast_f32x16_from_f16(load_part_f16x16(x, n * 1806 + g * 903 + c * 301 + tail, 301 - tail, cast_f16x16_from_f32(splat_f32x16(0.0f)))) - highs, scales, offsets)));
                }
            }
        }
    }
}
