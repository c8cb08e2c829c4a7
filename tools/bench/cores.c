/* See cores.h. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "cores.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

bool cores_find(struct cores *cores) {
    cpu_set_t allowed;
    *cores = (struct cores){-1, -1};
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_ZERO(&allowed);
    for (int core = 0; core < CPU_SETSIZE && cores->server < 0; core++)
        if (CPU_ISSET((size_t)core, &allowed))
            *(cores->own < 0 ? &cores->own : &cores->server) = core;
    if (cores->server < 0)
        fputs("zchat-bench: --pin needs two cores\n", stderr);
    return cores->server >= 0;
}

bool cores_pin(int core) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)core, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0)
        return true;
    perror("zchat-bench: sched_setaffinity");
    return false;
}

void cores_unpin(const struct cores *cores) {
    cpu_set_t both;
    CPU_ZERO(&both);
    if (cores->own < 0)
        return;
    CPU_SET((size_t)cores->own, &both);
    CPU_SET((size_t)cores->server, &both);
    sched_setaffinity(0, sizeof both, &both);
}

/* The numbers in the line are ticks: user, nice, system, idle, waiting for a disk, and so on. */
static double busy_of(const char *line) {
    unsigned long long user, nice, kernel, irq, soft, steal;
    if (sscanf(line, "%*s %llu %llu %llu %*u %*u %llu %llu %llu", &user, &nice, &kernel, &irq,
               &soft, &steal) != 6)
        return 0;
    return (double)(user + nice + kernel + irq + soft + steal) / (double)sysconf(_SC_CLK_TCK);
}

double cores_busy_s(void) {
    char line[512];
    double busy_s = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file && fgets(line, sizeof line, file)) /* the first line is the sum of all cores */
        busy_s = busy_of(line);
    if (file)
        fclose(file);
    return busy_s;
}
