/* gn_bf16_o4096_g32_c10_i1: group normalisation, specialised by gngen.
 *
 * input   x        bf16[batch * 1310720]
 * input   gamma    float[320]
 * input   beta     float[320]
 * output  y        bf16[batch * 1310720]
 * scratch partial  float[batch * 10240]
 * scratch stats    double[batch * 64]
 *
 * bf16: the bits of a number in a uint16_t; it is computed with as a float.
 *
 * Machine: x86-64 with AVX-512; 512-bit vectors.
 * Multiplications and additions are fused only where fma_* says so: compile with -ffp-contract=off.
 */
#include <math.h>
#include <stdint.h>

typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef uint16_t bf16x4 __attribute__((vector_size(8)));
typedef uint16_t bf16x4_unaligned __attribute__((vector_size(8), aligned(2), may_alias));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x4_unaligned __attribute__((vector_size(32), aligned(8), may_alias));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_unaligned __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8_unaligned __attribute__((vector_size(64), aligned(8), may_alias));
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t bf16x32 __attribute__((vector_size(64)));
typedef uint16_t bf16x32_unaligned __attribute__((vector_size(64), aligned(2), may_alias));

/* Where a loop of full steps leaves off; a step forward that stops at the end. */
static inline int64_t main_end(int64_t start, int64_t stop, int64_t step) { return start + (stop - start) / step * step; }
static inline int64_t advance(int64_t start, int64_t by, int64_t stop) { return start + by < stop ? start + by : stop; }
static inline int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }

/* The bits of a float, and the float of some bits. */
static inline uint32_t bits_of(float a) { union { float from; uint32_t to; } u = {a}; return u.to; }
static inline float float_of(uint32_t a) { union { uint32_t from; float to; } u = {a}; return u.to; }

static inline double abs_f64(double a) { return __builtin_fabs(a); }

/* The sums of neighbouring bfloat16s, the upper of each word first, added to a total. */
static inline f32x16 add_pairs_f32x16(f32x16 total, bf16x32 a) {
    typedef uint32_t bits __attribute__((vector_size(64)));
    const f32x16 even = (f32x16)((bits)a << 16), odd = (f32x16)((bits)a & 0xffff0000u);
    return (total + odd) + even;
}

static inline uint16_t cast_bf16_from_f32(float a) {
    typedef uint32_t bits;
    const bits word = bits_of(a), nan = -(bits)(a != a);
    const bits rounded = (word + 0x7fff + (word >> 16 & 1)) >> 16, quiet = word >> 16 | 0x40;
    return (uint16_t)((quiet & nan) | (rounded & ~nan));
}

static inline float cast_f32_from_bf16(uint16_t a) {
    typedef uint32_t bits;
    return float_of((bits)a << 16);
}

static inline float cast_f32_from_f64(double a) { return (float)a; }

static inline f32x4 cast_f32x4_from_bf16(bf16x4 a) {
    typedef uint32_t bits __attribute__((vector_size(16)));
    return (f32x4)(__builtin_convertvector(a, bits) << 16);
}

static inline double cast_f64_from_f32(float a) { return (double)a; }

static inline f64x4 cast_f64x4_from_f32(f32x4 a) { return __builtin_convertvector(a, f64x4); }

static inline f64x8 cast_f64x8_from_f32(f32x8 a) { return __builtin_convertvector(a, f64x8); }

/* The even lanes of bfloat16s as floats: the lower half of each word. */
static inline f32x16 even_f32x16(bf16x32 a) {
    typedef uint32_t bits __attribute__((vector_size(64)));
    return (f32x16)((bits)a << 16);
}

/* The even lanes of a, then of b. */
static inline f32x16 even_of_two_f32x16(f32x16 a, f32x16 b) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#else
    return __builtin_shuffle(a, b, (i32x16){0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30});
#endif
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

/* a * b + c, rounded once. */
static inline f64x4 fma_f64x4(f64x4 a, f64x4 b, f64x4 c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#else
    return __builtin_ia32_vfmaddpd256(a, b, c);
#endif
}


static inline bf16x4 load_bf16x4(const uint16_t *p, int64_t i) { return *(const bf16x4_unaligned *)(p + i); }

static inline bf16x32 load_bf16x32(const uint16_t *p, int64_t i) { return *(const bf16x32_unaligned *)(p + i); }

static inline f32x8 load_f32x8(const float *p, int64_t i) { return *(const f32x8_unaligned *)(p + i); }

static inline f32x16 load_f32x16(const float *p, int64_t i) { return *(const f32x16_unaligned *)(p + i); }


static inline f64x4 load_f64x4(const double *p, int64_t i) { return *(const f64x4_unaligned *)(p + i); }

/* The first n lanes from p + i, the rest from fill. */
static inline bf16x32 load_part_bf16x32(const uint16_t *p, int64_t i, int64_t n, bf16x32 fill) {
    typedef short shorts __attribute__((vector_size(64)));
    const unsigned mask = n >= 32 ? 4294967295u : (1u << n) - 1;
    return (bf16x32)__builtin_ia32_loaddquhi512_mask((const void *)(p + i), (shorts)fill, mask);
}

/* The first n lanes from p + i, the rest from fill. */
static inline f32x16 load_part_f32x16(const float *p, int64_t i, int64_t n, f32x16 fill) {
    const unsigned mask = n >= 16 ? 65535u : (1u << n) - 1;
    return __builtin_ia32_loadups512_mask(p + i, fill, mask);
}

static inline double max_f64(double a, double b) { return b > a ? b : a; }

static inline double min_f64(double a, double b) { return b < a ? b : a; }

static inline int64_t not_m64(int64_t mask) { return !mask; }

/* The odd lanes of bfloat16s as floats: the upper half of each word. */
static inline f32x16 odd_f32x16(bf16x32 a) {
    typedef uint32_t bits __attribute__((vector_size(64)));
    return (f32x16)((bits)a & 0xffff0000u);
}

/* The odd lanes of a, then of b. */
static inline f32x16 odd_of_two_f32x16(f32x16 a, f32x16 b) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#else
    return __builtin_shuffle(a, b, (i32x16){1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31});
#endif
}

/* How many elements from p + i come before the first that is aligned to `lanes` elements. */
static inline int64_t peel_bf16(const uint16_t *p, int64_t i, int64_t lanes) { return (int64_t)(-((uintptr_t)(p + i) / sizeof *p)) & (lanes - 1); }

/* The sum of the lanes, the upper half onto the lower, and so on. */
static inline double sum_f64x4(f64x4 v) {
    const union { f64x4 whole; f64x2 half[2]; } u2 = {v};
    const f64x2 v2 = u2.half[0] + u2.half[1];
    return v2[0] + v2[1];
}

static inline double select_f64(int64_t mask, double a, double b) { return mask ? a : b; }

static inline bf16x32 splat_bf16x32(uint16_t a) { return (bf16x32){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }

static inline f32x16 splat_f32x16(float a) { return (f32x16){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }

static inline f64x4 splat_f64x4(double a) { return (f64x4){a, a, a, a}; }

static inline f64x8 splat_f64x8(double a) { return (f64x8){a, a, a, a, a, a, a, a}; }

static inline double sqrt_f64(double a) { return sqrt(a); }

static inline void store_bf16x32(uint16_t *p, int64_t i, bf16x32 v) { *(bf16x32_unaligned *)(p + i) = v; }

static inline void store_f32x16(float *p, int64_t i, f32x16 v) { *(f32x16_unaligned *)(p + i) = v; }


static inline void store_f64x8(double *p, int64_t i, f64x8 v) { *(f64x8_unaligned *)(p + i) = v; }

/* The first n lanes to p + i. */
static inline void store_part_bf16x32(uint16_t *p, int64_t i, int64_t n, bf16x32 v) {
    typedef short shorts __attribute__((vector_size(64)));
    const unsigned mask = n >= 32 ? 4294967295u : (1u << n) - 1;
    __builtin_ia32_storedquhi512_mask((void *)(p + i), (shorts)v, mask);
}

/* The first n lanes to p + i. */
static inline void store_part_f32x16(float *p, int64_t i, int64_t n, f32x16 v) {
    const unsigned mask = n >= 16 ? 65535u : (1u << n) - 1;
    __builtin_ia32_storeups512_mask(p + i, v, mask);
}

static inline bf16x32 zip_bf16x32(f32x16 a, f32x16 b) {
    typedef uint32_t bits __attribute__((vector_size(64)));
#if !defined(__clang__) /* which finds the masks by itself */
    typedef int ints __attribute__((vector_size(64)));
    typedef short shorts __attribute__((vector_size(64)));
    const ints none = {0}, one = none + 1, quiet = none + 0x400000, last = none + 0x10000;
    ints x = (ints)((bits)a + 0x7fff), y = (ints)((bits)b + 0x7fff);
    x = __builtin_ia32_paddd512_mask(x, one, x, __builtin_ia32_ptestmd512((ints)a, last, (unsigned short)-1));
    y = __builtin_ia32_paddd512_mask(y, one, y, __builtin_ia32_ptestmd512((ints)b, last, (unsigned short)-1));
    x = __builtin_ia32_pord512_mask((ints)a, quiet, x, __builtin_ia32_cmpps512_mask(a, a, 3, (unsigned short)-1, 4));
    y = __builtin_ia32_pord512_mask((ints)b, quiet, y, __builtin_ia32_cmpps512_mask(b, b, 3, (unsigned short)-1, 4));
    return (bf16x32)__builtin_ia32_blendmw_512_mask((shorts)((bits)x >> 16), (shorts)y, 0xaaaaaaaau);
#else
    const bits x = (bits)a, y = (bits)b, x_nan = (bits)(a != a), y_nan = (bits)(b != b);
    const bits low = ((x + 0x7fff + (x >> 16 & 1)) & ~x_nan) | ((x | 0x400000) & x_nan);
    const bits high = ((y + 0x7fff + (y >> 16 & 1)) & ~y_nan) | ((y | 0x400000) & y_nan);
    return (bf16x32)(low >> 16 | (high & 0xffff0000u));
#endif
}

/* The sums of neighbouring bfloat16s' squares, the upper of each word first, added to a total. */
static inline f32x16 dot_pairs_f32x16(f32x16 total, bf16x32 a) {
    typedef uint32_t bits __attribute__((vector_size(64)));
    const f32x16 even = (f32x16)((bits)a << 16), odd = (f32x16)((bits)a & 0xffff0000u);
    return fma_f32x16(even, even, fma_f32x16(odd, odd, total));
}

/* Make streaming stores visible before what follows. */
static inline void fence(void) { __builtin_ia32_sfence(); }

void gn_bf16_o4096_g32_c10_i1(const uint16_t *x, const float *gamma, const float *beta, uint16_t *y, float *partial, double *stats, int64_t batch, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
#pragma omp for schedule(static)
        for (int64_t n = 0; n < batch; n++) {
            for (int64_t slab = 0; slab < 32; slab += 1) {
                const int64_t slab_first = slab * 40960;
                const int64_t slab_last = slab_first + 40960;
                float sums[160] __attribute__((aligned(64)));
                float squares[160] __attribute__((aligned(64)));
                for (int64_t j = 0; j + 16 <= 160; j += 16) {
                    store_f32x16(sums, j, splat_f32x16(0.0f));
                    store_f32x16(squares, j, splat_f32x16(0.0f));
                }
                for (int64_t strip = slab_first; strip + 2560 <= slab_last; strip += 2560) {
                    for (int64_t j_2 = 0; j_2 + 16 <= 160; j_2 += 16) {
                        f32x16 s = load_f32x16(sums, j_2);
                        f32x16 q = load_f32x16(squares, j_2);
                        bf16x32 pairs = load_bf16x32(x, n * 1310720 + (strip + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs);
                        q = dot_pairs_f32x16(q, pairs);
                        bf16x32 pairs_2 = load_bf16x32(x, n * 1310720 + (strip + 320 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_2);
                        q = dot_pairs_f32x16(q, pairs_2);
                        bf16x32 pairs_3 = load_bf16x32(x, n * 1310720 + (strip + 640 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_3);
                        q = dot_pairs_f32x16(q, pairs_3);
                        bf16x32 pairs_4 = load_bf16x32(x, n * 1310720 + (strip + 960 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_4);
                        q = dot_pairs_f32x16(q, pairs_4);
                        bf16x32 pairs_5 = load_bf16x32(x, n * 1310720 + (strip + 1280 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_5);
                        q = dot_pairs_f32x16(q, pairs_5);
                        bf16x32 pairs_6 = load_bf16x32(x, n * 1310720 + (strip + 1600 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_6);
                        q = dot_pairs_f32x16(q, pairs_6);
                        bf16x32 pairs_7 = load_bf16x32(x, n * 1310720 + (strip + 1920 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_7);
                        q = dot_pairs_f32x16(q, pairs_7);
                        bf16x32 pairs_8 = load_bf16x32(x, n * 1310720 + (strip + 2240 + j_2 * 2));
                        s = add_pairs_f32x16(s, pairs_8);
                        q = dot_pairs_f32x16(q, pairs_8);
                        store_f32x16(sums, j_2, s);
                        store_f32x16(squares, j_2, q);
                    }
                }
                const int64_t rest = main_end(slab_first, slab_last, 2560);
                for (int64_t strip_2 = rest; strip_2 + 320 <= slab_last; strip_2 += 320) {
                    for (int64_t j_3 = 0; j_3 + 16 <= 160; j_3 += 16) {
                        f32x16 s_2 = load_f32x16(sums, j_3);
                        f32x16 q_2 = load_f32x16(squares, j_3);
                        bf16x32 pairs_9 = load_bf16x32(x, n * 1310720 + (strip_2 + j_3 * 2));
                        s_2 = add_pairs_f32x16(s_2, pairs_9);
                        q_2 = dot_pairs_f32x16(q_2, pairs_9);
                        store_f32x16(sums, j_3, s_2);
                        store_f32x16(squares, j_3, q_2);
                    }
                }
                for (int64_t j_4 = 0; j_4 + 16 <= 160; j_4 += 16) {
                    store_f32x16(partial, n * 10240 + slab * 320 + j_4, load_f32x16(sums, j_4));
                    store_f32x16(partial, n * 10240 + slab * 320 + 160 + j_4, load_f32x16(squares, j_4));
                }
            }
            for (int64_t part = 0; part < 4; part += 1) {
                const int64_t first = part * 40;
                double sums_2[40] __attribute__((aligned(64)));
                double squares_2[40] __attribute__((aligned(64)));
                for (int64_t j_5 = 0; j_5 + 8 <= 40; j_5 += 8) {
                    f64x8 s_3 = splat_f64x8(0.0);
                    f64x8 q_3 = splat_f64x8(0.0);
                    for (int64_t slab_2 = 0; slab_2 < 32; slab_2 += 1) {
                        s_3 = s_3 + cast_f64x8_from_f32(load_f32x8(partial, n * 10240 + slab_2 * 320 + (first + j_5)));
                        q_3 = q_3 + cast_f64x8_from_f32(load_f32x8(partial, n * 10240 + slab_2 * 320 + 160 + (first + j_5)));
                    }
                    store_f64x8(sums_2, j_5, s_3);
                    store_f64x8(squares_2, j_5, q_3);
                }
                for (int64_t g = 0; g < 8; g += 1) {
                    const int64_t at = g * 5;
                    const int64_t column_end = at + 5;
                    f64x4 total = splat_f64x4(0.0);
                    for (int64_t e = at; e + 4 <= column_end; e += 4) {
                        total = total + load_f64x4(sums_2, e);
                    }
                    double total_2 = 0.0;
                    for (int64_t e_2 = at + 4; e_2 < column_end; e_2 += 1) {
                        total_2 = total_2 + sums_2[e_2];
                    }
                    double total_3 = sum_f64x4(total) + total_2;
                    const int64_t column_end_2 = at + 5;
                    f64x4 squares_3 = splat_f64x4(0.0);
                    for (int64_t e_3 = at; e_3 + 4 <= column_end_2; e_3 += 4) {
                        squares_3 = squares_3 + load_f64x4(squares_2, e_3);
                    }
                    double squares_4 = 0.0;
                    for (int64_t e_4 = at + 4; e_4 < column_end_2; e_4 += 1) {
                        squares_4 = squares_4 + squares_2[e_4];
                    }
                    double squares_5 = sum_f64x4(squares_3) + squares_4;
                    const int64_t column = (first + at) * 2;
                    double off = total_3 / 40960.0;
                    double block_mean = off;
                    double block_m2 = squares_5 - total_3 * off;
                    if (not_m64(max_f64(squares_5, 40960.0 * 1e-30) <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38))) {
                        double center = cast_f64_from_f32(cast_f32_from_bf16(cast_bf16_from_f32(cast_f32_from_f64(select_f64(abs_f64(block_mean) <= 1e+38, block_mean, 0.0)))));
                        f64x4 centers = splat_f64x4(center);
                        f64x4 redo_rest = splat_f64x4(0.0);
                        f64x4 redo_square = splat_f64x4(0.0);
                        double redo_rest_2 = 0.0;
                        double redo_square_2 = 0.0;
                        for (int64_t row = 0; row < 4096; row += 1) {
                            for (int64_t i = 0; i + 4 <= 10; i += 4) {
                                f64x4 e_5 = cast_f64x4_from_f32(cast_f32x4_from_bf16(load_bf16x4(x, n * 1310720 + row * 320 + (column + i)))) - centers;
                                redo_rest = redo_rest + e_5;
                                redo_square = fma_f64x4(e_5, e_5, redo_square);
                            }
                            for (int64_t i_2 = 8; i_2 < 10; i_2 += 1) {
                                double e_6 = cast_f64_from_f32(cast_f32_from_bf16(x[n * 1310720 + row * 320 + (column + i_2)])) - center;
                                redo_rest_2 = redo_rest_2 + e_6;
                                redo_square_2 = fma_f64(e_6, e_6, redo_square_2);
                            }
                        }
                        double redo_rest_3 = sum_f64x4(redo_rest) + redo_rest_2;
                        double redo_square_3 = sum_f64x4(redo_square) + redo_square_2;
                        block_mean = center + redo_rest_3 / 40960.0;
                        block_m2 = redo_square_3 - redo_rest_3 * redo_rest_3 / 40960.0;
                    }
                    const int64_t group = part * 8 + g;
                    double spread = max_f64(block_m2, 0.0) / 40960.0 + 0.001;
                    double rstd_all = 1.0 / sqrt_f64(spread);
                    stats[n * 64 + group * 2] = block_mean;
                    stats[n * 64 + group * 2 + 1] = rstd_all;
                }
            }
            for (int64_t once = 0; once < 1; once += 1) {
                float high[352] __attribute__((aligned(64)));
                float scale[352] __attribute__((aligned(64)));
                float offset[352] __attribute__((aligned(64)));
                for (int64_t g_2 = 0; g_2 < 32; g_2 += 1) {
                    double mean_all = stats[n * 64 + g_2 * 2];
                    double rstd_all_2 = stats[n * 64 + g_2 * 2 + 1];
                    float mean_high = cast_f32_from_f64(mean_all);
                    float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
                    float rstd_1 = cast_f32_from_f64(rstd_all_2);
                    const int64_t base = g_2 * 10;
                    f32x16 scale_3 = splat_f32x16(rstd_1) * load_part_f32x16(gamma, g_2 * 10, g_2 * 10 + 10 - g_2 * 10, splat_f32x16(0.0f));
                    f32x16 offset_3 = fma_f32x16(-splat_f32x16(mean_low), scale_3, load_part_f32x16(beta, g_2 * 10, g_2 * 10 + 10 - g_2 * 10, splat_f32x16(0.0f)));
                    store_part_f32x16(high, base, base + 10 - base, splat_f32x16(mean_high));
                    store_part_f32x16(scale, base, base + 10 - base, scale_3);
                    store_part_f32x16(offset, base, base + 10 - base, offset_3);
                }
                /* the row again, for what reaches past its end */
                for (int64_t copy_2 = 320; copy_2 + 16 <= 352; copy_2 += 16) {
                    store_f32x16(high, copy_2, load_f32x16(high, copy_2 - 320));
                    store_f32x16(scale, copy_2, load_f32x16(scale, copy_2 - 320));
                    store_f32x16(offset, copy_2, load_f32x16(offset, copy_2 - 320));
                }
                const int64_t phase = peel_bf16(y, n * 1310720, 32);
                const int64_t aligned = advance(0, phase, 1310720);
                if (0 < aligned) {
                    f32x16 columns = load_f32x16(high, 0);
                    f32x16 columns_2 = load_f32x16(high, 16);
                    f32x16 columns_3 = load_f32x16(scale, 0);
                    f32x16 columns_4 = load_f32x16(scale, 16);
                    f32x16 columns_5 = load_f32x16(offset, 0);
                    f32x16 columns_6 = load_f32x16(offset, 16);
                    f32x16 highs = even_of_two_f32x16(columns, columns_2);
                    f32x16 scales = even_of_two_f32x16(columns_3, columns_4);
                    f32x16 offsets = even_of_two_f32x16(columns_5, columns_6);
                    f32x16 highs_2 = odd_of_two_f32x16(columns, columns_2);
                    f32x16 scales_2 = odd_of_two_f32x16(columns_3, columns_4);
                    f32x16 offsets_2 = odd_of_two_f32x16(columns_5, columns_6);
                    bf16x32 pairs_10 = load_part_bf16x32(x, n * 1310720, aligned, splat_bf16x32(0));
                    store_part_bf16x32(y, n * 1310720, aligned, zip_bf16x32(fma_f32x16(even_f32x16(pairs_10) - highs, scales, offsets), fma_f32x16(odd_f32x16(pairs_10) - highs_2, scales_2, offsets_2)));
                }
                for (int64_t turn = 0; turn + 32 <= 320; turn += 32) {
                    f32x16 columns_7 = load_f32x16(high, phase + turn);
                    f32x16 columns_8 = load_f32x16(high, phase + turn + 16);
                    f32x16 turned = even_of_two_f32x16(columns_7, columns_8);
                    f32x16 turned_2 = odd_of_two_f32x16(columns_7, columns_8);
                    store_f32x16(high, turn, turned);
                    store_f32x16(high, turn + 16, turned_2);
                    f32x16 columns_9 = load_f32x16(scale, phase + turn);
                    f32x16 columns_10 = load_f32x16(scale, phase + turn + 16);
                    f32x16 turned_3 = even_of_two_f32x16(columns_9, columns_10);
                    f32x16 turned_4 = odd_of_two_f32x16(columns_9, columns_10);
                    store_f32x16(scale, turn, turned_3);
                    store_f32x16(scale, turn + 16, turned_4);
                    f32x16 columns_11 = load_f32x16(offset, phase + turn);
                    f32x16 columns_12 = load_f32x16(offset, phase + turn + 16);
                    f32x16 turned_5 = even_of_two_f32x16(columns_11, columns_12);
                    f32x16 turned_6 = odd_of_two_f32x16(columns_11, columns_12);
                    store_f32x16(offset, turn, turned_5);
                    store_f32x16(offset, turn + 16, turned_6);
                }
                const int64_t full = main_end(aligned, 1310720, 320);
                for (int64_t row_2 = aligned; row_2 + 1280 <= full; row_2 += 1280) {
                    for (int64_t j_6 = 0; j_6 + 32 <= 320; j_6 += 32) {
                        f32x16 highs_3 = load_f32x16(high, j_6);
                        f32x16 scales_3 = load_f32x16(scale, j_6);
                        f32x16 offsets_3 = load_f32x16(offset, j_6);
                        f32x16 highs_4 = load_f32x16(high, j_6 + 16);
                        f32x16 scales_4 = load_f32x16(scale, j_6 + 16);
                        f32x16 offsets_4 = load_f32x16(offset, j_6 + 16);
                        const int64_t at_2 = row_2 + j_6;
                        bf16x32 pairs_11 = load_bf16x32(x, n * 1310720 + at_2);
                        store_bf16x32(y, n * 1310720 + at_2, zip_bf16x32(fma_f32x16(even_f32x16(pairs_11) - highs_3, scales_3, offsets_3), fma_f32x16(odd_f32x16(pairs_11) - highs_4, scales_4, offsets_4)));
                        const int64_t at_3 = row_2 + 320 + j_6;
                        bf16x32 pairs_12 = load_bf16x32(x, n * 1310720 + at_3);
                        store_bf16x32(y, n * 1310720 + at_3, zip_bf16x32(fma_f32x16(even_f32x16(pairs_12) - highs_3, scales_3, offsets_3), fma_f32x16(odd_f32x16(pairs_12) - highs_4, scales_4, offsets_4)));
                        const int64_t at_4 = row_2 + 640 + j_6;
                        bf16x32 pairs_13 = load_bf16x32(x, n * 1310720 + at_4);
                        store_bf16x32(y, n * 1310720 + at_4, zip_bf16x32(fma_f32x16(even_f32x16(pairs_13) - highs_3, scales_3, offsets_3), fma_f32x16(odd_f32x16(pairs_13) - highs_4, scales_4, offsets_4)));
                        const int64_t at_5 = row_2 + 960 + j_6;
                        bf16x32 pairs_14 = load_bf16x32(x, n * 1310720 + at_5);
                        store_bf16x32(y, n * 1310720 + at_5, zip_bf16x32(fma_f32x16(even_f32x16(pairs_14) - highs_3, scales_3, offsets_3), fma_f32x16(odd_f32x16(pairs_14) - highs_4, scales_4, offsets_4)));
                    }
                }
                const int64_t rest_2 = main_end(aligned, full, 1280);
                for (int64_t row_3 = rest_2; row_3 + 320 <= full; row_3 += 320) {
#pragma GCC unroll 4
                    for (int64_t j_7 = 0; j_7 + 32 <= 320; j_7 += 32) {
                        f32x16 highs_5 = load_f32x16(high, j_7);
                        f32x16 scales_5 = load_f32x16(scale, j_7);
                        f32x16 offsets_5 = load_f32x16(offset, j_7);
                        f32x16 highs_6 = load_f32x16(high, j_7 + 16);
                        f32x16 scales_6 = load_f32x16(scale, j_7 + 16);
                        f32x16 offsets_6 = load_f32x16(offset, j_7 + 16);
                        const int64_t at_6 = row_3 + j_7;
                        bf16x32 pairs_15 = load_bf16x32(x, n * 1310720 + at_6);
                        store_bf16x32(y, n * 1310720 + at_6, zip_bf16x32(fma_f32x16(even_f32x16(pairs_15) - highs_5, scales_5, offsets_5), fma_f32x16(odd_f32x16(pairs_15) - highs_6, scales_6, offsets_6)));
                    }
                }
                for (int64_t j_8 = 0; j_8 + 32 <= 320; j_8 += 32) {
                    const int64_t at_7 = full + j_8;
                    if (at_7 < 1310720) {
                        f32x16 highs_7 = load_f32x16(high, j_8);
                        f32x16 scales_7 = load_f32x16(scale, j_8);
                        f32x16 offsets_7 = load_f32x16(offset, j_8);
                        f32x16 highs_8 = load_f32x16(high, j_8 + 16);
                        f32x16 scales_8 = load_f32x16(scale, j_8 + 16);
                        f32x16 offsets_8 = load_f32x16(offset, j_8 + 16);
                        bf16x32 pairs_16 = load_part_bf16x32(x, n * 1310720 + at_7, 1310720 - at_7, splat_bf16x32(0));
                        store_part_bf16x32(y, n * 1310720 + at_7, 1310720 - at_7, zip_bf16x32(fma_f32x16(even_f32x16(pairs_16) - highs_7, scales_7, offsets_7), fma_f32x16(odd_f32x16(pairs_16) - highs_8, scales_8, offsets_8)));
                    }
                }
            }
        }
}
}
