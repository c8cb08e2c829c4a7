/* Files on their way up and down. At a terminal other commands go on meanwhile and the prompt tells
 * how far they are; a script waits for each. */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <stdint.h>

struct app;
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

#endif
