/* gn_f32_o1_g2_c3_i1001_residual_modulation_masked: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 6006]
 * input   residual float[batch * 6006]
 * input   mask     float[batch * 1001]
 * input   gamma    float[6]
 * input   beta     float[6]
 * input   own_scale float[batch * 6]
 * input   own_shift float[batch * 6]
 * output  y        float[batch * 6006]
 * output  summed   float[batch * 6006]
 *
 * Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_unaligned __attribute__((vector_size(8), aligned(4), may_alias));
typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x4_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8_unaligned __attribute__((vector_size(64), aligned(8), may_alias));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t m32x8 __attribute__((vector_size(32)));
typedef int32_t m32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline double cast_f64_from_i64(int64_t a) { return (double)a; }

static inline f64x8 cast_f64x8_from_f32(f32x8 a) { return __builtin_convertvector(a, f64x8); }

/* a * b + c, rounded once. */
static inline float fma_f32(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}

/* a * b + c, rounded once. */
static inline f32x8 fma_f32x8(f32x8 a, f32x8 b, f32x8 c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#else
    return __builtin_ia32_vfmaddps256(a, b, c);
#endif
}

/* a * b + c, rounded once. */
static inline double fma_f64(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}


static inline f32x8 load_f32x8(const float *p, int64_t i) { return *(const f32x8_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f32x8 load_part_f32x8(const float *p, int64_t i, int64_t n, f32x8 fill) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    const f32x8 part = __builtin_ia32_maskloadps256((const f32x8 *)(p + i), mask);
    return (f32x8)(((i32x8)part & mask) | ((i32x8)fill & ~mask));
}

static inline f32x8 max_f32x8(f32x8 a, f32x8 b) {
#if !defined(__clang__)
    return __builtin_ia32_maxps256(b, a);
#endif
    const i32x8 mask = b > a;
    return (f32x8)(((i32x8)b & mask) | ((i32x8)a & ~mask));
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }

static inline int64_t not_m64(int64_t mask) { return !mask; }

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f32(const float *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline float sum_f32x8(f32x8 v) {
    const union { f32x8 whole; f32x4 half[2]; } u4 = {v};
    const f32x4 v4 = u4.half[0] + u4.half[1];
    const union { f32x4 whole; f32x2 half[2]; } u2 = {v4};
    const f32x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x8(f64x8 v) {
    const union { f64x8 whole; f64x4 half[2]; } u4 = {v};
    const f64x4 v4 = u4.half[0] + u4.half[1];
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v4};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x8 select_f32x8(i32x8 mask, f32x8 a, f32x8 b) { return (f32x8)(((i32x8)a & mask) | ((i32x8)b & ~mask)); }

static inline double select_f64(int64_t mask, double a, double b) { return mask ? a : b; }

static inline f32x8 splat_f32x8(float a) { return (f32x8){a, a, a, a, a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_f32x8(float *p, int64_t i, f32x8 v) { *(f32x8_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f32x8(float *p, int64_t i, int64_t n, f32x8 v) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    __builtin_ia32_maskstoreps256((f32x8 *)(p + i), mask, v);
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_f32_o1_g2_c3_i1001_residual_modulation_masked(const float *x, const float *residual, const float *mask, const float *gamma, const float *beta, const float *own_scale, const float *own_shift, float *y, float *summed, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1 && batch >= 5)
    {
#pragma omp for schedule(static) collapse(2)
        for (int64_t n = 0; n < batch; n++)
        for (int64_t g = 0; g < 2; g++) {
            float shift = x[n * 6006 + g * 3003] + residual[n * 6006 + g * 3003];
            if (mask[n * 1001] <= 0.0f) {
                shift = 0.0f;
                f32x8 held = splat_f32x8(0.0f);
                f32x8 seen = splat_f32x8(0.0f);
                for (int64_t i = 0; i + 8 <= 1001; i += 8) {
                    f32x8 keeps = load_f32x8(mask, n * 1001 + i);
                    held = select_f32x8(keeps > splat_f32x8(0.0f), load_f32x8(x, n * 6006 + g * 3003 + i) + load_f32x8(residual, n * 6006 + g * 3003 + i), held);
                    seen = max_f32x8(seen, keeps);
                }
                if (1000 < 1001) {
                    f32x8 keeps_2 = load_part_f32x8(mask, n * 1001 + 1000, 1, splat_f32x8(0.0f));
                    held = select_f32x8(keeps_2 > splat_f32x8(0.0f), load_part_f32x8(x, n * 6006 + g * 3003 + 1000, 1, splat_f32x8(0.0f)) + load_part_f32x8(residual, n * 6006 + g * 3003 + 1000, 1, splat_f32x8(0.0f)), held);
                    seen = max_f32x8(seen, keeps_2);
                }
                shift = cast_f32_from_f64(sum_f64x8(cast_f64x8_from_f32(held)) / max_f64(sum_f64x8(cast_f64x8_from_f32(seen)), 1.0));
            }
            f32x8 shifts = splat_f32x8(shift);
            f32x8 sum = splat_f32x8(0.0f);
            f32x8 square = splat_f32x8(0.0f);
            f32x8 sum_2 = splat_f32x8(0.0f);
            f32x8 square_2 = splat_f32x8(0.0f);
            f32x8 sum_3 = splat_f32x8(0.0f);
            f32x8 square_3 = splat_f32x8(0.0f);
            f32x8 sum_4 = splat_f32x8(0.0f);
            f32x8 square_4 = splat_f32x8(0.0f);
            for (int64_t chan = 0; chan < 3; chan += 1) {
                for (int64_t i_2 = 0; i_2 + 32 <= 1001; i_2 += 32) {
                    f32x8 value = load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + i_2) + load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + i_2);
                    store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + i_2, value);
                    f32x8 d = select_f32x8(load_f32x8(mask, n * 1001 + i_2) > splat_f32x8(0.0f), value - shifts, splat_f32x8(0.0f));
                    sum = sum + d;
                    square = fma_f32x8(d, d, square);
                    f32x8 value_2 = load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 8)) + load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 8));
                    store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 8), value_2);
                    f32x8 d_2 = select_f32x8(load_f32x8(mask, n * 1001 + (i_2 + 8)) > splat_f32x8(0.0f), value_2 - shifts, splat_f32x8(0.0f));
                    sum_2 = sum_2 + d_2;
                    square_2 = fma_f32x8(d_2, d_2, square_2);
                    f32x8 value_3 = load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 16)) + load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 16));
                    store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 16), value_3);
                    f32x8 d_3 = select_f32x8(load_f32x8(mask, n * 1001 + (i_2 + 16)) > splat_f32x8(0.0f), value_3 - shifts, splat_f32x8(0.0f));
                    sum_3 = sum_3 + d_3;
                    square_3 = fma_f32x8(d_3, d_3, square_3);
                    f32x8 value_4 = load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 24)) + load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 24));
                    store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 24), value_4);
                    f32x8 d_4 = select_f32x8(load_f32x8(mask, n * 1001 + (i_2 + 24)) > splat_f32x8(0.0f), value_4 - shifts, splat_f32x8(0.0f));
                    sum_4 = sum_4 + d_4;
                    square_4 = fma_f32x8(d_4, d_4, square_4);
                }
                f32x8 value_5 = load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + 992) + load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + 992);
                store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + 992, value_5);
                f32x8 d_5 = select_f32x8(load_f32x8(mask, n * 1001 + 992) > splat_f32x8(0.0f), value_5 - shifts, splat_f32x8(0.0f));
                sum = sum + d_5;
                square = fma_f32x8(d_5, d_5, square);
                f32x8 value_6 = load_part_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + 1000, 1, shifts) + load_part_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + 1000, 1, splat_f32x8(0.0f));
                store_part_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + 1000, 1, value_6);
                f32x8 d_6 = select_f32x8(load_part_f32x8(mask, n * 1001 + 1000, 1, splat_f32x8(0.0f)) > splat_f32x8(0.0f), value_6 - shifts, splat_f32x8(0.0f));
                sum = sum + d_6;
                square = fma_f32x8(d_6, d_6, square);
            }
            f32x8 kept = splat_f32x8(0.0f);
            for (int64_t i_3 = 0; i_3 + 8 <= 1001; i_3 += 8) {
                kept = kept + load_f32x8(mask, n * 1001 + i_3);
            }
            if (1000 < 1001) {
                kept = kept + load_part_f32x8(mask, n * 1001 + 1000, 1, splat_f32x8(0.0f));
            }
            double count = cast_f64_from_f32(sum_f32x8(kept)) * cast_f64_from_i64(3);
            double total = sum_f64x8(cast_f64x8_from_f32(sum + sum_2 + (sum_3 + sum_4)));
            double squares = sum_f64x8(cast_f64x8_from_f32(square + square_2 + (square_3 + square_4)));
            double off = total / max_f64(count, 1.0);
            double block_mean = cast_f64_from_f32(shift) + off;
            double block_m2 = squares - total * off;
            if (not_m64(squares <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                double redo = 0.0;
                for (int64_t chan_2 = 0; chan_2 < 3; chan_2 += 1) {
                    for (int64_t i_4 = 0; i_4 < 1001; i_4 += 1) {
                        if (mask[n * 1001 + i_4] > 0.0f) {
                            redo = redo + cast_f64_from_f32(summed[n * 6006 + g * 3003 + chan_2 * 1001 + i_4]);
                        }
                    }
                }
                double center = redo / count;
                double redo_rest = 0.0;
                double redo_square = 0.0;
                for (int64_t chan_3 = 0; chan_3 < 3; chan_3 += 1) {
                    for (int64_t i_5 = 0; i_5 < 1001; i_5 += 1) {
                        if (mask[n * 1001 + i_5] > 0.0f) {
                            double e = cast_f64_from_f32(summed[n * 6006 + g * 3003 + chan_3 * 1001 + i_5]) - center;
                            redo_rest = redo_rest + e;
                            redo_square = fma_f64(e, e, redo_square);
                        }
                    }
                }
                block_mean = center + redo_rest / count;
                block_m2 = redo_square - redo_rest * redo_rest / count;
            }
            double mean_all = block_mean;
            double m2_all = block_m2;
            double count_all = count;
            double spread = max_f64(m2_all, 0.0) / max_f64(count_all, 1.0) + 0.001;
            double rstd_all = 1.0 / sqrt_f64(spread);
            rstd_all = select_f64(count_all <= 0.0, 0.0, rstd_all);
            float mean_high = cast_f32_from_f64(mean_all);
            float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
            float rstd_1 = cast_f32_from_f64(rstd_all);
            for (int64_t c = 0; c < 3; c += 1) {
                float scale = rstd_1 * gamma[g * 3 + c];
                float factor = 1.0f + own_scale[n * 6 + (g * 3 + c)];
                float scale_2 = scale * factor;
                float offset = fma_f32(beta[g * 3 + c], factor, own_shift[n * 6 + (g * 3 + c)]);
                float offset_2 = fma_f32(-mean_low, scale_2, offset);
                f32x8 highs = splat_f32x8(mean_high);
                f32x8 scales = splat_f32x8(scale_2);
                f32x8 offsets = splat_f32x8(offset_2);
                const int64_t phase = peel_f32(y, n * 6006 + g * 3003 + c * 1001, 8);
                const int64_t aligned = advance(0, phase, 1001);
                if (0 < aligned) {
                    store_part_f32x8(y, n * 6006 + g * 3003 + c * 1001, aligned, fma_f32x8(load_part_f32x8(summed, n * 6006 + g * 3003 + c * 1001, aligned, splat_f32x8(0.0f)) - highs, scales, offsets));
                }
#pragma GCC unroll 4
                for (int64_t i_6 = aligned; i_6 + 8 <= 1001; i_6 += 8) {
                    store_f32x8(y, n * 6006 + g * 3003 + c * 1001 + i_6, fma_f32x8(load_f32x8(summed, n * 6006 + g * 3003 + c * 1001 + i_6) - highs, scales, offsets));
                }
                const int64_t tail = main_end(aligned, 1001, 8);
                if (tail < 1001) {
                    store_part_f32x8(y, n * 6006 + g * 3003 + c * 1001 + tail, 1001 - tail, fma_f32x8(load_part_f32x8(summed, n * 6006 + g * 3003 + c * 1001 + tail, 1001 - tail, splat_f32x8(0.0f)) - highs, scales, offsets));
                }
            }
        }
}
}
