/* Where this program keeps what it remembers. */
#ifndef PATHS_H
#define PATHS_H

/* The path of a file in $XDG_STATE_HOME/zchat or ~/.local/state/zchat, made (0700) if it is not
 * there. The caller frees it. NULL: errno says why. */
char *paths_state_file(const char *name);

/* The first line of a file, without its end: a password. The caller wipes and frees it. NULL:
 * errno says why; EINVAL: it is empty. */
char *paths_read_secret(const char *path);

#endif
