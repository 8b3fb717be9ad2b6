/* Normalises images that it reads as floats from stdin, 64 each, and writes them to stdout; with OpenMP, where the library has it.
 *
 *     gngen build layers.toml -o dist
 *     cc normalise.c $(PKG_CONFIG_PATH=dist/lib/x86_64/pkgconfig pkg-config --cflags --libs --static gn) -o normalise
 */
#include <gn.h>

#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 64, CHANNELS = 8, MOST = 4096 };

int main(void) {
    static float x[MOST * PIXELS], y[MOST * PIXELS];
    const size_t read = fread(x, sizeof(float), MOST * PIXELS, stdin);
    if (read % PIXELS != 0) {
        fprintf(stderr, "normalise: %zu numbers are no whole images of %d\n", read, PIXELS);
        return 2;
    }
    float gamma[CHANNELS], beta[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) gamma[c] = 1, beta[c] = 0;

    const int64_t batch = (int64_t)(read / PIXELS);
    gn_args args = {.x = x, .gamma = gamma, .beta = beta, .y = y, .batch = batch};
    args.workspace_size = (gn_digits_workspace(batch) + GN_ALIGNMENT - 1) / GN_ALIGNMENT * GN_ALIGNMENT;
    args.workspace = aligned_alloc(GN_ALIGNMENT, args.workspace_size);
    const int code = gn_digits(&args);
    free(args.workspace);
    if (code != GN_OK) {
        fprintf(stderr, "normalise: %s\n", gn_message(code));
        return 1;
    }
    fwrite(y, sizeof(float), read, stdout);
    return 0;
}
