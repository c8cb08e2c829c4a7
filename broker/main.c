/* zchatd: reads its configuration, locks the data folder, serves until it is told to end. */
#include "backup_store.h"
#include "check_store.h"
#include "config_load.h"
#include "data.h"
#include "log.h"
#include "process.h"
#include "restore_store.h"
#include "server.h"
#include "sockets.h"
#include "transfer/transfer.h"
#include "user.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#define ERROR_BYTES 512

static int fail(const char *error, int status) {
    fprintf(stderr, "zchatd: %s\n", error);
    return status;
}

static int serve(struct config *config) {
    char error[ERROR_BYTES];
    struct data_lock lock;
    struct server *server;
    int status;

    if (!descriptors_suffice(config, error, sizeof error))
        return fail(error, 3);
    if (!data_lock(&lock, config->data, error, sizeof error))
        return fail(error, 3);
    sockets_unpublish(config->data); /* left by a killed broker */
    slice_shorten();
    server = server_new(config, error, sizeof error);
    status = server && data_lock_moved(&lock, config->data, error, sizeof error)
                 ? server_run(server)
                 : fail(error, 3);
    server_free(server);
    data_unlock(&lock);
    return status;
}

int main(int argc, char **argv) {
    struct config config;
    char error[ERROR_BYTES];
    int status = 0;

    descriptors_open_standard();
    umask(077);               /* files that the broker makes are its owner's alone */
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is an error like a full disk */
    heap_init();
    if (user_wanted(argc, argv))
        return user_main(argc, argv);
    if (check_store_wanted(argc, argv))
        return check_store_main(argc, argv);
    if (transfer_wanted(argc, argv))
        return transfer_main(argc, argv);
    if (backup_store_wanted(argc, argv))
        return backup_store_main(argc, argv);
    if (restore_store_wanted(argc, argv))
        return restore_store_main(argc, argv);
    switch (config_load(&config, argv, error, sizeof error)) {
    case CONFIG_RUN:
        log_set_level((enum log_level)config.log_level);
        log_open();
        status = serve(&config);
        break;
    case CONFIG_DONE:
        break;
    case CONFIG_ERROR:
        status = fail(error, 2);
        break;
    case CONFIG_UNHEARD:
        status = fail(error, 3);
        break;
    }
    config_release(&config);
    return status;
}
