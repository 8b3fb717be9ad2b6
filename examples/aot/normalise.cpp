// Normalises images that it reads as floats from stdin, 64 each, and writes them to stdout; with threads of its own.
//
//     gngen build layers.toml -o dist
//     cmake -B build -DCMAKE_PREFIX_PATH=$PWD/dist && cmake --build build
#include <gn.h>

#include <cstdio>
#include <iterator>
#include <thread>
#include <vector>

constexpr std::size_t pixels = 64, channels = 8, threads = 3;

// Every phase is done before the next begins; the items of one are shared out.
static void run_phases(const gn_args &args) {
    for (std::int64_t phase = 0; phase < gn_digits_phases(args.batch); phase++) {
        const std::int64_t items = gn_digits_items(args.batch, phase);
        std::vector<std::thread> workers;
        for (std::int64_t worker = 0; worker < std::int64_t{threads}; worker++) {
            workers.emplace_back([&args, phase, items, worker] {
                gn_digits_run(&args, phase, items * worker / threads, items * (worker + 1) / threads);
            });
        }
        for (std::thread &worker : workers) worker.join();
    }
}

int main() {
    std::vector<float> x;
    for (float value; std::fread(&value, sizeof value, 1, stdin) == 1;) x.push_back(value);
    if (x.size() % pixels != 0) {
        std::fprintf(stderr, "normalise: %zu numbers are no whole images of %zu\n", x.size(), pixels);
        return 2;
    }
    std::vector<float> y(x.size()), gamma(channels, 1.0f), beta(channels, 0.0f);
    gn_args args{};
    args.x = x.data();
    args.gamma = gamma.data();
    args.beta = beta.data();
    args.y = y.data();
    args.batch = static_cast<std::int64_t>(x.size() / pixels);
    struct alignas(GN_ALIGNMENT) Line {
        unsigned char bytes[GN_ALIGNMENT];
    };
    std::vector<Line> workspace(gn_digits_workspace(args.batch) / GN_ALIGNMENT + 1);
    args.workspace = workspace.data();
    args.workspace_size = workspace.size() * sizeof(Line);
    run_phases(args);
    std::fwrite(y.data(), sizeof(float), y.size(), stdout);
    return 0;
}
