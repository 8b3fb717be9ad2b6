/* gn_f16_o1_g2_c3_i301: group normalisation, specialised by gngen.
 *
 * input   x        f16[batch * 1806]
 * input   gamma    f16[6]
 * input   beta     f16[6]
 * output  y        f16[batch * 1806]
 *
 * f16: the bits of a number in a uint16_t; it is computed with as a float.
 *
 * Machine: any x86-64 (SSE2); 128-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef uint16_t f16x4 __attribute__((vector_size(8)));
typedef uint16_t f16x4_unaligned __attribute__((vector_size(8), aligned(2), may_alias));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x4_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t m32x4 __attribute__((vector_size(16)));
typedef int32_t m32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

/* The bits of a float, and the float of some bits. */
static inline uint32_t bits_of(float a) { union { float from; uint32_t to; } u = {a}; return u.to; }
static inline float float_of(uint32_t a) { union { uint32_t from; float to; } u = {a}; return u.to; }

static inline f16x4 cast_f16x4_from_f32(f32x4 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    const bits word = (bits)a, magnitude = word & 0x7fffffff, nan = (bits)(a != a);
    const bits large = (bits)(magnitude >= 0x47800000), tiny = (bits)(magnitude < 0x38800000);
    const bits normal = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
    const f32x4 shifted = (f32x4)(magnitude) + 0.5f; /* whose last place is that of a denormal half */
    const bits denormal = (bits)shifted - 0x3f000000;
    const bits finite = (denormal & tiny) | (normal & ~tiny), special = 0x7c00 | (nan & 0x200);
    return __builtin_convertvector((special & large) | (finite & ~large) | (word >> 16 & 0x8000), f16x4);
}

static inline float cast_f32_from_f16(uint16_t a) {
    typedef uint32_t bits;
    const bits word = (bits)a, magnitude = (word & 0x7fff) << 13;
    const bits special = -(bits)(magnitude >= 0xf800000), tiny = -(bits)(magnitude < 0x800000);
    const bits normal = magnitude + 0x38000000 + (special & 0x38000000);
    const float denormal = float_of(magnitude + 0x38800000) - 0x1p-14f; /* (2^-14 + a) - 2^-14, which is exact */
    return float_of((bits_of(denormal) & tiny) | (normal & ~tiny) | (word & 0x8000) << 16);
}

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline f32x4 cast_f32x4_from_f16(f16x4 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    const bits word = __builtin_convertvector(a, bits), magnitude = (word & 0x7fff) << 13;
    const bits special = (bits)(magnitude >= 0xf800000), tiny = (bits)(magnitude < 0x800000);
    const bits normal = magnitude + 0x38000000 + (special & 0x38000000);
    const f32x4 denormal = (f32x4)(magnitude + 0x38800000) - 0x1p-14f; /* (2^-14 + a) - 2^-14, which is exact */
    return (f32x4)(((bits)denormal & tiny) | (normal & ~tiny) | (word & 0x8000) << 16);
}

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline double cast_f64_from_i64(int64_t a) { return (double)a; }

static inline f64x4 cast_f64x4_from_f32(f32x4 a) { return __builtin_convertvector(a, f64x4); }

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline float fma_f32(float a, float b, float c) {
    return a * b + c;
}

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline f32x4 fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
    return a * b + c;
}

/* a * b + c, rounded twice: this machine has no fused multiply-add. */
static inline double fma_f64(double a, double b, double c) {
    return a * b + c;
}


static inline f16x4 load_f16x4(const uint16_t *p, int64_t i) { return *(const f16x4_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f16x4 load_part_f16x4(const uint16_t *p, int64_t i, int64_t n, f16x4 fill) {
    for (int64_t k = 0; k < n && k < 4; k++) fill[k] = p[i + k];
    return fill;
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }

static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f16(const uint16_t *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x4(f64x4 v) {
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x4 select_f32x4(i32x4 mask, f32x4 a, f32x4 b) { return (f32x4)(((i32x4)a & mask) | ((i32x4)b & ~mask)); }

static inline f32x4 splat_f32x4(float a) { return (f32x4){a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_f16x4(uint16_t *p, int64_t i, f16x4 v) { *(f16x4_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f16x4(uint16_t *p, int64_t i, int64_t n, f16x4 v) {
    for (int64_t k = 0; k < n && k < 4; k++) p[i + k] = v[k];
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_f16_o1_g2_c3_i301(const uint16_t *x, const uint16_t *gamma, const uint16_t *beta, uint16_t *y, int64_t batch, int threads) {
    (void)threads;
    for (int64_t n = 0; n < batch; n += 1) {
        for (int64_t g = 0; g < 2; g += 1) {
            float shift = cast_f32_from_f16(x[n * 1806 + g * 903]);
            f32x4 shifts = splat_f32x4(shift);
            f32x4 sum = splat_f32x4(0.0f);
            f32x4 square = splat_f32x4(0.0f);
            f32x4 sum_2 = splat_f32x4(0.0f);
            f32x4 square_2 = splat_f32x4(0.0f);
            f32x4 sum_3 = splat_f32x4(0.0f);
            f32x4 square_3 = splat_f32x4(0.0f);
            f32x4 sum_4 = splat_f32x4(0.0f);
            f32x4 square_4 = splat_f32x4(0.0f);
            for (int64_t i = 0; i + 16 <= 903; i += 16) {
                f32x4 d = cast_f32x4_from_f16(load_f16x4(x, n * 1806 + g * 903 + i)) - shifts;
                sum = sum + d;
                square = fma_f32x4(d, d, square);
                f32x4 d_2 = cast_f32x4_from_f16(load_f16x4(x, n * 1806 + g * 903 + (i + 4))) - shifts;
                sum_2 = sum_2 + d_2;
                square_2 = fma_f32x4(d_2, d_2, square_2);
                f32x4 d_3 = cast_f32x4_from_f16(load_f16x4(x, n * 1806 + g * 903 + (i + 8))) - shifts;
                sum_3 = sum_3 + d_3;
                square_3 = fma_f32x4(d_3, d_3, square_3);
                f32x4 d_4 = cast_f32x4_from_f16(load_f16x4(x, n * 1806 + g * 903 + (i + 12))) - shifts;
                sum_4 = sum_4 + d_4;
                square_4 = fma_f32x4(d_4, d_4, square_4);
            }
            f32x4 d_5 = cast_f32x4_from_f16(load_f16x4(x, n * 1806 + g * 903 + 896)) - shifts;
            sum = sum + d_5;
            square = fma_f32x4(d_5, d_5, square);
            f32x4 some = cast_f32x4_from_f16(load_part_f16x4(x, n * 1806 + g * 903 + 900, 3, cast_f16x4_from_f32(splat_f32x4(0.0f))));
            f32x4 d_6 = select_f32x4(some < cast_f32x4_from_f16(load_part_f16x4(x, n * 1806 + g * 903 + 900, 3, cast_f16x4_from_f32(splat_f32x4(1.0f)))), shifts, some) - shifts;
            sum = sum + d_6;
            square = fma_f32x4(d_6, d_6, square);
            double count = cast_f64_from_i64(903);
            double total = sum_f64x4(cast_f64x4_from_f32(sum + sum_2 + (sum_3 + sum_4)));
            double squares = sum_f64x4(cast_f64x4_from_f32(square + square_2 + (square_3 + square_4)));
            double off = total / count;
            double block_mean = cast_f64_from_f32(shift) + off;
            double block_m2 = squares - total * off;
            if (not_m64(squares <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                double redo = 0.0;
                for (int64_t i_2 = 0; i_2 < 903; i_2 += 1) {
                    redo = redo + cast_f64_from_f32(cast_f32_from_f16(x[n * 1806 + g * 903 + i_2]));
                }
                double center = redo / count;
                double redo_rest = 0.0;
                double redo_square = 0.0;
                for (int64_t i_3 = 0; i_3 < 903; i_3 += 1) {
                    double e = cast_f64_from_f32(cast_f32_from_f16(x[n * 1806 + g * 903 + i_3])) - center;
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
                f32x4 highs = splat_f32x4(mean_high);
                f32x4 scales = splat_f32x4(scale);
                f32x4 offsets = splat_f32x4(offset);
                const int64_t phase = peel_f16(y, n * 1806 + g * 903 + c * 301, 4);
                const int64_t aligned = advance(0, phase, 301);
                if (0 < aligned) {
                    store_part_f16x4(y, n * 1806 + g * 903 + c * 301, aligned, cast_f16x4_from_f32(fma_f32x4(cast_f32x4_from_f16(load_part_f16x4(x, n * 1806 + g * 903 + c * 301, aligned, cast_f16x4_from_f32(splat_f32x4(0.0f)))) - highs, scales, offsets)));
                }
#pragma GCC unroll 4
                for (int64_t i_4 = aligned; i_4 + 4 <= 301; i_4 += 4) {
                    store_f16x4(y, n * 1806 + g * 903 + c * 301 + i_4, cast_f16x4_from_f32(fma_f32x4(cast_f32x4_from_f16(load_f16x4(x, n * 1806 + g * 903 + c * 301 + i_4)) - highs, scales, offsets)));
                }
                const int64_t tail = main_end(aligned, 301, 4);
                if (tail < 301) {
                    store_part_f16x4(y, n * 1806 + g * 903 + c * 301 + tail, 301 - tail, cast_f16x4_from_f32(fma_f32x4(cast_f32x4_from_f16(load_part_f16x4(x, n * 1806 + g * 903 + c * 301 + tail, 301 - tail, cast_f16x4_from_f32(splat_f32x4(0.0f)))) - highs, scales, offsets)));
                }
            }
        }
    }
}
