/* Files on their way up and down. At a terminal other commands work meanwhile, and the prompt tells
 * how far the files are; a script waits for each file. */
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
    struct load **list; /* owned, and so is each of them */
    size_t count;
    int64_t told_ms; /* when the prompt was last updated */
};

void loads_release(struct loads *files);

/* Gives them all up. */
void loads_cancel(struct app *app);

/* --- for verbs that send or fetch --- */

#define LOAD_SIZE_BYTES 32

/* The call's file is on its way from now on; the call has its name. */
void load_begin(struct app *app, const struct call *call);
/* The zchat_progress_fn; its arg is the call. */
void load_moved(void *call, uint64_t bytes, uint64_t total);
/* Ends it; false: it failed, which is shown with `what` before it. */
bool load_done(struct call *call, const zchat_reply *reply, const char *what);
/* "1.5 MiB" */
void load_size(uint64_t bytes, char text[LOAD_SIZE_BYTES]);
/* Whether a file on this machine may have this name of a file in a thread. */
bool load_name_stays(const char *name);
/* The path where a download goes; `place` (NULL: not given) is a file or a folder. The caller frees
 * it. NULL: no file here can have the name. */
char *load_path(const char *name, const char *place);

#endif
