/* gn_bwd_f32_o4096_g32_c10_i1: group normalisation, specialised by gngen.
 *
 * input   dy       float[batch * 1310720]
 * input   x        float[batch * 1310720]
 * input   mean     float[batch * 32]
 * input   rstd     float[batch * 32]
 * input   gamma    float[320]
 * output  dx       float[batch * 1310720]
 * output  dgamma   float[320]
 * output  dbeta    float[320]
 * scratch channel_sums double[batch * 640]
 * scratch off      double[batch * 32]
 * scratch partial  float[batch * 20480]
 * scratch slopes   double[batch * 64]
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
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

static inline float abs_f32(float a) { return __builtin_fabsf(a); }

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline f32x4 cast_f32x4_from_f64(f64x4 a) { return __builtin_convertvector(a, f32x4); }

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline f64x4 cast_f64x4_from_f32(f32x4 a) { return __builtin_convertvector(a, f64x4); }

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

/* a * b + c, rounded once. */
static inline f64x4 fma_f64x4(f64x4 a, f64x4 b, f64x4 c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#else
    return __builtin_ia32_vfmaddpd256(a, b, c);
#endif
}


static inline f32x4 load_f32x4(const float *p, int64_t i) { return *(const f32x4_unaligned *)(p + i); }

static inline f32x8 load_f32x8(const float *p, int64_t i) { return *(const f32x8_unaligned *)(p + i); }


static inline f64x4 load_f64x4(const double *p, int64_t i) { return *(const f64x4_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline f32x8 load_part_f32x8(const float *p, int64_t i, int64_t n, f32x8 fill) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    const f32x8 part = __builtin_ia32_maskloadps256((const f32x8 *)(p + i), mask);
    return (f32x8)(((i32x8)part & mask) | ((i32x8)fill & ~mask));
}

static inline float max_f32(float a, float b) { return b > a ? b : a; }


/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_f32(const float *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* Begin to fetch the line of p + i into the second cache; a hint, for which any address will do. */
static inline void prefetch_f32(const float *p, int64_t i) { __builtin_prefetch(p + i, 0, 2); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x4(f64x4 v) {
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline f32x8 splat_f32x8(float a) { return (f32x8){a, a, a, a, a, a, a, a}; }

static inline f64x4 splat_f64x4(double a) { return (f64x4){a, a, a, a}; }

static inline void store_f32x4(float *p, int64_t i, f32x4 v) { *(f32x4_unaligned *)(p + i) = v; }

static inline void store_f32x8(float *p, int64_t i, f32x8 v) { *(f32x8_unaligned *)(p + i) = v; }


static inline void store_f64x4(double *p, int64_t i, f64x4 v) { *(f64x4_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_f32x8(float *p, int64_t i, int64_t n, f32x8 v) {
    const i32x8 mask = (i32x8){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(n < 8 ? n : 8);
    __builtin_ia32_maskstoreps256((f32x8 *)(p + i), mask, v);
}

/* A streaming store: past the caches; p + i is aligned to the vector. */
static inline void stream_f32x8(float *p, int64_t i, f32x8 v) {
#if defined(__clang__)
    __builtin_nontemporal_store(v, (f32x8 *)(p + i));
#else
    __builtin_ia32_movntps256(p + i, v);
#endif
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_bwd_f32_o4096_g32_c10_i1(const float *dy, const float *x, const float *mean, const float *rstd, const float *gamma, float *dx, float *dgamma, float *dbeta, double *channel_sums, double *off, float *partial, double *slopes, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        for (int64_t n = 0; n < batch; n += 1) {
#pragma omp for schedule(static)
            for (int64_t slab = 0; slab < 32; slab++) {
                float worst = 0.0f;
                for (int64_t g = 0; g < 32; g += 1) {
                    worst = max_f32(worst, abs_f32(mean[n * 32 + g]) * rstd[n * 32 + g]);
                }
                if (worst > 16.0f) {
                    float high[320] __attribute__((aligned(64)));
                    for (int64_t g_2 = 0; g_2 < 32; g_2 += 1) {
                        float high_2 = mean[n * 32 + g_2];
                        float rstd_1 = rstd[n * 32 + g_2];
                        store_f32x8(high, g_2 * 10, splat_f32x8(high_2));
                        store_part_f32x8(high, g_2 * 10 + 8, g_2 * 10 + 10 - (g_2 * 10 + 8), splat_f32x8(high_2));
                    }
                    float sum_d[320] __attribute__((aligned(64)));
                    for (int64_t j = 0; j + 8 <= 320; j += 8) {
                        store_f32x8(sum_d, j, splat_f32x8(0.0f));
                    }
                    const int64_t slab_first = slab * 40960;
                    const int64_t slab_last = slab_first + 40960;
                    for (int64_t row = slab_first; row + 1280 <= slab_last; row += 1280) {
                        for (int64_t j_2 = 0; j_2 + 8 <= 320; j_2 += 8) {
                            f32x8 s = load_f32x8(sum_d, j_2);
                            f32x8 highs = load_f32x8(high, j_2);
                            prefetch_f32(x, n * 1310720 + (row + j_2 + 5120));
                            prefetch_f32(dy, n * 1310720 + (row + j_2 + 5120));
                            prefetch_f32(x, n * 1310720 + (row + 320 + j_2 + 5120));
                            prefetch_f32(dy, n * 1310720 + (row + 320 + j_2 + 5120));
                            prefetch_f32(x, n * 1310720 + (row + 640 + j_2 + 5120));
                            prefetch_f32(dy, n * 1310720 + (row + 640 + j_2 + 5120));
                            prefetch_f32(x, n * 1310720 + (row + 960 + j_2 + 5120));
                            prefetch_f32(dy, n * 1310720 + (row + 960 + j_2 + 5120));
                            f32x8 d = load_f32x8(x, n * 1310720 + (row + j_2)) - highs;
                            s = s + d;
                            f32x8 d_2 = load_f32x8(x, n * 1310720 + (row + 320 + j_2)) - highs;
                            s = s + d_2;
                            f32x8 d_3 = load_f32x8(x, n * 1310720 + (row + 640 + j_2)) - highs;
                            s = s + d_3;
                            f32x8 d_4 = load_f32x8(x, n * 1310720 + (row + 960 + j_2)) - highs;
                            s = s + d_4;
                            store_f32x8(sum_d, j_2, s);
                        }
                    }
                    const int64_t rest = main_end(slab_first, slab_last, 1280);
                    for (int64_t row_2 = rest; row_2 + 320 <= slab_last; row_2 += 320) {
                        for (int64_t j_3 = 0; j_3 + 8 <= 320; j_3 += 8) {
                            f32x8 s_2 = load_f32x8(sum_d, j_3);
                            f32x8 highs_2 = load_f32x8(high, j_3);
                            f32x8 d_5 = load_f32x8(x, n * 1310720 + (row_2 + j_3)) - highs_2;
                            s_2 = s_2 + d_5;
                            store_f32x8(sum_d, j_3, s_2);
                        }
                    }
                    for (int64_t j_4 = 0; j_4 + 8 <= 320; j_4 += 8) {
                        store_f32x8(partial, n * 20480 + slab * 640 + j_4, load_f32x8(sum_d, j_4));
                    }
                }
            }
#pragma omp for schedule(static)
            for (int64_t part = 0; part < 4; part++) {
                for (int64_t g_3 = 0; g_3 < 8; g_3 += 1) {
                    off[n * 32 + (part * 8 + g_3)] = 0.0;
                }
                float worst_2 = 0.0f;
                for (int64_t g_4 = 0; g_4 < 32; g_4 += 1) {
                    worst_2 = max_f32(worst_2, abs_f32(mean[n * 32 + g_4]) * rstd[n * 32 + g_4]);
                }
                if (worst_2 > 16.0f) {
                    double total_g[80] __attribute__((aligned(64)));
                    const int64_t first = part * 80;
                    for (int64_t j_5 = 0; j_5 + 4 <= 80; j_5 += 4) {
                        f64x4 t = splat_f64x4(0.0);
                        for (int64_t slab_2 = 0; slab_2 < 32; slab_2 += 1) {
                            t = t + cast_f64x4_from_f32(load_f32x4(partial, n * 20480 + slab_2 * 640 + (first + j_5)));
                        }
                        store_f64x4(total_g, j_5, t);
                    }
                    for (int64_t g_5 = 0; g_5 < 8; g_5 += 1) {
                        const int64_t group = part * 8 + g_5;
                        if (abs_f32(mean[n * 32 + group]) * rstd[n * 32 + group] > 16.0f) {
                            double off_all = 0.0;
                            for (int64_t i = 0; i < 10; i += 1) {
                                off_all = off_all + total_g[g_5 * 10 + i];
                            }
                            off[n * 32 + group] = off_all / 40960.0;
                        }
                    }
                }
            }
#pragma omp for schedule(static)
            for (int64_t slab_3 = 0; slab_3 < 32; slab_3++) {
                float high_3[320] __attribute__((aligned(64)));
                for (int64_t g_6 = 0; g_6 < 32; g_6 += 1) {
                    float low = cast_f32_from_f64(off[n * 32 + g_6]);
                    float high_4 = mean[n * 32 + g_6];
                    float rstd_1_2 = rstd[n * 32 + g_6];
                    store_f32x8(high_3, g_6 * 10, splat_f32x8(high_4));
                    store_part_f32x8(high_3, g_6 * 10 + 8, g_6 * 10 + 10 - (g_6 * 10 + 8), splat_f32x8(high_4));
                }
                float sum_g[320] __attribute__((aligned(64)));
                float sum_gd[320] __attribute__((aligned(64)));
                for (int64_t j_6 = 0; j_6 + 8 <= 320; j_6 += 8) {
                    store_f32x8(sum_g, j_6, splat_f32x8(0.0f));
                    store_f32x8(sum_gd, j_6, splat_f32x8(0.0f));
                }
                const int64_t slab_first_2 = slab_3 * 40960;
                const int64_t slab_last_2 = slab_first_2 + 40960;
                for (int64_t row_3 = slab_first_2; row_3 + 1280 <= slab_last_2; row_3 += 1280) {
                    for (int64_t j_7 = 0; j_7 + 8 <= 320; j_7 += 8) {
                        f32x8 s_3 = load_f32x8(sum_g, j_7);
                        f32x8 s_4 = load_f32x8(sum_gd, j_7);
                        f32x8 highs_3 = load_f32x8(high_3, j_7);
                        prefetch_f32(x, n * 1310720 + (row_3 + j_7 + 5120));
                        prefetch_f32(dy, n * 1310720 + (row_3 + j_7 + 5120));
                        prefetch_f32(x, n * 1310720 + (row_3 + 320 + j_7 + 5120));
                        prefetch_f32(dy, n * 1310720 + (row_3 + 320 + j_7 + 5120));
                        prefetch_f32(x, n * 1310720 + (row_3 + 640 + j_7 + 5120));
                        prefetch_f32(dy, n * 1310720 + (row_3 + 640 + j_7 + 5120));
                        prefetch_f32(x, n * 1310720 + (row_3 + 960 + j_7 + 5120));
                        prefetch_f32(dy, n * 1310720 + (row_3 + 960 + j_7 + 5120));
                        f32x8 d_6 = load_f32x8(x, n * 1310720 + (row_3 + j_7)) - highs_3;
                        f32x8 dys = load_f32x8(dy, n * 1310720 + (row_3 + j_7));
                        s_3 = s_3 + dys;
                        s_4 = fma_f32x8(dys, d_6, s_4);
                        f32x8 d_7 = load_f32x8(x, n * 1310720 + (row_3 + 320 + j_7)) - highs_3;
                        f32x8 dys_2 = load_f32x8(dy, n * 1310720 + (row_3 + 320 + j_7));
                        s_3 = s_3 + dys_2;
                        s_4 = fma_f32x8(dys_2, d_7, s_4);
                        f32x8 d_8 = load_f32x8(x, n * 1310720 + (row_3 + 640 + j_7)) - highs_3;
                        f32x8 dys_3 = load_f32x8(dy, n * 1310720 + (row_3 + 640 + j_7));
                        s_3 = s_3 + dys_3;
                        s_4 = fma_f32x8(dys_3, d_8, s_4);
                        f32x8 d_9 = load_f32x8(x, n * 1310720 + (row_3 + 960 + j_7)) - highs_3;
                        f32x8 dys_4 = load_f32x8(dy, n * 1310720 + (row_3 + 960 + j_7));
                        s_3 = s_3 + dys_4;
                        s_4 = fma_f32x8(dys_4, d_9, s_4);
                        store_f32x8(sum_g, j_7, s_3);
                        store_f32x8(sum_gd, j_7, s_4);
                    }
                }
                const int64_t rest_2 = main_end(slab_first_2, slab_last_2, 1280);
                for (int64_t row_4 = rest_2; row_4 + 320 <= slab_last_2; row_4 += 320) {
                    for (int64_t j_8 = 0; j_8 + 8 <= 320; j_8 += 8) {
                        f32x8 s_5 = load_f32x8(sum_g, j_8);
                        f32x8 s_6 = load_f32x8(sum_gd, j_8);
                        f32x8 highs_4 = load_f32x8(high_3, j_8);
                        f32x8 d_10 = load_f32x8(x, n * 1310720 + (row_4 + j_8)) - highs_4;
                        f32x8 dys_5 = load_f32x8(dy, n * 1310720 + (row_4 + j_8));
                        s_5 = s_5 + dys_5;
                        s_6 = fma_f32x8(dys_5, d_10, s_6);
                        store_f32x8(sum_g, j_8, s_5);
                        store_f32x8(sum_gd, j_8, s_6);
                    }
                }
                for (int64_t j_9 = 0; j_9 + 8 <= 320; j_9 += 8) {
                    store_f32x8(partial, n * 20480 + slab_3 * 640 + j_9, load_f32x8(sum_g, j_9));
                    store_f32x8(partial, n * 20480 + slab_3 * 640 + 320 + j_9, load_f32x8(sum_gd, j_9));
                }
            }
#pragma omp for schedule(static)
            for (int64_t part_2 = 0; part_2 < 4; part_2++) {
                double total_g_2[80] __attribute__((aligned(64)));
                double total_gd[80] __attribute__((aligned(64)));
                const int64_t first_2 = part_2 * 80;
                for (int64_t j_10 = 0; j_10 + 4 <= 80; j_10 += 4) {
                    f64x4 t_2 = splat_f64x4(0.0);
                    f64x4 t_3 = splat_f64x4(0.0);
                    for (int64_t slab_4 = 0; slab_4 < 32; slab_4 += 1) {
                        t_2 = t_2 + cast_f64x4_from_f32(load_f32x4(partial, n * 20480 + slab_4 * 640 + (first_2 + j_10)));
                        t_3 = t_3 + cast_f64x4_from_f32(load_f32x4(partial, n * 20480 + slab_4 * 640 + 320 + (first_2 + j_10)));
                    }
                    store_f64x4(total_g_2, j_10, t_2);
                    store_f64x4(total_gd, j_10, t_3);
                }
                for (int64_t g_7 = 0; g_7 < 8; g_7 += 1) {
                    const int64_t group_2 = part_2 * 8 + g_7;
                    float low_2 = cast_f32_from_f64(off[n * 32 + group_2]);
                    float high_5 = mean[n * 32 + group_2];
                    float rstd_1_3 = rstd[n * 32 + group_2];
                    f64x4 all_g = splat_f64x4(0.0);
                    f64x4 all_gx = splat_f64x4(0.0);
                    for (int64_t c = 0; c + 4 <= 10; c += 4) {
                        const int64_t column = g_7 * 10 + c;
                        f64x4 channels_g = load_f64x4(total_g_2, column);
                        f64x4 channels_gd = load_f64x4(total_gd, column);
                        const int64_t channel = group_2 * 10 + c;
                        f64x4 sum_gx = (channels_gd - splat_f64x4(cast_f64_from_f32(low_2)) * channels_g) * splat_f64x4(cast_f64_from_f32(rstd_1_3));
                        f64x4 weight = cast_f64x4_from_f32(load_f32x4(gamma, channel));
                        store_f64x4(channel_sums, n * 640 + channel, channels_g);
                        all_g = fma_f64x4(channels_g, weight, all_g);
                        store_f64x4(channel_sums, n * 640 + 320 + channel, sum_gx);
                        all_gx = fma_f64x4(sum_gx, weight, all_gx);
                    }
                    double all_g_2 = 0.0;
                    double all_gx_2 = 0.0;
                    for (int64_t c_2 = 8; c_2 < 10; c_2 += 1) {
                        const int64_t column_2 = g_7 * 10 + c_2;
                        double channel_g = total_g_2[column_2];
                        double channel_gd = total_gd[column_2];
                        const int64_t channel_2 = group_2 * 10 + c_2;
                        double sum_gx_2 = (channel_gd - cast_f64_from_f32(low_2) * channel_g) * cast_f64_from_f32(rstd_1_3);
                        double weight_2 = cast_f64_from_f32(gamma[channel_2]);
                        channel_sums[n * 640 + channel_2] = channel_g;
                        all_g_2 = fma_f64(channel_g, weight_2, all_g_2);
                        channel_sums[n * 640 + 320 + channel_2] = sum_gx_2;
                        all_gx_2 = fma_f64(sum_gx_2, weight_2, all_gx_2);
                    }
                    double group_g = sum_f64x4(all_g) + all_g_2;
                    double group_gx = sum_f64x4(all_gx) + all_gx_2;
                    double wide_rstd = cast_f64_from_f32(rstd_1_3);
                    double wide_tilt = -(wide_rstd * wide_rstd * (group_gx / 40960.0));
                    double wide_level = -(wide_rstd * (group_g / 40960.0)) - cast_f64_from_f32(low_2) * wide_tilt;
                    slopes[n * 64 + group_2 * 2] = wide_tilt;
                    slopes[n * 64 + group_2 * 2 + 1] = wide_level;
                }
            }
#pragma omp for schedule(static)
            for (int64_t piece = 0; piece < 20; piece++) {
                const int64_t piece_first = (19 - piece) * 65600;
                const int64_t piece_last = min_i64(piece_first + 65600, 1310720);
                float high_6[320] __attribute__((aligned(64)));
                float scale[320] __attribute__((aligned(64)));
                float tilt[320] __attribute__((aligned(64)));
                float level[320] __attribute__((aligned(64)));
                for (int64_t g_8 = 0; g_8 < 32; g_8 += 1) {
                    float low_3 = cast_f32_from_f64(off[n * 32 + g_8]);
                    float high_7 = mean[n * 32 + g_8];
                    float rstd_1_4 = rstd[n * 32 + g_8];
                    float own_tilt = cast_f32_from_f64(slopes[n * 64 + g_8 * 2]);
                    float own_level = cast_f32_from_f64(slopes[n * 64 + g_8 * 2 + 1]);
                    f32x8 scale_2 = splat_f32x8(rstd_1_4) * load_f32x8(gamma, g_8 * 10);
                    store_f32x8(high_6, g_8 * 10, splat_f32x8(high_7));
                    store_f32x8(scale, g_8 * 10, scale_2);
                    store_f32x8(tilt, g_8 * 10, splat_f32x8(own_tilt));
                    store_f32x8(level, g_8 * 10, splat_f32x8(own_level));
                    f32x8 scale_3 = splat_f32x8(rstd_1_4) * load_part_f32x8(gamma, g_8 * 10 + 8, g_8 * 10 + 10 - (g_8 * 10 + 8), splat_f32x8(0.0f));
                    store_part_f32x8(high_6, g_8 * 10 + 8, g_8 * 10 + 10 - (g_8 * 10 + 8), splat_f32x8(high_7));
                    store_part_f32x8(scale, g_8 * 10 + 8, g_8 * 10 + 10 - (g_8 * 10 + 8), scale_3);
                    store_part_f32x8(tilt, g_8 * 10 + 8, g_8 * 10 + 10 - (g_8 * 10 + 8), splat_f32x8(own_tilt));
                    store_part_f32x8(level, g_8 * 10 + 8, g_8 * 10 + 10 - (g_8 * 10 + 8), splat_f32x8(own_level));
                }
                /* past the caches where dx is aligned, as it is from the first row to the last or nowhere */
                const int64_t phase = peel_f32(dx, n * 1310720 + piece_first, 8);
                if (phase < 1) {
                    for (int64_t row_5 = piece_first; row_5 + 320 <= piece_last; row_5 += 320) {
                        for (int64_t j_11 = 0; j_11 + 8 <= 320; j_11 += 8) {
                            f32x8 highs_5 = load_f32x8(high_6, j_11);
                            f32x8 scales = load_f32x8(scale, j_11);
                            f32x8 tilts = load_f32x8(tilt, j_11);
                            f32x8 levels = load_f32x8(level, j_11);
                            prefetch_f32(x, n * 1310720 + (row_5 + j_11 + 4096));
                            prefetch_f32(dy, n * 1310720 + (row_5 + j_11 + 4096));
                            f32x8 d_11 = load_f32x8(x, n * 1310720 + (row_5 + j_11)) - highs_5;
                            f32x8 dys_6 = load_f32x8(dy, n * 1310720 + (row_5 + j_11));
                            stream_f32x8(dx, n * 1310720 + (row_5 + j_11), fma_f32x8(d_11, tilts, fma_f32x8(dys_6, scales, levels)));
                        }
                    }
                }
                if (phase > 0) {
                    for (int64_t row_6 = piece_first; row_6 + 320 <= piece_last; row_6 += 320) {
                        for (int64_t j_12 = 0; j_12 + 8 <= 320; j_12 += 8) {
                            f32x8 highs_6 = load_f32x8(high_6, j_12);
                            f32x8 scales_2 = load_f32x8(scale, j_12);
                            f32x8 tilts_2 = load_f32x8(tilt, j_12);
                            f32x8 levels_2 = load_f32x8(level, j_12);
                            prefetch_f32(x, n * 1310720 + (row_6 + j_12 + 4096));
                            prefetch_f32(dy, n * 1310720 + (row_6 + j_12 + 4096));
                            f32x8 d_12 = load_f32x8(x, n * 1310720 + (row_6 + j_12)) - highs_6;
                            f32x8 dys_7 = load_f32x8(dy, n * 1310720 + (row_6 + j_12));
                            store_f32x8(dx, n * 1310720 + (row_6 + j_12), fma_f32x8(d_12, tilts_2, fma_f32x8(dys_7, scales_2, levels_2)));
                        }
                    }
                }
                fence();
            }
        }
#pragma omp for schedule(static)
        for (int64_t tile = 0; tile < 5; tile++) {
            const int64_t channel_first = tile * 64;
            const int64_t channel_last = channel_first + 64;
            for (int64_t c_3 = channel_first; c_3 + 4 <= channel_last; c_3 += 4) {
                f64x4 d_dbeta = splat_f64x4(0.0);
                f64x4 d_dgamma = splat_f64x4(0.0);
                for (int64_t n_2 = 0; n_2 < batch; n_2 += 1) {
                    d_dbeta = d_dbeta + load_f64x4(channel_sums, n_2 * 640 + c_3);
                    d_dgamma = d_dgamma + load_f64x4(channel_sums, n_2 * 640 + 320 + c_3);
                }
                store_f32x4(dbeta, c_3, cast_f32x4_from_f64(d_dbeta));
                store_f32x4(dgamma, c_3, cast_f32x4_from_f64(d_dgamma));
            }
        }
}
}
