/* Passwords: from a file, from a command (as in all zchat programs, see zchat_password_take), or
 * typed at a terminal; never from argv or the environment. Who holds one releases it, which wipes
 * it. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "options.h"
#include "output.h"

#include <stdbool.h>

#define PASSWORD_CAPACITY 1026 /* 1024 bytes, one too many, and the NUL */

struct password {
    bool known;
    char text[PASSWORD_CAPACITY];
};

struct password_source {
    enum option_id file;
    enum option_id command;
    const char *prompt; /* such as "Password: " */
    bool twice;         /* a typed password must be typed again */
};

/* Whether the options name a file or a command. */
bool password_is_given(const struct options *options, const struct password_source *source);

/* Whether there is a way to get a password: given, or typed. */
bool password_is_available(const struct options *options, const struct password_source *source);

/* Reads it: from a file or a command until the deadline of clock_us, from a terminal without a
 * deadline. *typed: whether somebody was asked. A failure has been reported, and the password is
 * not known. */
enum status password_read(struct password *password, const struct options *options,
                          const struct password_source *source, int64_t deadline_us, bool *typed,
                          const struct output *output);

void password_release(struct password *password);

/* Whether there is somebody at a terminal to ask. */
bool terminal_present(void);

/* Asks a question that is answered with yes or no. */
bool terminal_confirm(const char *question);

#endif
