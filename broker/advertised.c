#include "advertised.h"

#include "host.h"
#include "log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *arg) {
    char *advertise = arg;
    char why[256], quoted[LOG_QUOTE_BYTES];

    if (!host_resolves(advertise, why, sizeof why))
        log_warn("advertise_unresolved", "host=%s reason=\"on this machine: %s\"",
                 log_quote(quoted, sizeof quoted, advertise, strlen(advertise)), why);
    free(advertise);
    return NULL;
}

void advertised_check(const char *advertise) {
    char *copy = strdup(advertise);
    pthread_t thread;

    if (copy && pthread_create(&thread, NULL, check, copy) == 0)
        pthread_detach(thread);
    else
        free(copy);
}
