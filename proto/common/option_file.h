/* The configuration file of a client, with options that need not be given each time.
 *
 *     # a comment
 *     server = chat.example.org
 *     user = alice
 *
 *     [context work]
 *     server = chat.example.com:4100
 *
 * Keys are the long names of the options whose rows say in_file, flags are yes or no; values run to
 * the end of the line, without quotes. A program decides what its sections are. CZMQ's zconfig does
 * not read it: it takes a # anywhere in a value without quotes for a comment, which keys in Z85 and
 * commands of the shell may have, keeps no line numbers for errors, and complains on stdout.
 * (zchatd's file is ZPL: broker/config_file.c gives zconfig one checked line at a time.) */
#ifndef COMMON_OPTION_FILE_H
#define COMMON_OPTION_FILE_H

#include "option.h"

#include <stdbool.h>

/* For a path and a text about an option. */
#define OPTION_FILE_ERROR_BYTES (4096 + OPTION_FAULT_BYTES)

enum option_file_end {
    OPTION_FILE_READ, /* all of it, or there is no such file */
    OPTION_FILE_FAULTY,
    OPTION_FILE_UNREADABLE,
    OPTION_FILE_NO_MEMORY
};

/* What is done with what was read. `fault` is told after the key or the line. */
struct option_file_sink {
    bool (*set)(void *arg, const struct option *option, const char *value,
                char fault[OPTION_FAULT_BYTES]);
    /* Called with a line that begins with "[", without its ends; NULL: the file has no sections. */
    bool (*section)(void *arg, char *line, char fault[OPTION_FAULT_BYTES]);
    void *arg;
};

/* Reads and checks the file. The caller frees *text; the values and sections are borrowed from it.
 * At any other end than OPTION_FILE_READ `error` is one sentence about the first thing that is
 * wrong, with the path and the line. */
enum option_file_end option_file_read(const struct option_table *table, const char *path,
                                      const struct option_file_sink *sink, char **text,
                                      char error[OPTION_FILE_ERROR_BYTES]);

#endif
