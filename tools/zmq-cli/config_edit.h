/* Changing zmq-cli.conf without losing what somebody wrote there by hand: comments, order and other
 * keys stay as they are. */
#ifndef CONFIG_EDIT_H
#define CONFIG_EDIT_H

#include "output.h"

/* One change. */
struct config_edit {
    const char *context; /* NULL: what stands before the first context */
    const char *key;     /* NULL: the context as a whole */
    const char *value;   /* NULL: the key, or the context, is removed; a context is made with any */
};

/* Returns the text with the change; the caller frees it. NULL: no memory. */
char *config_edit(const char *text, const struct config_edit *edit);

/* Makes all changes in the file, which appears changed or stays as it is; the folder is made if
 * there is none. A failure has been reported. */
enum status config_edit_file(const char *folder, const struct config_edit *edits, size_t count,
                             const struct output *output);

#endif
