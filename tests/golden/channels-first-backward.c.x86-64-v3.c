/* gn_bwd_f32_o1_g8_c3_i1023_relu: group normalisation, specialised by gngen.
 *
 * input   dy       float[batch * 24552]
 * input   x        float[batch * 24552]
 * input   mean     float[batch * 8]
 * input   rstd     float[batch * 8]
 * input   gamma    float[24]
 * input   beta     float[24]
 * output  dx       float[batch * 24552]
 * output  dgamma   float[24]
 * output  dbeta    float[24]
 * scratch channel_sums double[batch * 48]
 * scratch off      double[batch * 8]
 *
 * Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

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

static inline float abs_f32(float a) { return __builtin_fabsf(a); }

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline f32x4 cast_f32x4_from_f64(f64x4 a) { return __builtin_convertvector(a, f32x4); }

static inline double cast_f64_from_f32(float a) { return (double)a; }

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


static inline f64x4 load_f64x4(const double *p, int64_t i) { return *(const f64x4_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f32x8 load_part_f32x8(const float *p, int64_t i, int64_t n, f32x8 fill) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    const f32x8 part = __builtin_ia32_maskloadps256((const f32x8 *)(p + i), mask);
    return (f32x8)(((i32x8)part & mask) | ((i32x8)fill & ~mask));
}

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f32(const float *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x8(f64x8 v) {
    const union { f64x8 whole; f64x4 half[2]; } u4 = {v};
    const f64x4 v4 = u4.half[0] + u4.half[1];
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v4};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x8 select_f32x8(i32x8 mask, f32x8 a, f32x8 b) { return (f32x8)(((i32x8)a & mask) | ((i32x8)b & ~mask)); }

static inline f32x8 splat_f32x8(float a) { return (f32x8){a, a, a, a, a, a, a, a}; }

static inline f64x4 splat_f64x4(double a) { return (f64x4){a, a, a, a}; }

static inline void store_f32x4(float *p, int64_t i, f32x4 v) { *(f32x4_unaligned *)(p + i) = v; }

static inline void store_f32x8(float *p, int64_t i, f32x8 v) { *(f32x8_unaligned *)(p + i) = v; }


/* The first n lanes to p + i. */
static inline void store_part_f32x8(float *p, int64_t i, int64_t n, f32x8 v) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    __builtin_ia32_maskstoreps256((f32x8 *)(p + i), mask, v);
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

static inline f32x8 relu_slope_f32x8(f32x8 x) {
    return select_f32x8(x > splat_f32x8(0.0f), splat_f32x8(1.0f), splat_f32x8(0.0f));
}

void gn_bwd_f32_o1_g8_c3_i1023_relu(const float *dy, const float *x, const float *mean, const float *rstd, const float *gamma, const float *beta, float *dx, float *dgamma, float *dbeta, double *channel_sums, double *off, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
#pragma omp for schedule(static) collapse(2)
        for (int64_t n = 0; n < batch; n++)
        for (int64_t g = 0; g < 8; g++) {
            float high = mean[n * 8 + g];
            double off_all = 0.0;
            if (abs_f32(mean[n * 8 + g]) * rstd[n * 8 + g] > 16.0f) {
                for (int64_t c = 0; c < 3; c += 1) {
                    double sum = 0.0;
                    f32x8 highs = splat_f32x8(high);
                    f32x8 s = splat_f32x8(0.0f);
                    f32x8 s_2 = splat_f32x8(0.0f);
                    f32x8 s_3 = splat_f32x8(0.0f);
                    f32x8 s_4 = splat_f32x8(0.0f);
                    for (int64_t i = 0; i + 32 <= 1023; i += 32) {
                        f32x8 d = load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + i) - highs;
                        s = s + d;
                        f32x8 d_2 = load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + (i + 8)) - highs;
                        s_2 = s_2 + d_2;
                        f32x8 d_3 = load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + (i + 16)) - highs;
                        s_3 = s_3 + d_3;
                        f32x8 d_4 = load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + (i + 24)) - highs;
                        s_4 = s_4 + d_4;
                    }
                    for (int64_t i_2 = 992; i_2 + 8 <= 1023; i_2 += 8) {
                        f32x8 d_5 = load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + i_2) - highs;
                        s = s + d_5;
                    }
                    if (1016 < 1023) {
                        f32x8 d_6 = load_part_f32x8(x, n * 24552 + g * 3069 + c * 1023 + 1016, 7, highs) - highs;
                        s = s + d_6;
                    }
                    double sum_block = sum_f64x8(cast_f64x8_from_f32(s + s_2 + (s_3 + s_4)));
                    sum = sum + sum_block;
                    off_all = off_all + sum;
                }
                off_all = off_all / 3069.0;
            }
            off[n * 8 + g] = off_all;
            float low = cast_f32_from_f64(off[n * 8 + g]);
            float high_2 = mean[n * 8 + g];
            float rstd_1 = rstd[n * 8 + g];
            double all_g = 0.0;
            double all_gx = 0.0;
            for (int64_t c_2 = 0; c_2 < 3; c_2 += 1) {
                const int64_t channel = g * 3 + c_2;
                float scale = rstd_1 * gamma[channel];
                float offset = fma_f32(-low, scale, beta[channel]);
                double sum_g = 0.0;
                double sum_gd = 0.0;
                f32x8 highs_2 = splat_f32x8(high_2);
                f32x8 spread = splat_f32x8(scale);
                f32x8 spread_2 = splat_f32x8(offset);
                f32x8 s_5 = splat_f32x8(0.0f);
                f32x8 s_6 = splat_f32x8(0.0f);
                f32x8 s_7 = splat_f32x8(0.0f);
                f32x8 s_8 = splat_f32x8(0.0f);
                f32x8 s_9 = splat_f32x8(0.0f);
                f32x8 s_10 = splat_f32x8(0.0f);
                f32x8 s_11 = splat_f32x8(0.0f);
                f32x8 s_12 = splat_f32x8(0.0f);
                for (int64_t i_3 = 0; i_3 + 32 <= 1023; i_3 += 32) {
                    f32x8 d_7 = load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + i_3) - highs_2;
                    f32x8 dys = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + i_3);
                    f32x8 g_2 = dys * relu_slope_f32x8(fma_f32x8(d_7, spread, spread_2));
                    s_5 = s_5 + g_2;
                    s_6 = fma_f32x8(g_2, d_7, s_6);
                    f32x8 d_8 = load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 8)) - highs_2;
                    f32x8 dys_2 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 8));
                    f32x8 g_3 = dys_2 * relu_slope_f32x8(fma_f32x8(d_8, spread, spread_2));
                    s_7 = s_7 + g_3;
                    s_8 = fma_f32x8(g_3, d_8, s_8);
                    f32x8 d_9 = load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 16)) - highs_2;
                    f32x8 dys_3 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 16));
                    f32x8 g_4 = dys_3 * relu_slope_f32x8(fma_f32x8(d_9, spread, spread_2));
                    s_9 = s_9 + g_4;
                    s_10 = fma_f32x8(g_4, d_9, s_10);
                    f32x8 d_10 = load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 24)) - highs_2;
                    f32x8 dys_4 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 24));
                    f32x8 g_5 = dys_4 * relu_slope_f32x8(fma_f32x8(d_10, spread, spread_2));
                    s_11 = s_11 + g_5;
                    s_12 = fma_f32x8(g_5, d_10, s_12);
                }
                for (int64_t i_4 = 992; i_4 + 8 <= 1023; i_4 += 8) {
                    f32x8 d_11 = load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + i_4) - highs_2;
                    f32x8 dys_5 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + i_4);
                    f32x8 g_6 = dys_5 * relu_slope_f32x8(fma_f32x8(d_11, spread, spread_2));
                    s_5 = s_5 + g_6;
                    s_6 = fma_f32x8(g_6, d_11, s_6);
                }
                if (1016 < 1023) {
                    f32x8 d_12 = load_part_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + 1016, 7, highs_2) - highs_2;
                    f32x8 dys_6 = load_part_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + 1016, 7, splat_f32x8(0.0f));
                    f32x8 g_7 = dys_6 * relu_slope_f32x8(fma_f32x8(d_12, spread, spread_2));
                    s_5 = s_5 + g_7;
                    s_6 = fma_f32x8(g_7, d_12, s_6);
                }
                double sum_g_block = sum_f64x8(cast_f64x8_from_f32(s_5 + s_7 + (s_9 + s_11)));
                sum_g = sum_g + sum_g_block;
                double sum_gd_block = sum_f64x8(cast_f64x8_from_f32(s_6 + s_8 + (s_10 + s_12)));
                sum_gd = sum_gd + sum_gd_block;
                const int64_t channel_2 = g * 3 + c_2;
                double sum_gx = (sum_gd - cast_f64_from_f32(low) * sum_g) * cast_f64_from_f32(rstd_1);
                double weight = cast_f64_from_f32(gamma[channel_2]);
                channel_sums[n * 48 + channel_2] = sum_g;
                all_g = fma_f64(sum_g, weight, all_g);
                channel_sums[n * 48 + 24 + channel_2] = sum_gx;
                all_gx = fma_f64(sum_gx, weight, all_gx);
            }
            double wide_rstd = cast_f64_from_f32(rstd_1);
            double wide_tilt = -(wide_rstd * wide_rstd * (all_gx / 3069.0));
            double wide_level = -(wide_rstd * (all_g / 3069.0)) - cast_f64_from_f32(low) * wide_tilt;
            float tilt = cast_f32_from_f64(wide_tilt);
            float level = cast_f32_from_f64(wide_level);
            for (int64_t c_3 = 0; c_3 < 3; c_3 += 1) {
                const int64_t channel_3 = g * 3 + c_3;
                float scale_2 = rstd_1 * gamma[channel_3];
                float offset_2 = fma_f32(-low, scale_2, beta[channel_3]);
                f32x8 highs_3 = splat_f32x8(high_2);
                f32x8 scales = splat_f32x8(scale_2);
                f32x8 tilts = splat_f32x8(tilt);
                f32x8 levels = splat_f32x8(level);
                f32x8 offsets = splat_f32x8(offset_2);
                const int64_t phase = peel_f32(dx, n * 24552 + g * 3069 + c_3 * 1023, 8);
                const int64_t aligned = advance(0, phase, 1023);
                if (0 < aligned) {
                    f32x8 d_13 = load_part_f32x8(x, n * 24552 + g * 3069 + c_3 * 1023, aligned, splat_f32x8(0.0f)) - highs_3;
                    f32x8 dys_7 = load_part_f32x8(dy, n * 24552 + g * 3069 + c_3 * 1023, aligned, splat_f32x8(0.0f));
                    f32x8 g_8 = dys_7 * relu_slope_f32x8(fma_f32x8(d_13, scales, offsets));
                    store_part_f32x8(dx, n * 24552 + g * 3069 + c_3 * 1023, aligned, fma_f32x8(d_13, tilts, fma_f32x8(g_8, scales, levels)));
                }
#pragma GCC unroll 4
                for (int64_t i_5 = aligned; i_5 + 8 <= 1023; i_5 += 8) {
                    f32x8 d_14 = load_f32x8(x, n * 24552 + g * 3069 + c_3 * 1023 + i_5) - highs_3;
                    f32x8 dys_8 = load_f32x8(dy, n * 24552 + g * 3069 + c_3 * 1023 + i_5);
                    f32x8 g_9 = dys_8 * relu_slope_f32x8(fma_f32x8(d_14, scales, offsets));
                    store_f32x8(dx, n * 24552 + g * 3069 + c_3 * 1023 + i_5, fma_f32x8(d_14, tilts, fma_f32x8(g_9, scales, levels)));
                }
                const int64_t tail = main_end(aligned, 1023, 8);
                if (tail < 1023) {
                    f32x8 d_15 = load_part_f32x8(x, n * 24552 + g * 3069 + c_3 * 1023 + tail, 1023 - tail, splat_f32x8(0.0f)) - highs_3;
                    f32x8 dys_9 = load_part_f32x8(dy, n * 24552 + g * 3069 + c_3 * 1023 + tail, 1023 - tail, splat_f32x8(0.0f));
                    f32x8 g_10 = dys_9 * relu_slope_f32x8(fma_f32x8(d_15, scales, offsets));
                    store_part_f32x8(dx, n * 24552 + g * 3069 + c_3 * 1023 + tail, 1023 - tail, fma_f32x8(d_15, tilts, fma_f32x8(g_10, scales, levels)));
                }
            }
        }
#pragma omp for schedule(static)
        for (int64_t tile = 0; tile < 1; tile++) {
            for (int64_t c_4 = 0; c_4 + 4 <= 24; c_4 += 4) {
                f64x4 d_dbeta = splat_f64x4(0.0);
                f64x4 d_dgamma = splat_f64x4(0.0);
                for (int64_t n_2 = 0; n_2 < batch; n_2 += 1) {
                    d_dbeta = d_dbeta + load_f64x4(channel_sums, n_2 * 48 + c_4);
                    d_dgamma = d_dgamma + load_f64x4(channel_sums, n_2 * 48 + 24 + c_4);
                }
                store_f32x4(dbeta, c_4, cast_f32x4_from_f64(d_dbeta));
                store_f32x4(dgamma, c_4, cast_f32x4_from_f64(d_dgamma));
            }
        }
}
}
