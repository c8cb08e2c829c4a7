/* Drawing the bar: its line is shorter than any terminal is wide, and each one covers the last. */
#include "bar.h"

#include "common/clock.h"

#include <stdio.h>
#include <unistd.h>

#define CELLS    24
#define EVERY_US 100000
#define MIB      (1024.0 * 1024.0)

void bar_init(struct bar *bar, bool quiet) {
    *bar = (struct bar){.shown = !quiet && isatty(STDERR_FILENO)};
}

static void draw(struct bar *bar) {
    static const char full[] = "########################", empty[] = "........................";
    double share = bar->total ? (double)bar->bytes / (double)bar->total : 1;
    double seconds = (double)(clock_us() - bar->began_us) / 1e6;
    double moved = (double)(bar->bytes - bar->first_bytes) / MIB;
    int cells = (int)(share * CELLS);
    fprintf(stderr, "\r[%.*s%.*s] %3d%%  %.1f of %.1f MiB  %.1f MiB/s  ", cells, full,
            CELLS - cells, empty, (int)(share * 100), (double)bar->bytes / MIB,
            (double)bar->total / MIB, seconds > 0 ? moved / seconds : 0);
    fflush(stderr);
    bar->drawn = true;
    bar->drawn_us = clock_us();
}

void bar_move(struct bar *bar, uint64_t bytes, uint64_t total) {
    bar->bytes = bytes > total ? total : bytes;
    bar->total = total;
    if (!bar->began_us || bar->bytes < bar->first_bytes) {
        bar->began_us = clock_us();
        bar->first_bytes = bar->bytes;
    }
    if (bar->shown && (!bar->drawn || clock_us() - bar->drawn_us >= EVERY_US))
        draw(bar);
}

void bar_end(struct bar *bar) {
    if (!bar->drawn)
        return;
    draw(bar);
    fputc('\n', stderr);
    bar->drawn = false;
}
