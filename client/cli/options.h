/* What the command line, the environment and zchat.conf say. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "common/option_file.h"

#include <stdbool.h>

enum options_choice { OPTIONS_AUTO = 0, OPTIONS_ON, OPTIONS_OFF, OPTIONS_ALL };

struct options { /* strings are borrowed from argv, the environment, and what is owned below */
    const char *server;
    const char *user;            /* NULL: asked for */
    const char *server_key;      /* NULL: known_brokers decides */
    const char *config_dir;      /* NULL: libzchat's default */
    const char *password_file;   /* NULL: asked for */
    const char *private_address; /* NULL: the address that the broker sees */
    bool trust_new;
    bool no_trust;
    enum options_choice timestamps; /* auto: at a terminal */
    enum options_choice presence;   /* auto: filtered at a terminal, off in a pipe */
    enum options_choice receipts;   /* auto: at a terminal */
    enum options_choice history;    /* auto: on, except for private lines */
    enum options_choice bell;       /* auto: on */
    const char *on_message;         /* NULL: no command */
    const char *forget;             /* a broker whose pinned key is to be forgotten; NULL: none */
    bool help;
    bool version;
    char *place;         /* owned: the argument [user@]host[:port], cut in two */
    char *file_text;     /* owned: of zchat.conf */
    char *file_password; /* owned: a password file that zchat.conf names relative to itself */
};

/* Reads all three: the command line overrides the environment, which overrides zchat.conf in the
 * config folder. Returns the exit status: 0, or `error` says in one sentence what is wrong. argv is
 * ended by NULL. */
int options_read(struct options *options, char **argv, char error[OPTION_FILE_ERROR_BYTES]);
void options_release(struct options *options);

/* Prints the text of --help. */
void options_print_help(void);

#endif
