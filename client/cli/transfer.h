/* Files on their way up and down. At a terminal other commands go on meanwhile and the prompt tells
 * how far they are; a script waits for each. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stddef.h>
#include <stdint.h>

struct app;
struct transfer;

struct transfers {          /* all zero: none is running */
    struct transfer **list; /* owned, each of them too */
    size_t count;
    int64_t told_ms; /* when the prompt was told last */
};

void transfers_release(struct transfers *transfers);

/* A few words for the prompt: "report.pdf 45%"; "" where nothing is on its way. */
void transfers_describe(const struct transfers *transfers, char *text, size_t text_bytes);

/* Gives them all up. */
void transfers_cancel(struct app *app);

#endif
