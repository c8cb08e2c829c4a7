/* See server.h. One thread runs all of this; it waits only in zmq_poll. While the disk writes what
 * a turn committed, the next turn is filled. That one ends when the disk is done, so that the more
 * there is to do, the more of it shares one commit. */
#include "server.h"

#include "backup_maker.h"
#include "common/clock.h"
#include "connection.h"
#include "control.h"
#include "core/core.h"
#include "core/memory.h"
#include "data.h"
#include "door.h"
#include "host.h"
#include "intake.h"
#include "log.h"
#include "meter.h"
#include "opening.h"
#include "outlet.h"
#include "pace.h"
#include "poller.h"
#include "settings.h"
#include "sockets.h"
#include "store.h"
#include "threads.h"
#include "worker.h"
#include "zap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How long the broker waits for passwords that are being hashed before it ends. */
#define FINISH_WORK_US (5 * 1000000LL)
/* By how much the clock on the wall may differ before the core is told; and before the log has a
 * line about it. */
#define WALL_SLACK_US 1000
#define WALL_SET_US   (2 * 1000000LL)

/* The items that are polled, in this order. */
enum {
    POLL_SIGNALS,
    POLL_ZAP,
    POLL_STORE,
    POLL_COMMANDS,
    POLL_COMMANDS_MONITOR,
    POLL_EVENTS,
    POLL_EVENTS_MONITOR,
    POLL_WATCH,
    POLL_GREETER,
    POLL_WORKERS,
    POLL_CONTROL,
    POLL_BACKUP,
    POLL_ITEMS,
};

struct server {
    struct settings settings;
    void *context;       /* owned */
    struct store *store; /* owned */
    struct core *core;   /* owned */
    struct zap *zap;     /* owned */
    struct sockets sockets;
    struct door *door;            /* owned */
    struct workers *workers;      /* owned */
    struct control *control;      /* owned; NULL: `zchatd user` can't ask */
    struct backup_maker *backups; /* owned */
    struct pace *pace;            /* owned */
    struct connections connections;
    struct identity identity;
    int signals; /* a signalfd; -1: none */
    struct intake intake;
    struct outlet outlet;
    struct meter meter;
    int64_t wall_ahead_us; /* ahead of clock_us, as the core was told */
    int64_t committing_us; /* when the last commit began, on the monotonic clock */
    bool leaving;
    bool wipe; /* done when it has ended */
    bool failed;
};

/* The thread may be held up between reading the two clocks, but a clock that was set differs by
 * more than that. */
static void look_at_the_wall(struct server *server) {
    int64_t ahead_us = clock_wall_us() - clock_us();
    int64_t differs_us = ahead_us - server->wall_ahead_us;

    if (differs_us < WALL_SLACK_US && differs_us > -WALL_SLACK_US && server->wall_ahead_us != 0)
        return;
    if (server->wall_ahead_us != 0 && (differs_us > WALL_SET_US || differs_us < -WALL_SET_US))
        log_warn("clock_was_set", "by_s=%lld", (long long)(differs_us / 1000000));
    server->wall_ahead_us = ahead_us;
    core_set_wall(server->core, ahead_us);
}

static void note(void *arg, const char *event, const char *details) {
    (void)arg;
    log_info(event, "%s", details);
}

static void warn(void *arg, const char *event, const char *details) {
    (void)arg;
    log_warn(event, "%s", details);
}

static void session_ended(void *arg, void *owner, const unsigned char key[KEY_BYTES], bool lost) {
    door_session_ended(((struct server *)arg)->door, owner, key, lost);
}

static void gave_up(void *arg, void *owner) {
    outlet_gave_up(&((struct server *)arg)->outlet, owner, clock_us());
}

static bool make_backup(void *arg, bool as_export, int64_t time_us) {
    return backup_maker_begin(((struct server *)arg)->backups, as_export, time_us);
}

static bool read_backup(void *arg, uint64_t offset, unsigned char *bytes, size_t length,
                        size_t *count) {
    return backup_maker_read(((struct server *)arg)->backups, offset, bytes, length, count);
}

static void drop_backup(void *arg) {
    backup_maker_drop(((struct server *)arg)->backups);
}

static void hear_core(struct server *server) {
    struct core_options *options = &server->settings.core;

    options->note = note;
    options->warn = warn;
    options->session_ended = session_ended;
    options->gave_up = gave_up;
    options->make_backup = make_backup;
    options->read_backup = read_backup;
    options->drop_backup = drop_backup;
    options->note_arg = server;
    options->clock_us = clock_us;
    options->in_pipe = outlet_in_pipe;
    options->in_all_pipes = outlet_in_all_pipes;
    options->pipes_arg = &server->connections;
}

/* ---- set up ---- */

static bool open_signals(struct server *server) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    server->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return server->signals >= 0;
}

static enum zap_answer zap_admits_key(void *arg, const unsigned char key[KEY_BYTES]) {
    struct server *server = arg;
    char fingerprint[FINGERPRINT_TEXT];
    uint64_t before;

    if (!core_key_is_live(server->core, key))
        return ZAP_REFUSED;
    if (core_key_may_listen(server->core, key, clock_us()))
        return ZAP_ADMITTED;
    key_fingerprint(key, fingerprint);
    if (pace_due(server->pace, "events_busy", fingerprint, clock_us(), &before))
        log_warn("events_busy", "key=\"%s\" before=%llu", fingerprint, (unsigned long long)before);
    return ZAP_LATER;
}

static bool open_door(struct server *server) {
    struct door_options options = {
        .context = server->context,
        .sockets = &server->sockets,
        .facts = {.commands = server->sockets.commands_told,
                  .events = server->sockets.events_told,
                  .software = SETTINGS_SOFTWARE},
        .core = server->core,
        .connections = &server->connections,
        .pace = server->pace,
    };

    if (key_parse(server->identity.public_key, options.facts.server_key))
        server->door = door_new(&options);
    return server->door != NULL;
}

static bool open_network(struct server *server, char *error, size_t error_bytes) {
    struct config *config = server->settings.config;
    bool opened;

    server->context = sockets_context((int)config->io_threads);
    if (server->context)
        server->zap = zap_new(server->context, zap_admits_key, server);
    if (!server->zap) {
        snprintf(error, error_bytes, "ZeroMQ can't be set up: %s", zmq_strerror(errno));
        return false;
    }
    if (!sockets_open(&server->sockets, server->context, config, &server->identity, error,
                      error_bytes))
        return false;
    server->workers = workers_new(server->context, config->password_workers);
    opened = server->workers && open_door(server);
    if (!opened)
        snprintf(error, error_bytes, "the broker can't be set up: %s", zmq_strerror(errno));
    return opened;
}

struct server *server_new(struct config *config, char *error, size_t error_bytes) {
    struct server *server = memory_new(sizeof *server);

    server->signals = server->sockets.greeter = -1;
    server->pace = pace_new();
    if (!settings_open(&server->settings, config, error, error_bytes))
        goto fail;
    hear_core(server);
    if (!open_signals(server)) { /* before any thread begins, so that none of them takes signals */
        snprintf(error, error_bytes, "signals can't be taken: %s", strerror(errno));
        goto fail;
    }
    if (!opening_store(&server->store, config, error, error_bytes) ||
        !identity_open(&server->identity, config->data, server->store,
                       config->identity == IDENTITY_NEW, error, error_bytes))
        goto fail;
    server->backups = backup_maker_new(config->data);
    server->core = core_new(server->store, &server->settings.core, clock_us());
    if (!server->core || !server->backups) {
        snprintf(error, error_bytes, "the broker can't be set up: %s", strerror(errno));
        goto fail;
    }
    look_at_the_wall(server);
    if (!open_network(server, error, error_bytes))
        goto fail;
    /* The broker can serve without it. */
    server->control = control_new(config->data, error, error_bytes);
    if (!server->control)
        log_reason(LOG_LEVEL_WARN, "control_failed", error);
    intake_init(&server->intake, server->sockets.commands, &server->connections, server->core);
    outlet_init(&server->outlet, server->sockets.commands, server->sockets.events,
                &server->connections, server->door, server->core);
    meter_init(&server->meter, core_stats(server->core), clock_us());
    return server;
fail:
    server_free(server);
    return NULL;
}

void server_free(struct server *server) {
    if (!server)
        return;
    door_free(server->door);
    connections_release(&server->connections);
    outlet_release(&server->outlet);
    workers_free(server->workers);
    control_free(server->control);
    sockets_close(&server->sockets);
    zap_free(server->zap);
    core_free(server->core);
    backup_maker_free(server->backups);
    if (server->store)
        store_close(server->store);
    if (server->context)
        zmq_ctx_term(server->context);
    if (server->signals >= 0)
        close(server->signals);
    identity_wipe(&server->identity);
    settings_wipe(&server->settings);
    pace_free(server->pace);
    free(server);
}

/* ---- the turn: what came ---- */

static void reload(struct server *server) {
    if (settings_reload(&server->settings))
        core_reconfigure(server->core, &server->settings.core);
}

static void take_signals(struct server *server) {
    struct signalfd_siginfo signal;

    while (read(server->signals, &signal, sizeof signal) == (ssize_t)sizeof signal)
        if (signal.ssi_signo == SIGHUP)
            reload(server);
        else
            server->leaving = true;
}

static void answer_zap(struct server *server) {
    int refused = zap_serve(server->zap);

    if (refused < 0) {
        log_reason(LOG_LEVEL_ERROR, "zap_died", zmq_strerror(errno));
        server->failed = true;
        return;
    }
    core_stats(server->core)->zap_refused_total += (uint64_t)refused;
}

static void take_work(struct server *server, int64_t now) {
    struct core_work *work;

    while ((work = workers_take(server->workers)))
        core_work_done(server->core, work, now);
}

static void take_backup(struct server *server, int64_t now) {
    struct core_backup made;

    if (backup_maker_take(server->backups, &made))
        core_backup_made(server->core, &made, now);
}

/* ---- the turn: what goes out ---- */

static void store_failed(struct server *server) {
    log_reason(LOG_LEVEL_ERROR, "store_failed", core_error(server->core));
    fprintf(stderr, "zchatd: the store failed, nothing more is acknowledged: %s\n",
            core_error(server->core));
    server->failed = true;
}

static void count_commit(struct server *server) {
    struct stats *stats = core_stats(server->core);

    stats->commits_total++;
    stats->commit_us_total += (uint64_t)(clock_us() - server->committing_us);
}

static void give_work(struct server *server) {
    struct core_work *work;

    while ((work = core_next_work(server->core)))
        workers_give(server->workers, work);
}

/* Sends what may be sent now that the disk has the turn. */
static void tell(struct server *server, int64_t now) {
    outlet_send(&server->outlet, now);
    meter_log(&server->meter);
    give_work(server);
    if (server->control)
        control_tell(server->control, server->core);
}

/* Finishes the commit; waits if the disk is not done. */
static void finish_commit(struct server *server, int64_t now) {
    if (!core_is_committing(server->core))
        return;
    if (!core_commit_end(server->core)) {
        store_failed(server);
        return;
    }
    count_commit(server);
    tell(server, now);
}

static void finish_turn(struct server *server, int64_t now) {
    bool in_turn = core_is_in_turn(server->core);

    if (core_is_committing(server->core) || server->failed)
        return;
    server->committing_us = clock_us();
    if (!core_commit(server->core)) {
        store_failed(server);
        return;
    }
    if (server->control)
        control_seal(server->control);
    intake_begin_turn(&server->intake);
    if (core_is_committing(server->core))
        return;
    if (in_turn)
        count_commit(server);
    tell(server, now);
}

/* Ends the turn and waits until the disk has it. */
static void settle(struct server *server) {
    finish_commit(server, clock_us());
    finish_turn(server, clock_us());
    finish_commit(server, clock_us());
}

/* ---- the loop ---- */

static int64_t poll_timeout_us(const struct server *server) {
    int64_t deadline = core_deadline(server->core);
    int64_t connections = connections_deadline(&server->connections), wait_us;
    int64_t outlet = outlet_deadline(&server->outlet);

    if (core_is_committing(server->core) && core_is_full(server->core))
        return -1; /* nothing to do before the disk is done */
    if (connections < deadline)
        deadline = connections;
    if (outlet < deadline)
        deadline = outlet;
    wait_us = deadline == INT64_MAX ? INT64_MAX : deadline - clock_us();
    if (door_wait_us(server->door) < wait_us)
        wait_us = door_wait_us(server->door);
    if (wait_us == INT64_MAX)
        return -1;
    return wait_us > 0 ? wait_us : 0;
}

static void turn(struct server *server, const struct poller_item *items) {
    int64_t now = clock_us();

    look_at_the_wall(server);
    if (items[POLL_SIGNALS].ready)
        take_signals(server);
    if (items[POLL_ZAP].ready)
        answer_zap(server);
    if (items[POLL_STORE].ready)
        finish_commit(server, now);
    if (items[POLL_GREETER].ready)
        door_greet(server->door);
    if (items[POLL_ZAP].ready || items[POLL_COMMANDS_MONITOR].ready ||
        items[POLL_EVENTS_MONITOR].ready)
        door_take(server->door);
    if (items[POLL_EVENTS].ready || door_doubts(server->door))
        door_take_subscriptions(server->door);
    if (items[POLL_WORKERS].ready)
        take_work(server, now);
    if (items[POLL_CONTROL].ready && server->control)
        control_take(server->control, server->core, now);
    if (items[POLL_BACKUP].ready)
        take_backup(server, now);
    if (items[POLL_COMMANDS].ready || door_doubts(server->door))
        intake_take(&server->intake, now);
    outlet_tick(&server->outlet, now);
    connections_tick(&server->connections, now);
    if (now >= core_deadline(server->core))
        core_tick(server->core, now);
    door_end_keys(server->door);
    door_tick(server->door);
    finish_turn(server, now);
    if (core_wants_shutdown(server->core, &server->wipe))
        server->leaving = true;
}

/* Waits for passwords that are being hashed, but no longer than a supervisor is likely to wait. */
static void finish_work(struct server *server) {
    zmq_pollitem_t done = {.socket = workers_socket(server->workers), .events = ZMQ_POLLIN};
    int64_t until_us = clock_us() + FINISH_WORK_US;

    while (!server->failed && core_has_work(server->core) && clock_us() < until_us) {
        if (zmq_poll(&done, 1, (long)((until_us - clock_us()) / 1000) + 1) < 0 && errno != EINTR)
            return;
        take_work(server, clock_us());
        settle(server);
    }
}

/* Gives waiting commands their turn, but for no longer than a supervisor is likely to wait. */
static void finish_waiting(struct server *server) {
    int64_t until_us = clock_us() + FINISH_WORK_US;

    while (!server->failed && core_has_waiting(server->core) && clock_us() < until_us) {
        core_tick(server->core, clock_us());
        settle(server);
    }
}

/* What came before the signal is carried out and answered; then everybody is told. */
static void leave(struct server *server) {
    settle(server);
    intake_take(&server->intake, clock_us());
    settle(server);
    finish_waiting(server);
    finish_work(server);
    if (server->failed)
        return;
    core_shutdown(server->core, "the broker is shutting down", clock_us());
    settle(server);
    if (server->failed)
        return;
    backup_maker_stop(server->backups);
    if (server->wipe && store_wipe(server->store) != STORE_OK) {
        log_reason(LOG_LEVEL_ERROR, "wipe_failed", store_error(server->store));
        server->failed = true;
    }
    log_info("stopped", "wiped=%s", server->wipe ? "true" : "false");
}

static void tell_ready(struct server *server) {
    const struct sockets *sockets = &server->sockets;
    unsigned char key[KEY_BYTES];
    char fingerprint[FINGERPRINT_TEXT] = "";

    if (key_parse(server->identity.public_key, key))
        key_fingerprint(key, fingerprint);
    key_fingerprint_dashes(fingerprint);
    fprintf(stderr, "ready address=%s commands=%s events=%s server_key=%s fingerprint=%s\n",
            sockets->address, sockets->commands_address, sockets->events_address,
            server->identity.public_key, fingerprint);
}

static void poll_failed(struct server *server) {
    log_reason(LOG_LEVEL_ERROR, "poll_failed", zmq_strerror(errno));
    server->failed = true;
}

int server_run(struct server *server) {
    struct poller_item items[POLL_ITEMS] = {
        [POLL_SIGNALS] = {.fd = server->signals},
        [POLL_ZAP] = {.socket = zap_socket(server->zap)},
        [POLL_STORE] = {.fd = store_commit_fd(server->store)},
        [POLL_COMMANDS] = {.socket = server->sockets.commands},
        [POLL_COMMANDS_MONITOR] = {.socket = door_commands_monitor(server->door)},
        [POLL_EVENTS] = {.socket = server->sockets.events},
        [POLL_EVENTS_MONITOR] = {.socket = door_events_monitor(server->door)},
        [POLL_WATCH] = {.fd = door_watch_fd(server->door)},
        [POLL_GREETER] = {.fd = door_greeter_fd(server->door)},
        [POLL_WORKERS] = {.socket = workers_socket(server->workers)},
        [POLL_CONTROL] = {.fd = server->control ? control_fd(server->control) : server->signals},
        [POLL_BACKUP] = {.fd = backup_maker_fd(server->backups)},
    };
    char error[512];

    if (!sockets_publish(&server->sockets, server->settings.config->data,
                         server->identity.public_key, error, sizeof error))
        log_reason(LOG_LEVEL_WARN, "endpoints_unwritten", error);
    tell_ready(server);
    host_check_advertised(server->settings.config->advertise);
    if (!poller_begin(items, POLL_ITEMS))
        poll_failed(server);
    while (!server->leaving && !server->failed) {
        items[POLL_COMMANDS].wanted = !intake_is_full(&server->intake);
        items[POLL_WATCH].wanted = door_watches(server->door);
        items[POLL_COMMANDS].used = true; /* each turn may send */
        items[POLL_EVENTS].used = door_used_events(server->door) || items[POLL_EVENTS].used;
        if (poller_wait(items, POLL_ITEMS, poll_timeout_us(server))) {
            meter_begin(&server->meter, clock_us());
            turn(server, items);
            meter_end(&server->meter, clock_us());
        } else if (errno != EINTR) {
            poll_failed(server);
        }
    }
    if (!server->failed)
        leave(server);
    sockets_unpublish(server->settings.config->data);
    return server->failed ? 1 : 0;
}
