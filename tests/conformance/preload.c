/* Preloaded into a broker under test, which then meets a disk that waits and a clock that was set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As long as the FIFO that ZCHAT_TEST_GATE names exists, fdatasync waits until the test has opened
 * it and closed it again, and fails where the test wrote something into it. */
int fdatasync(int fd) {
    const char *path = getenv("ZCHAT_TEST_GATE");
    int gate = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char word;
    ssize_t count = 0;
    if (gate >= 0) {
        count = read(gate, &word, 1);
        close(gate);
    }
    if (count > 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* The clock on the wall is ahead by the seconds that the file named by ZCHAT_TEST_CLOCK holds, as
 * of now. The clock that nobody can set stays. */
static long ahead_s(void) {
    const char *path = getenv("ZCHAT_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32] = "";
    ssize_t bytes = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    return bytes > 0 ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += ahead_s();
    return result;
}
