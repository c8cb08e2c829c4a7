/* What `zchatd user` and `zchatd check-store` exit with. */
#ifndef USER_EXIT_H
#define USER_EXIT_H

enum user_exit {
    USER_DONE = 0,
    USER_FAILED = 1, /* any other failure */
    USER_INVALID = 2,
    USER_IO = 3, /* the data folder, the store or a file can't be opened, or stdout can't be
                  * written */
    USER_NOT_FOUND = 5,
    USER_EXISTS = 7,
};

#endif
