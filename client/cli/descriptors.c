/* The mode of each is the one in which reading from 0 and writing to 1 or 2 fails with EBADF. */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static bool descriptor_is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

const char *descriptors_open(void) {
    const char *missing = NULL;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (descriptor_is_open(fd))
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return "cannot open /dev/null";
        if (missing == NULL && fd == STDIN_FILENO)
            missing = "standard input is closed; give commands, or a terminal";
        else if (missing == NULL && fd == STDOUT_FILENO)
            missing = "standard output is closed; messages have nowhere to go";
    }
    return missing;
}
