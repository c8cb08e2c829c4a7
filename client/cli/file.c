/* Verbs about files: upload, download, list. The name of a file in a thread is not trusted: unless
 * the user names a place, a download goes into the current folder under exactly that name, or
 * nowhere. */
#include "app.h"
#include "command.h"
#include "load.h"
#include "memory.h"
#include "news.h"
#include "paths.h"
#include "screen.h"
#include "words.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- up --- */

static void file_uploaded(struct call *call, const zchat_reply *reply) {
    static const zchat_id any;
    char size[LOAD_SIZE_BYTES];
    if (!load_done(call, reply, "not uploaded")) {
        news_expect_not(call->app, ZCHAT_EVENT_UPLOADED, call->title, &any, call->name);
        return;
    }
    news_expected(call->app, ZCHAT_EVENT_UPLOADED, call->title, &any, call->name);
    forum_show_file(forum_get(&call->app->forum, call->title), reply->uploads->file);
    load_size(reply->uploads->size, size);
    app_note(call->app, "uploaded %s (%s)", reply->uploads->file, size);
}

/* What stands behind the path: nothing, or --as NAME. NULL: something else. */
static const char *file_name_of(const struct command_words *words, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!words->word[2])
        return !slash ? path : slash + 1;
    return strcmp(words->word[2], "--as") == 0 ? words->word[3] : NULL;
}

static void run_file_put(struct app *app, const struct command_words *words) {
    static const zchat_id any;
    char *path = paths_expand(words->word[1]);
    const char *name = file_name_of(words, path);
    if (!name) {
        app_fail(app, ZCHAT_INVALID, "after the path comes --as NAME, or nothing");
        free(path);
        return;
    }
    if (!load_name_stays(name)) {
        app_fail(app, ZCHAT_INVALID, "%s names no file; a file can't be named \"%s\"", path, name);
        free(path);
        return;
    }
    struct call *call = call_new_in(app, file_uploaded, words->word[0], name);
    load_begin(app, call);
    news_expect(app, ZCHAT_EVENT_UPLOADED, call->title, &any, call->name);
    call_begun(call, zchat_file_put(app->z, call->title, path, words->word[2] ? name : NULL,
                                    load_moved, call_answered, call));
    app_update_prompt(app);
    free(path);
}

static const struct command file_put_command = {
    .name = "file put",
    .classic = "UPD",
    .arguments = "T PATH [--as NAME]",
    .help = "upload a file into a thread",
    .example = "file put harvest ~/plan.pdf",
    .words_min = 2,
    .words_max = 4,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD_PATH,
    .run = run_file_put,
};

/* --- down --- */

struct file_target {
    const char *place; /* borrowed: given with -o; NULL: not given */
    bool force;
};

static bool file_read_target(const struct command_words *words, struct file_target *target) {
    memset(target, 0, sizeof *target);
    for (size_t i = 2; i < COMMAND_WORDS_MAX && words->word[i]; i++) {
        const char *word = words->word[i];
        if (strcmp(word, "--force") == 0)
            target->force = true;
        else if (strcmp(word, "-o") == 0 && i + 1 < COMMAND_WORDS_MAX && words->word[i + 1])
            target->place = words->word[++i];
        else
            return false;
    }
    return !target->place || *target->place != '\0';
}

static void file_downloaded(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    bool taken = reply->code == ZCHAT_CONFLICT && call->path &&
                 faccessat(AT_FDCWD, call->path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    zchat_reply told = *reply;
    char text[APP_ERROR_BYTES];
    snprintf(text, sizeof text, "%s exists already; --force replaces it", taken ? call->path : "");
    if (taken)
        told.text = text;
    if (load_done(call, &told, "not downloaded") && call->path)
        app_note(app, "downloaded %s to %s", call->name, call->path);
}

static void file_get(struct app *app, const struct command_words *words, const char *path,
                     bool force) {
    struct call *call = call_new_in(app, file_downloaded, words->word[0], words->word[1]);
    call->path = memory_text(path);
    if (!path) {
        app_show(app);
        screen_hold(app->screen, true);
    }
    load_begin(app, call);
    call_begun(call, zchat_file_get(app->z, call->title, call->name, call->path, STDOUT_FILENO,
                                    force, load_moved, call_answered, call));
    app_update_prompt(app);
}

static void run_file_get(struct app *app, const struct command_words *words) {
    struct file_target target;
    if (!file_read_target(words, &target)) {
        app_fail(app, ZCHAT_INVALID, "after the file's name comes -o PATH, or --force");
        return;
    }
    bool stream = target.place && strcmp(target.place, "-") == 0;
    char *path = stream ? NULL : load_path(words->word[1], target.place);
    if (stream && !app->script)
        app_fail(app, ZCHAT_INVALID, "-o - is for scripts");
    else if (!stream && !path)
        app_fail(app, ZCHAT_INVALID, "no file can be named \"%s\" here; say where with -o PATH",
                 words->word[1]);
    else
        file_get(app, words, path, target.force);
    free(path);
}

static const struct command file_get_command = {
    .name = "file get",
    .classic = "DWN",
    .arguments = "T NAME [-o PATH|-] [--force]",
    .help = "download it, to here or to PATH",
    .example = "file get harvest plan.pdf -o /tmp/plan.pdf",
    .words_min = 2,
    .words_max = 5,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD_FILE,
    .run = run_file_get,
};

/* --- list --- */

static void file_show_file(struct call *call, const zchat_upload *upload) {
    struct app *app = call->app;
    char size[LOAD_SIZE_BYTES];
    char when[CLOCK_TIME_BYTES];
    load_size(upload->size, size);
    clock_moment(upload->time_us, when);
    forum_show_file(forum_get(&app->forum, call->title), upload->file);
    screen_put(app->screen, SCREEN_BOLD, upload->file);
    screen_put(app->screen, SCREEN_PLAIN, "  ");
    screen_put_name(app->screen, upload->user);
    screen_putf(app->screen, SCREEN_PLAIN, "  %s", size);
    screen_putf(app->screen, SCREEN_DIM, "  %s", when);
    screen_end_line(app->screen);
}

static void file_listed(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++)
        file_show_file(call, &reply->uploads[i]);
    if (reply->count == 0 && !call->name)
        app_note(call->app, "there are no files in %s", call->title);
    if (reply->count == 0 || !reply->more)
        return;
    const char *last = reply->uploads[reply->count - 1].file;
    struct call *next = call_new_in(call->app, file_listed, call->title, last);
    call_begun(next, zchat_file_list(call->app->z, next->title, next->name, reply->seq, 0,
                                     call_answered, next));
}

static void run_file_list(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, file_listed, words->word[0], NULL);
    call_begun(call, zchat_file_list(app->z, call->title, NULL, 0, 0, call_answered, call));
}

static const struct command file_list_command = {
    .name = "file list",
    .arguments = "T",
    .help = "the files of a thread",
    .example = "file list harvest",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_file_list,
};

/* --- delete --- */

static void file_deleted(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, "not deleted"))
        app_note(call->app, "deleted %s from %s", call->name, call->title);
}

static void run_file_delete(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, file_deleted, words->word[0], words->word[1]);
    call_begun(call, zchat_file_delete(app->z, call->title, call->name, call_answered, call));
}

static const struct command file_delete_command = {
    .name = "file delete",
    .arguments = "T NAME",
    .help = "delete a file of yours, or any in a thread of yours",
    .example = "file delete harvest plan.pdf",
    .words_min = 2,
    .words_max = 2,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_file_delete,
};

const struct command *const file_commands[] = {
    &file_put_command, &file_get_command, &file_list_command, &file_delete_command, NULL,
};
