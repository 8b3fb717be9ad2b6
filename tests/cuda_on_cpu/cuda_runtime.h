/* What CUDA C means, on a CPU: so that emitted kernels run where there is no GPU, under sanitizers.
 *
 * The blocks of a cluster (of a cooperative launch: all) are threads of the operating system, so that a shared array is a thread_local
 * one; other blocks run one after the other. The threads of a block are fibres of that thread, and change at barriers and shuffles only.
 * `backwards` runs them in the opposite order: a result that depends on it is a race. A barrier that not all come to is an error.
 */
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
#include <sanitizer/common_interface_defs.h>
#define SWITCH_FROM(fake, bottom, size) __sanitizer_start_switch_fiber(fake, bottom, size)
#define SWITCHED_TO(fake, bottom, size) __sanitizer_finish_switch_fiber(fake, bottom, size)
#else
#define SWITCH_FROM(fake, bottom, size) ((void)0)
#define SWITCHED_TO(fake, bottom, size) ((void)0)
#endif

#define __global__ static
#define __device__
#define __forceinline__ static inline
#define __launch_bounds__(...)
#define __shared__ thread_local
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) double2 { double x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline double2 make_double2(double x, double y) { return {x, y}; }
template <class T> static inline void __stwb(T *p, T v) { *p = v; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

template <class To, class From> static inline To same_bits(From a) {
    static_assert(sizeof(To) == sizeof(From), "bits of one size");
    To b;
    memcpy(&b, &a, sizeof b);
    return b;
}
static inline float __int_as_float(int32_t a) { return same_bits<float>(a); }
static inline int32_t __float_as_int(float a) { return same_bits<int32_t>(a); }
static inline double __longlong_as_double(int64_t a) { return same_bits<double>(a); }
static inline int64_t __double_as_longlong(double a) { return same_bits<int64_t>(a); }

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorInvalidConfiguration = 9 };
typedef void *cudaStream_t;
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
enum cudaLaunchAttributeID { cudaLaunchAttributeNone, cudaLaunchAttributeCooperative, cudaLaunchAttributeClusterDimension };
struct cudaLaunchAttribute {
    cudaLaunchAttributeID id;
    union {
        int cooperative;
        struct { unsigned x, y, z; } clusterDim;
    } val;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes = 0;
    cudaStream_t stream = nullptr;
    cudaLaunchAttribute *attrs = nullptr;
    unsigned numAttrs = 0;
};

namespace on_cpu {

const int WARP = 32;
const size_t STACK = 64 << 10;
enum Scope { NONE, WARP_SCOPE, BLOCK_SCOPE, TEAM_SCOPE };

inline bool backwards = false;
inline size_t allowed_shared = 49152;

[[noreturn]] inline void fail(const char *why) {
    fprintf(stderr, "on_cpu: %s\n", why);
    abort();
}

/* Blocks that wait for each other. */
struct Team {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<char *> anchors;
    size_t size, waiting = 0, round = 0;
    alignas(8) uint32_t counter[2] = {0, 0};  // what the driver keeps for a cooperative launch
    explicit Team(size_t size) : anchors(size), size(size) {}
    void wait() {
        std::unique_lock<std::mutex> lock(mutex);
        const size_t mine = round;
        if (++waiting == size) {
            waiting = 0;
            round++;
            changed.notify_all();
        }
        changed.wait(lock, [&] { return round != mine; });
    }
};

struct Fibre {
    ucontext_t context;
    char *stack = nullptr;
    void *fake = nullptr;
    dim3 thread;
    Scope waits = NONE;
    int line = 0;
    bool done = false;
    int parity = 0;
    uint64_t slot[2] = {0, 0};
};

struct Block {
    std::vector<Fibre> fibres;
    ucontext_t scheduler;
    void *fake = nullptr;
    const void *bottom = nullptr;
    size_t bottom_size = 0;
    void (*kernel)(void *) = nullptr;
    void *arguments = nullptr;
    Fibre *now = nullptr;
    Team *team = nullptr;
    unsigned rank = 0;
};

inline thread_local Block *block = nullptr;
inline thread_local dim3 block_index;
/* Every shared array lies at the same distance from it, in all blocks. */
static thread_local char anchor[16];

static void enter() {
    SWITCHED_TO(nullptr, &block->bottom, &block->bottom_size);
    block->kernel(block->arguments);
    block->now->done = true;
    SWITCH_FROM(nullptr, block->bottom, block->bottom_size);
    setcontext(&block->scheduler);
}

/* From a thread to the scheduler of its block, until all of the scope are there. */
inline void wait(Scope scope, int line) {
    Fibre *self = block->now;
    self->waits = scope;
    self->line = line;
    SWITCH_FROM(&self->fake, block->bottom, block->bottom_size);
    swapcontext(&self->context, &block->scheduler);
    SWITCHED_TO(self->fake, &block->bottom, &block->bottom_size);
}

/* Whether fibres first .. last all wait at one barrier of a scope; they may then go on. */
static inline bool together(size_t first, size_t last, Scope scope) {
    for (size_t i = first; i < last; i++) {
        const Fibre &f = block->fibres[i];
        if (f.done || f.waits != scope) return false;
        if (f.line != block->fibres[first].line) fail("threads wait at different barriers");
    }
    return true;
}

static inline void release(size_t first, size_t last) {
    for (size_t i = first; i < last; i++) block->fibres[i].waits = NONE;
}

static inline void resume(Fibre &f) {
    block->now = &f;
    SWITCH_FROM(&block->fake, f.stack, STACK);
    swapcontext(&block->scheduler, &f.context);
    SWITCHED_TO(block->fake, nullptr, nullptr);
}

static inline void run_block(dim3 index, unsigned threads, void (*kernel)(void *), void *arguments, Team *team, unsigned rank) {
    Block self;
    block = &self;
    block_index = index;
    self.kernel = kernel;
    self.arguments = arguments;
    self.team = team;
    self.rank = rank;
    team->anchors[rank] = anchor;
    self.fibres.resize(threads);
    char *stacks = (char *)mmap(nullptr, threads * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) fail("no memory for the stacks");
    for (unsigned t = 0; t < threads; t++) {
        Fibre &f = self.fibres[t];
        f.thread = dim3(t, 0, 0);
        f.stack = stacks + t * STACK;
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = f.stack;
        f.context.uc_stack.ss_size = STACK;
        f.context.uc_link = nullptr;
        makecontext(&f.context, enter, 0);
    }
    for (;;) {
        bool moved = false;
        for (unsigned i = 0; i < threads; i++) {
            Fibre &f = self.fibres[backwards ? threads - 1 - i : i];
            if (f.done || f.waits != NONE) continue;
            resume(f);
            moved = true;
        }
        size_t left = 0;
        for (const Fibre &f : self.fibres) left += !f.done;
        if (!left) break;
        for (unsigned w = 0; w < threads; w += WARP)
            if (together(w, w + WARP, WARP_SCOPE)) release(w, w + WARP), moved = true;
        if (together(0, threads, BLOCK_SCOPE)) release(0, threads), moved = true;
        if (together(0, threads, TEAM_SCOPE)) {
            team->wait();
            release(0, threads);
            moved = true;
        }
        if (!moved) fail("threads wait for some that never come");
    }
    munmap(stacks, threads * STACK);
}

template <class T> inline T shuffle(T value, int from, int line) {
    static_assert(sizeof(T) <= 8, "a scalar");
    Fibre *self = block->now;
    const int parity = self->parity;
    memcpy(&self->slot[parity], &value, sizeof value);
    self->parity = 1 - parity;
    wait(WARP_SCOPE, line);
    const unsigned lane = self->thread.x % WARP;
    memcpy(&value, &block->fibres[self->thread.x - lane + from].slot[parity], sizeof value);
    return value;
}

inline unsigned lane() { return block->now->thread.x % WARP; }

}  // namespace on_cpu

#define threadIdx (on_cpu::block->now->thread)
#define blockIdx (on_cpu::block_index)
#define __syncthreads() on_cpu::wait(on_cpu::BLOCK_SCOPE, __LINE__)
#define __syncwarp() on_cpu::wait(on_cpu::WARP_SCOPE, __LINE__)
#define __shfl_xor_sync(mask, value, bits) on_cpu::shuffle(value, (on_cpu::lane() ^ (bits)), __LINE__)
#define __shfl_sync(mask, value, from) on_cpu::shuffle(value, from, __LINE__)

template <class F> static inline cudaError_t cudaFuncSetAttribute(F *, cudaFuncAttribute, int bytes) {
    on_cpu::allowed_shared = bytes;
    return bytes <= 232448 ? cudaSuccess : cudaErrorInvalidValue;
}

template <class... P, class... A> static inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *c, void (*kernel)(P...), A... given) {
    if (c->blockDim.x > 1024 || c->blockDim.x % on_cpu::WARP || c->dynamicSmemBytes > on_cpu::allowed_shared) return cudaErrorInvalidConfiguration;
    unsigned size = 1;
    for (unsigned i = 0; i < c->numAttrs; i++) {
        if (c->attrs[i].id == cudaLaunchAttributeCooperative) size = c->gridDim.x;
        if (c->attrs[i].id == cudaLaunchAttributeClusterDimension) size = c->attrs[i].val.clusterDim.x;
    }
    if (c->gridDim.x % size) return cudaErrorInvalidConfiguration;
    auto call = [&] { kernel(static_cast<P>(given)...); };
    auto enter = [](void *f) { (*(decltype(call) *)f)(); };
    for (unsigned first = 0; first < c->gridDim.x; first += size) {
        on_cpu::Team team(size);
        std::vector<std::thread> threads;
        for (unsigned rank = 0; rank < size; rank++)
            threads.emplace_back([&, rank] { on_cpu::run_block(dim3(first + rank, 0, 0), c->blockDim.x, enter, &call, &team, rank); });
        for (std::thread &t : threads) t.join();
    }
    return cudaSuccess;
}
