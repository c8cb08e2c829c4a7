/* Files on their way up and down. At a terminal other commands go on meanwhile and the prompt tells
 * how far they are; a script waits for each. */
#ifndef FILE_H
#define FILE_H

#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct call;
struct file;

struct files {          /* all zero: none is running */
    struct file **list; /* owned, each of them too */
    size_t count;
    int64_t told_ms; /* when the prompt was told last */
};

void files_release(struct files *files);

/* A few words for the prompt: "report.pdf 45%"; "" where nothing is on its way. */
void files_describe(const struct files *files, char *text, size_t text_bytes);

/* Gives them all up. */
void files_cancel(struct app *app);

/* --- for verbs that send or fetch --- */

#define FILE_SIZE_BYTES 32

/* The call's file, whose name it has, is on its way from now on. */
void file_begin(struct app *app, const struct call *call);
/* The zchat_progress_fn; its arg is the call. */
void file_moved(void *call, uint64_t bytes, uint64_t total);
/* Ends it; false: it failed, which is shown with `what` before it. */
bool file_done(struct call *call, const zchat_reply *reply, const char *what);
/* "1.5 MiB" */
void file_size(uint64_t bytes, char text[FILE_SIZE_BYTES]);
/* Where what is fetched goes, `place` (NULL: not said) being a file or a folder; the caller frees
 * it. NULL: the name can't be a file's here. */
char *file_path(const char *name, const char *place);

#endif
