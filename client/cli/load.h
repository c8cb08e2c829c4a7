/* Files on their way up and down. At a terminal other commands go on meanwhile and the prompt tells
 * how far they are; a script waits for each. */
#ifndef LOAD_H
#define LOAD_H

#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct call;
struct load;

struct loads {          /* all zero: none is running */
    struct load **list; /* owned, each of them too */
    size_t count;
    int64_t told_ms; /* when the prompt was told last */
};

void loads_release(struct loads *files);

/* Gives them all up. */
void loads_cancel(struct app *app);

/* --- for verbs that send or fetch --- */

#define LOAD_SIZE_BYTES 32

/* The call's file, whose name it has, is on its way from now on. */
void load_begin(struct app *app, const struct call *call);
/* The zchat_progress_fn; its arg is the call. */
void load_moved(void *call, uint64_t bytes, uint64_t total);
/* Ends it; false: it failed, which is shown with `what` before it. */
bool load_done(struct call *call, const zchat_reply *reply, const char *what);
/* "1.5 MiB" */
void load_size(uint64_t bytes, char text[LOAD_SIZE_BYTES]);
/* Whether a file of this machine may have the name of one in a thread. */
bool load_name_stays(const char *name);
/* Where what is fetched goes, `place` (NULL: not said) being a file or a folder; the caller frees
 * it. NULL: the name can't be a file's here. */
char *load_path(const char *name, const char *place);

#endif
