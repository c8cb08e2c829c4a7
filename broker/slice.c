/* See slice.h. Linux takes the length of a normal thread's slice from sched_setattr since 6.12,
 * older ones pass it over; glibc has no call for it yet. */
#define _GNU_SOURCE
#include "slice.h"

#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS 100000 /* the shortest that Linux has */
#define NICER    3

void slice_shorten(void) {
    struct sched_attr attr = {.size = sizeof attr};

    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) != 0)
        return;
    attr.sched_runtime = SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &attr, 0); /* refused: nothing but slower */
}

/* For Linux each thread has a nice value of its own. */
void slice_give_way(void) {
    id_t thread = (id_t)syscall(SYS_gettid);

    (void)setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + NICER);
}
