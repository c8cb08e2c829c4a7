#include "backup.h"

#include "call.h"
#include "store_backup.h"

/* ---- one at a time ---- */

bool backup_hold(struct core *core, enum backup_stage stage) {
    if (core->backup.stage != BACKUP_NONE ||
        core_store(core, store_hold_pieces(core->store, true)) != STORE_OK)
        return false;
    core->backup = (struct backup){.stage = stage, .begun_us = core->now_us};
    return true;
}

void backup_leave(struct core *core, enum backup_stage stage) {
    core->backup.stage = stage;
    (void)core_store(core, store_hold_pieces(core->store, false));
}

bool core_backup_begin(struct core *core) {
    return backup_hold(core, BACKUP_ELSEWHERE);
}

void core_backup_end(struct core *core) {
    if (core->backup.stage == BACKUP_ELSEWHERE)
        backup_leave(core, BACKUP_NONE);
}

bool backup_is_of(const struct core *core, const struct session *session) {
    return core->backup.session == session->number &&
           (core->backup.stage == BACKUP_MAKING || core->backup.stage == BACKUP_WHOLE);
}

bool backup_is_awaited(const struct core *core, const struct session *session) {
    return core->backup.stage == BACKUP_MAKING && core->backup.session == session->number;
}

void backup_drop(struct core *core) {
    bool is_whole = core->backup.stage == BACKUP_WHOLE;

    core->options.drop_backup(core->options.note_arg);
    core->backup.stage = is_whole ? BACKUP_NONE : BACKUP_ENDING;
}

void backup_session_ends(struct core *core, const struct session *session) {
    if (backup_is_of(core, session))
        backup_drop(core);
}

/* ---- its end ---- */

/* The session that asked, if it is still there. */
static struct peer *find_asker(const struct core *core) {
    struct peer *peer = NULL;

    HASH_FIND(hh, core->peers, &core->backup.peer, sizeof core->backup.peer, peer);
    return peer && peer->session && peer->session->number == core->backup.session ? peer : NULL;
}

static void answer(struct core *core, struct peer *peer, Zchat__V1__Reply *reply) {
    reply->request = core->backup.request;
    if (reply->request != 0)
        (void)outbox_reply(core->outbox, &peer->line, reply); /* it is short */
}

static Zchat__V1__Reason reason_of(enum store_status status) {
    return status == STORE_FULL      ? REASON(DISK_FULL)
           : status == STORE_DAMAGED ? REASON(DAMAGED)
                                     : REASON(BACKUP_FAILED);
}

static void answer_failed(struct core *core, struct peer *peer, const struct core_backup *made) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;

    error_fill(&error, reason_of(made->status),
               made->status == STORE_OK ? "the backup was ended" : made->error, 0);
    reply.error = &error;
    core->stats.commands_refused_total++;
    answer(core, peer, &reply);
}

static void answer_made(struct core *core, struct peer *peer, const struct core_backup *made) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__StartBackupResponse response = ZCHAT__V1__START_BACKUP_RESPONSE__INIT;

    response.size = made->bytes;
    response.digest.data = (uint8_t *)(uintptr_t)made->hash;
    response.digest.len = HASH_BYTES;
    response.time_us = made->time_us;
    response.damaged = made->damaged;
    reply.body_case = ZCHAT__V1__REPLY__BODY_START_BACKUP;
    reply.start_backup = &response;
    answer(core, peer, &reply);
}

static void note(struct core *core, const struct core_backup *made) {
    long long took_ms = (core->now_us - core->backup.begun_us) / 1000;

    if (made->status == STORE_OK)
        core_note(core, "backup_made", "bytes=%llu ms=%lld", (unsigned long long)made->bytes,
                  took_ms);
    else
        core_warn(core, "backup_failed", "ms=%lld reason=\"%s\"", took_ms, made->error);
}

void backup_made(struct core *core, const struct core_backup *made, int64_t now_us) {
    struct peer *peer = find_asker(core);
    bool wanted = core->backup.stage == BACKUP_MAKING && peer && made->status == STORE_OK;

    core->now_us = now_us;
    note(core, made);
    backup_leave(core, wanted ? BACKUP_WHOLE : BACKUP_NONE);
    if (!wanted)
        core->options.drop_backup(core->options.note_arg);
    if (!peer)
        return;
    session_active(&core->sessions, peer->session, now_us);
    if (wanted)
        answer_made(core, peer, made);
    else
        answer_failed(core, peer, made);
}
