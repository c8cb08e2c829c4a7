/* The commands StartBackup, ReadBackup and EndBackup. */
#include "backup.h"
#include "command.h"

/* ---- StartBackup ---- */

static void start_backup_check(struct call *call) {
    Zchat__V1__BackupFormat format = call->command->start_backup->format;

    if (format != ZCHAT__V1__BACKUP_FORMAT__BACKUP_FORMAT_UNSPECIFIED &&
        format != ZCHAT__V1__BACKUP_FORMAT__BACKUP_FORMAT_EXPORT)
        call_fail(call, REASON(BAD_VALUE), "a backup has no format %d: it can be 0 or 1",
                  (int)format);
}

static void begin(struct call *call) {
    struct core *core = call->core;
    bool as_export =
        call->command->start_backup->format == ZCHAT__V1__BACKUP_FORMAT__BACKUP_FORMAT_EXPORT;

    core->backup.session = call->session->number;
    core->backup.peer = call->peer->number;
    core->backup.request = call->command->request;
    core_note(core, "backup_begins", "format=%s user=%s address=%s", as_export ? "export" : "store",
              call->session->member->name, call->peer->address);
    if (core->options.make_backup(core->options.note_arg, as_export,
                                  core_wall_us(core, call->now_us)))
        return;
    backup_leave(core, BACKUP_NONE);
    call_fail(call, REASON(BACKUP_FAILED), "no backup can be begun: the broker's log says why");
}

/* backup_made answers the command. */
static bool start_backup_work(struct call *call) {
    if (!call->core->options.make_backup)
        call_fail(call, REASON(BACKUP_FAILED), "this broker makes no backups");
    else if (!backup_hold(call->core, BACKUP_MAKING))
        call_fail(call, REASON(BACKUP_RUNNING),
                  "another backup is being made: try again when it is done");
    else
        begin(call);
    return true;
}

const struct command_row start_backup_row = {
    .state = COMMAND_ADMIN,
    .cost = 100,
    .check = start_backup_check,
    .work = start_backup_work,
    .done = call_reply_response, /* never: the work always comes first */
};

/* ---- ReadBackup, EndBackup ---- */

static const struct refusal refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_BACKUP), "this session has no backup: start one", NULL},
    {STORE_DAMAGED, REASON(DAMAGED), "the backup can't be read any more: make another one", NULL},
    {0},
};

static enum store_status read_backup_run(struct call *call) {
    const Zchat__V1__ReadBackupRequest *read = call->command->read_backup;
    size_t limit =
        read->limit == 0 || read->limit > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : read->limit;
    struct core *core = call->core;
    Zchat__V1__ReadBackupResponse *got = call_response(call);

    if (!backup_is_of(core, call->session) || core->backup.stage != BACKUP_WHOLE)
        return STORE_NOT_FOUND;
    got->data.data = wire_arena_take(core->reply_arena, limit);
    if (!got->data.data) {
        call_fail(call, REASON(NO_MEMORY), "no memory for the bytes: ask for less at a time");
        return STORE_OK;
    }
    return core->options.read_backup(core->options.note_arg, read->offset, got->data.data, limit,
                                     &got->data.len)
               ? STORE_OK
               : STORE_DAMAGED;
}

const struct command_row read_backup_row = {
    .state = COMMAND_ADMIN,
    .cost = 1,
    .run = read_backup_run,
    .refusals = refusals,
    .done = call_reply_response,
};

static enum store_status end_backup_run(struct call *call) {
    if (!backup_is_of(call->core, call->session))
        return STORE_NOT_FOUND;
    backup_drop(call->core);
    return STORE_OK;
}

const struct command_row end_backup_row = {
    .state = COMMAND_ADMIN,
    .cost = 1,
    .run = end_backup_run,
    .refusals = refusals,
    .done = call_reply_response,
};
