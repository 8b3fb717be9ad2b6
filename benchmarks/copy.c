/* The limit: `bytes` of x copied to y by all threads, with plain stores or with stores past the caches. y begins on a cache line. */
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#define WIDTH 64
#define STREAM(y, x) _mm512_stream_si512((__m512i *)(y), _mm512_loadu_si512(x))
#define FENCE _mm_sfence()
#elif defined(__AVX__)
#include <immintrin.h>
#define WIDTH 32
#define STREAM(y, x) _mm256_stream_si256((__m256i *)(y), _mm256_loadu_si256((const __m256i *)(x)))
#define FENCE _mm_sfence()
#elif defined(__SSE2__)
#include <immintrin.h>
#define WIDTH 16
#define STREAM(y, x) _mm_stream_si128((__m128i *)(y), _mm_loadu_si128((const __m128i *)(x)))
#define FENCE _mm_sfence()
#else /* no such stores: plain ones twice */
#define WIDTH 16
#define STREAM(y, x) memcpy(y, x, WIDTH)
#define FENCE (void)0
#endif

enum { SLICE = 1 << 16, SERIAL = 1 << 18 };

static void stream(char *y, const char *x, int64_t bytes) {
  int64_t at = 0;
  for (; at + WIDTH <= bytes; at += WIDTH) STREAM(y + at, x + at);
  memcpy(y + at, x + at, bytes - at);
  FENCE;
}

void copy(const char *x, char *y, int64_t bytes, int streaming) {
#pragma omp parallel for schedule(static) if (bytes > SERIAL)
  for (int64_t slice = 0; slice < (bytes + SLICE - 1) / SLICE; slice++) {
    int64_t at = slice * SLICE, length = bytes - at < SLICE ? bytes - at : SLICE;
    if (streaming) {
      stream(y + at, x + at, length);
    } else {
      memcpy(y + at, x + at, length);
    }
  }
}
