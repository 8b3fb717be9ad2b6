/* gn_f32_o1_g32_c10_i4096_silu: group normalisation, specialised by gngen.
 *
 * input   x        float[batch * 1310720]
 * input   gamma    float[320]
 * input   beta     float[320]
 * output  y        float[batch * 1310720]
 *
 * Arrays lie on the device and begin at multiples of 16 bytes; outputs may be x or the residual themselves.
 * Machine: NVIDIA H100 (sm_90).
 * Multiplications and additions are fused only where fma_* says so: compile with -fmad=false.
 */
#include <cuda_runtime.h>
#include <math.h>
#include <stdint.h>
#include <cooperative_groups.h>

/* Vectors, lane by lane. */
template <class T, int N> struct vec { T at[N]; };
#define LANES _Pragma("unroll") for (int k = 0; k < N; k++)
template <class T, int N> __device__ __forceinline__ vec<T, N> operator+(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] + b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator-(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] - b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator*(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] * b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator/(vec<T, N> a, vec<T, N> b) { LANES a.at[k] = a.at[k] / b.at[k]; return a; }
template <class T, int N> __device__ __forceinline__ vec<T, N> operator-(vec<T, N> a) { LANES a.at[k] = -a.at[k]; return a; }
template <int N> __device__ __forceinline__ vec<int32_t, N> operator<<(vec<int32_t, N> a, vec<int32_t, N> b) { LANES a.at[k] = (uint32_t)a.at[k] << b.at[k]; return a; }
template <int N> __device__ __forceinline__ vec<int64_t, N> operator<<(vec<int64_t, N> a, vec<int64_t, N> b) { LANES a.at[k] = (uint64_t)a.at[k] << b.at[k]; return a; }
template <int N> __device__ __forceinline__ vec<int32_t, N> operator>(vec<float, N> a, vec<float, N> b) { vec<int32_t, N> m; LANES m.at[k] = a.at[k] > b.at[k]; return m; }
template <int N> __device__ __forceinline__ vec<int64_t, N> operator>(vec<double, N> a, vec<double, N> b) { vec<int64_t, N> m; LANES m.at[k] = a.at[k] > b.at[k]; return m; }
typedef vec<float, 2> f32x2;
typedef vec<double, 2> f64x2;
typedef vec<float, 4> f32x4;
typedef vec<double, 4> f64x4;
typedef vec<int32_t, 4> i32x4;

/* Of numbers that are never negative and of 32 bits. */
__device__ __forceinline__ int64_t div_i64(int64_t a, uint32_t b) { return (uint32_t)a / b; }
__device__ __forceinline__ int64_t rem_i64(int64_t a, uint32_t b) { return (uint32_t)a % b; }
__device__ __forceinline__ int64_t min_i64(int64_t a, int64_t b) { return b < a ? b : a; }
__device__ __forceinline__ int64_t max_i64(int64_t a, int64_t b) { return b > a ? b : a; }
__device__ __forceinline__ f32x4 bitcast_f32x4_from_i32(i32x4 a) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = __int_as_float(a.at[k]);
    return r;
}
__device__ __forceinline__ i32x4 bitcast_i32x4_from_f32(f32x4 a) {
    i32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = __float_as_int(a.at[k]);
    return r;
}
__device__ __forceinline__ float cast_f32_from_f64(double a) { return (float)a; }
__device__ __forceinline__ double cast_f64_from_f32(float a) { return (double)a; }
__device__ __forceinline__ f64x4 cast_f64x4_from_f32(f32x4 a) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = (double)a.at[k];
    return r;
}
__device__ __forceinline__ float fma_f32(float a, float b, float c) { return fmaf(a, b, c); }
__device__ __forceinline__ f32x4 fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = fmaf(a.at[k], b.at[k], c.at[k]);
    return r;
}
__device__ __forceinline__ double fma_f64(double a, double b, double c) { return fma(a, b, c); }
__device__ __forceinline__ f64x4 fma_f64x4(f64x4 a, f64x4 b, f64x4 c) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = fma(a.at[k], b.at[k], c.at[k]);
    return r;
}
__device__ __forceinline__ float from_lane_f32(float a, int lane) { return __shfl_sync(0xffffffffu, a, lane); }
__device__ __forceinline__ f32x4 load_f32x4(const float *p, int64_t i) {
    const float4 *q = (const float4 *)(p + i);
    const float4 v0 = q[0];
    return { {v0.x, v0.y, v0.z, v0.w} };
}
__device__ __forceinline__ f32x4 max_f32x4(f32x4 a, f32x4 b) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = b.at[k] > a.at[k] ? b.at[k] : a.at[k];
    return r;
}
__device__ __forceinline__ double max_f64(double a, double b) { return b > a ? b : a; }
__device__ __forceinline__ f32x4 min_f32x4(f32x4 a, f32x4 b) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = b.at[k] < a.at[k] ? b.at[k] : a.at[k];
    return r;
}
__device__ __forceinline__ bool not_m32(bool mask) { return !mask; }
/* The sum of the lanes, the upper half onto the lower, and so on. */
__device__ __forceinline__ float sum_f32x4(f32x4 v) {
#pragma unroll
    for (int half = 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) v.at[k] = v.at[k] + v.at[k + half];
    return v.at[0];
}
/* The sum of the lanes, the upper half onto the lower, and so on. */
__device__ __forceinline__ double sum_f64x4(f64x4 v) {
#pragma unroll
    for (int half = 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) v.at[k] = v.at[k] + v.at[k + half];
    return v.at[0];
}
__device__ __forceinline__ float shuffle_xor_f32(float a, int lanes) { return __shfl_xor_sync(0xffffffffu, a, lanes); }
__device__ __forceinline__ double shuffle_xor_f64(double a, int lanes) { return __shfl_xor_sync(0xffffffffu, a, lanes); }
__device__ __forceinline__ f32x4 splat_f32x4(float a) {
    f32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = a;
    return r;
}
__device__ __forceinline__ f64x4 splat_f64x4(double a) {
    f64x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = a;
    return r;
}
__device__ __forceinline__ i32x4 splat_i32x4(int32_t a) {
    i32x4 r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.at[k] = a;
    return r;
}
__device__ __forceinline__ double sqrt_f64(double a) { return sqrt(a); }
__device__ __forceinline__ void store_f32x4(float *p, int64_t i, f32x4 v) {
    float4 *q = (float4 *)(p + i);
    __stwb(q + 0, make_float4(v.at[0], v.at[1], v.at[2], v.at[3]));
}

__device__ __forceinline__ f32x4 silu_f32x4(f32x4 x) {
    f32x4 above = max_f32x4(x, splat_f32x4(-88.72284f));
    f32x4 inside = min_f32x4(above, splat_f32x4(88.02969f));
    f32x4 t = fma_f32x4(inside, splat_f32x4(-1.442695f), splat_f32x4(12583039.0f));
    f32x4 n = t - splat_f32x4(12583039.0f);
    f32x4 scale = bitcast_f32x4_from_i32(bitcast_i32x4_from_f32(t) << splat_i32x4(23));
    f32x4 r = fma_f32x4(n, splat_f32x4(0.69314575f), inside);
    f32x4 r_2 = fma_f32x4(n, splat_f32x4(1.4286068e-06f), r);
    f32x4 p = fma_f32x4(splat_f32x4(-0.008289932f), r_2, splat_f32x4(0.041898668f));
    f32x4 p_2 = fma_f32x4(p, r_2, splat_f32x4(-0.16667648f));
    f32x4 p_3 = fma_f32x4(p_2, r_2, splat_f32x4(0.49999145f));
    f32x4 p_4 = fma_f32x4(p_3, r_2, splat_f32x4(-0.9999997f));
    f32x4 p_5 = fma_f32x4(p_4, r_2, splat_f32x4(1.0f));
    f32x4 under = fma_f32x4(p_5, scale, splat_f32x4(1.0f));
    return above / under;
}

__global__ void __launch_bounds__(320, 2) gn_f32_o1_g32_c10_i4096_silu_kernel(const float *x, const float *__restrict__ gamma, const float *__restrict__ beta, float *y, int64_t batch) {
    const int64_t n = blockIdx.x / 128;
    const int64_t g = blockIdx.x / 4 % 32;
    const int64_t part = blockIdx.x % 4;
    const int64_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int64_t thread = warp * 32 + lane;
    f32x4 held[8];
    const int64_t first = part * 10 + warp;
    const int64_t start = first * 256 + lane;
#pragma unroll
    for (int64_t j = 0; j < 8; j += 1) {
        const int64_t v = start + j * 32;
        held[j] = load_f32x4(x, n * 1310720 + g * 40960 + v * 4);
    }
    __shared__ __align__(16) double own_part[20];
    f32x4 total = splat_f32x4(0.0f);
#pragma unroll
    for (int64_t j_3 = 0; j_3 < 8; j_3 += 1) {
        total = fma_f32x4(held[j_3], splat_f32x4(0.0009765625f), total);
    }
    float shared = sum_f32x4(total);
    shared = shared + shuffle_xor_f32(shared, 16);
    shared = shared + shuffle_xor_f32(shared, 8);
    shared = shared + shuffle_xor_f32(shared, 4);
    shared = shared + shuffle_xor_f32(shared, 2);
    shared = shared + shuffle_xor_f32(shared, 1);
    float center = cast_f32_from_f64(cast_f64_from_f32(shared) / 1024.0 * 1024.0);
    f32x4 rest = splat_f32x4(0.0f);
    f32x4 square = splat_f32x4(0.0f);
    f32x4 centers = splat_f32x4(center);
#pragma unroll
    for (int64_t j_5 = 0; j_5 < 8; j_5 += 1) {
        f32x4 d = held[j_5] - centers;
        rest = rest + d;
        square = fma_f32x4(d, d, square);
    }
    float rest_sum = sum_f32x4(rest);
    rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 16);
    rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 8);
    rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 4);
    rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 2);
    rest_sum = rest_sum + shuffle_xor_f32(rest_sum, 1);
    float square_sum = sum_f32x4(square);
    square_sum = square_sum + shuffle_xor_f32(square_sum, 16);
    square_sum = square_sum + shuffle_xor_f32(square_sum, 8);
    square_sum = square_sum + shuffle_xor_f32(square_sum, 4);
    square_sum = square_sum + shuffle_xor_f32(square_sum, 2);
    square_sum = square_sum + shuffle_xor_f32(square_sum, 1);
    double rests = cast_f64_from_f32(rest_sum);
    double squares = cast_f64_from_f32(square_sum);
    if (not_m32(from_lane_f32(square_sum, 0) <= 3.4028235e+38f)) {
        f64x4 rest_2 = splat_f64x4(0.0);
        f64x4 square_2 = splat_f64x4(0.0);
        f64x4 centers_2 = splat_f64x4(cast_f64_from_f32(center));
#pragma unroll
        for (int64_t j_7 = 0; j_7 < 8; j_7 += 1) {
            f64x4 d_3 = cast_f64x4_from_f32(held[j_7]) - centers_2;
            rest_2 = rest_2 + d_3;
            square_2 = fma_f64x4(d_3, d_3, square_2);
        }
        double rest_sum_2 = sum_f64x4(rest_2);
        rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 16);
        rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 8);
        rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 4);
        rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 2);
        rest_sum_2 = rest_sum_2 + shuffle_xor_f64(rest_sum_2, 1);
        double square_sum_2 = sum_f64x4(square_2);
        square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 16);
        square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 8);
        square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 4);
        square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 2);
        square_sum_2 = square_sum_2 + shuffle_xor_f64(square_sum_2, 1);
        rests = rest_sum_2;
        squares = square_sum_2;
    }
    double off = rests / 1024.0;
    double slice_mean = cast_f64_from_f32(center) + off;
    double slice_m2 = squares - rests * off;
    if (lane < 1) {
        own_part[warp * 2] = slice_mean;
        own_part[warp * 2 + 1] = slice_m2;
    }
    cooperative_groups::this_cluster().sync();
    __shared__ __align__(16) double near[80];
    const int64_t i = thread;
    if (i < 40) {
        near[i * 2] = *cooperative_groups::this_cluster().map_shared_rank(own_part + rem_i64(i, 10) * 2, div_i64(i, 10));
        near[i * 2 + 1] = *cooperative_groups::this_cluster().map_shared_rank(own_part + rem_i64(i, 10) * 2 + 1, div_i64(i, 10));
    }
    __syncthreads();
    double first_mean = near[0];
    double count_all = 0.0;
    double moved = 0.0;
#pragma unroll 1
    for (int64_t k = 0; k < 2; k += 1) {
        const int64_t i_2 = k * 32 + lane;
        if (i_2 < 40) {
            count_all = count_all + 1024.0;
            moved = fma_f64(1024.0, near[i_2 * 2] - first_mean, moved);
        }
    }
    double count = count_all;
    count = count + shuffle_xor_f64(count, 16);
    count = count + shuffle_xor_f64(count, 8);
    count = count + shuffle_xor_f64(count, 4);
    count = count + shuffle_xor_f64(count, 2);
    count = count + shuffle_xor_f64(count, 1);
    double whole = max_f64(count, 1.0);
    double moves = moved;
    moves = moves + shuffle_xor_f64(moves, 16);
    moves = moves + shuffle_xor_f64(moves, 8);
    moves = moves + shuffle_xor_f64(moves, 4);
    moves = moves + shuffle_xor_f64(moves, 2);
    moves = moves + shuffle_xor_f64(moves, 1);
    double center_2 = first_mean + moves / whole;
    double rest_3 = 0.0;
    double square_3 = 0.0;
#pragma unroll 1
    for (int64_t k_2 = 0; k_2 < 2; k_2 += 1) {
        const int64_t i_3 = k_2 * 32 + lane;
        if (i_3 < 40) {
            double d_5 = near[i_3 * 2] - center_2;
            double n_d = 1024.0 * d_5;
            rest_3 = rest_3 + n_d;
            square_3 = fma_f64(n_d, d_5, square_3 + near[i_3 * 2 + 1]);
        }
    }
    double rests_2 = rest_3;
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 16);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 8);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 4);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 2);
    rests_2 = rests_2 + shuffle_xor_f64(rests_2, 1);
    double squares_2 = square_3;
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 16);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 8);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 4);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 2);
    squares_2 = squares_2 + shuffle_xor_f64(squares_2, 1);
    double off_2 = rests_2 / whole;
    double mean_all = center_2 + off_2;
    double m2_all = squares_2 - rests_2 * off_2;
    double spread = max_f64(m2_all, 0.0) / 40960.0 + 0.001;
    double rstd_all = 1.0 / sqrt_f64(spread);
    float mean_high = cast_f32_from_f64(mean_all);
    float mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high));
    float rstd_1 = cast_f32_from_f64(rstd_all);
    f32x4 highs = splat_f32x4(mean_high);
    float scale = rstd_1 * gamma[g * 10 + div_i64(first * 256 * 4, 4096)];
    float offset = fma_f32(-mean_low, scale, beta[g * 10 + div_i64(first * 256 * 4, 4096)]);
    f32x4 scales = splat_f32x4(scale);
    f32x4 offsets = splat_f32x4(offset);
    const int64_t start_5 = first * 256 + lane;
#pragma unroll
    for (int64_t j_9 = 0; j_9 < 8; j_9 += 1) {
        const int64_t v_9 = start_5 + j_9 * 32;
        store_f32x4(y, n * 1310720 + g * 40960 + v_9 * 4, silu_f32x4(fma_f32x4(held[j_9] - highs, scales, offsets)));
    }
    /* until no other block reads this one's shared memory */
    cooperative_groups::this_cluster().sync();
}

/* Launch on a stream; the CUDA error, 0 for none. */
extern "C" int gn_f32_o1_g32_c10_i4096_silu(const float *x, const float *__restrict__ gamma, const float *__restrict__ beta, float *y, int64_t batch, void *stream) {
    {
        const int64_t blocks = batch * 128;
        if (blocks == 0) return 0;
        if (blocks > INT32_MAX) return cudaErrorInvalidConfiguration;
        cudaLaunchConfig_t config = {};
        config.gridDim = dim3((unsigned)blocks);
        config.blockDim = dim3(320);
        config.stream = (cudaStream_t)stream;
        cudaLaunchAttribute attribute = {};
        attribute.id = cudaLaunchAttributeClusterDimension;
        attribute.val.clusterDim.x = 4;
        attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
        config.attrs = &attribute;
        config.numAttrs = 1;
        const cudaError_t error = cudaLaunchKernelEx(&config, gn_f32_o1_g32_c10_i4096_silu_kernel, x, gamma, beta, y, batch);
        if (error != cudaSuccess) return error;
    }
    return 0;
}
