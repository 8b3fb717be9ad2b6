/* float16 by its bits, on a CPU. */
#pragma once
#include "cuda_runtime.h"

struct __half { uint16_t bits; };

static inline __half __ushort_as_half(uint16_t a) { return {a}; }
static inline uint16_t __half_as_ushort(__half a) { return a.bits; }

static inline float __half2float(__half a) {
    const uint32_t sign = (uint32_t)(a.bits & 0x8000) << 16, magnitude = a.bits & 0x7fff;
    if (magnitude >= 0x7c00) return same_bits<float>(sign | 0x7f800000 | magnitude << 13);
    const float value = ldexpf((float)(magnitude & 0x3ff) + (magnitude >= 0x400 ? 1024 : 0), (int)(magnitude >= 0x400 ? magnitude >> 10 : 1) - 25);
    return sign ? -value : value;
}

/* To nearest, ties to even; beyond the largest to infinity; NaN to a quiet NaN. */
static inline __half __float2half_rn(float a) {
    const uint16_t sign = same_bits<uint32_t>(a) >> 16 & 0x8000;
    const float magnitude = fabsf(a);
    if (a != a) return {0x7fff};
    if (magnitude >= 65520.0f) return {(uint16_t)(sign | 0x7c00)};
    if (magnitude < 0x1p-14f) return {(uint16_t)(sign | (uint16_t)nearbyintf(magnitude * 0x1p24f))};
    int exponent;
    const float fraction = frexpf(magnitude, &exponent); /* in 0.5 .. 1 */
    const uint32_t mantissa = (uint32_t)nearbyintf(fraction * 2048.0f); /* 1024 .. 2048, which carries into the exponent */
    return {(uint16_t)(sign | ((uint32_t)(exponent + 13) << 10) + mantissa)};
}
