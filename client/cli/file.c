/* Uploads, downloads, and the verbs about files. The name of a file in a thread is data: without a
 * place of its own a download goes into the current folder under exactly that name, or nowhere. */
#include "file.h"

#include "app.h"
#include "call.h"
#include "clock.h"
#include "command.h"
#include "memory.h"
#include "paths.h"
#include "screen.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_TELL_MS    100
#define FILE_NAME_BYTES 32

struct file {                /* on its way */
    const struct call *call; /* borrowed: lives until its answer, as this does */
    uint64_t bytes;
    uint64_t total;
};

/* --- the list --- */

void files_release(struct files *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->list[i]);
    free(files->list);
    memset(files, 0, sizeof *files);
}

void file_begin(struct app *app, const struct call *call) {
    struct files *files = &app->files;
    struct file *file = memory_take(sizeof *file);
    file->call = call;
    files->list = memory_grow(files->list, files->count + 1, sizeof(struct file *));
    files->list[files->count++] = file;
    app->unsent_ms = 0;
}

static void file_end(struct app *app, const struct call *call) {
    struct files *files = &app->files;
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (files->list[i]->call == call)
            free(files->list[i]);
        else
            files->list[kept++] = files->list[i];
    }
    files->count = kept;
    app_update_prompt(app);
}

/* --- how far they are --- */

/* Cut between two characters. */
static void file_short_name(const char *name, char text[FILE_NAME_BYTES]) {
    snprintf(text, FILE_NAME_BYTES, "%s", name);
    zchat_text_clean(text);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

static unsigned file_percent(uint64_t bytes, uint64_t total) {
    return total == 0 ? 0 : (unsigned)((double)bytes * 100 / (double)total);
}

void files_describe(const struct files *files, char *text, size_t text_bytes) {
    char name[FILE_NAME_BYTES];
    uint64_t bytes = 0;
    uint64_t total = 0;
    for (size_t i = 0; i < files->count; i++) {
        bytes += files->list[i]->bytes;
        total += files->list[i]->total;
    }
    *text = '\0';
    if (files->count == 1) {
        file_short_name(files->list[0]->call->name, name);
        snprintf(text, text_bytes, "%s %u%%", name, file_percent(bytes, total));
    } else if (files->count > 1) {
        snprintf(text, text_bytes, "%zu files %u%%", files->count, file_percent(bytes, total));
    }
}

/* A script's patience begins anew with each piece. */
void file_moved(void *arg, uint64_t bytes, uint64_t total) {
    const struct call *call = arg;
    struct app *app = call->app;
    int64_t now_ms = clock_now_ms();
    app->wait.answer_ms = 0;
    for (size_t i = 0; i < app->files.count; i++) {
        if (app->files.list[i]->call != call)
            continue;
        app->files.list[i]->bytes = bytes;
        app->files.list[i]->total = total;
    }
    if (now_ms - app->files.told_ms < FILE_TELL_MS)
        return;
    app->files.told_ms = now_ms;
    app_update_prompt(app);
}

void files_cancel(struct app *app) {
    for (size_t i = app->files.count; i-- > 0;)
        if (i < app->files.count)
            zchat_file_cancel(app->z, app->files.list[i]->call);
}

void file_size(uint64_t bytes, char text[FILE_SIZE_BYTES]) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes / 1024;
    size_t unit = 0;
    for (; size >= 1023.95 && unit < 3; unit++)
        size /= 1024;
    if (bytes < 1024)
        snprintf(text, FILE_SIZE_BYTES, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
    else
        snprintf(text, FILE_SIZE_BYTES, "%.1f %s", size, units[unit]);
}

bool file_done(struct call *call, const zchat_reply *reply, const char *what) {
    file_end(call->app, call);
    screen_hold(call->app->screen, false);
    if (reply->code != ZCHAT_CANCELLED || call->app->line == NULL)
        return !call_failed(call, reply, what);
    app_note(call->app, "%s is given up", call->name);
    return false;
}

/* --- up --- */

/* Whether a file of this machine may have the name of one in a thread. */
static bool file_name_stays(const char *name) {
    return *name != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL;
}

static void file_uploaded(struct call *call, const zchat_reply *reply) {
    static const zchat_id any;
    char size[FILE_SIZE_BYTES];
    if (!file_done(call, reply, "not uploaded")) {
        news_expect_not(call->app, ZCHAT_EVENT_UPLOADED, call->title, &any, call->name);
        return;
    }
    news_expected(call->app, ZCHAT_EVENT_UPLOADED, call->title, &any, call->name);
    file_size(reply->uploads->size, size);
    app_note(call->app, "uploaded %s (%s)", reply->uploads->file, size);
}

static void run_file_put(struct app *app, const struct command_words *words) {
    static const zchat_id any;
    char *path = paths_expand(words->word[1]);
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (!file_name_stays(name)) {
        app_fail(app, ZCHAT_INVALID, "%s names no file; a file can't be named \"%s\"", path, name);
        free(path);
        return;
    }
    struct call *call = call_new_in(app, file_uploaded, words->word[0], name);
    file_begin(app, call);
    news_expect(app, ZCHAT_EVENT_UPLOADED, call->title, &any, call->name);
    call_begun(call,
               zchat_file_put(app->z, call->title, path, NULL, file_moved, call_answered, call));
    app_update_prompt(app);
    free(path);
}

const struct command file_put_command = {
    .name = "file put",
    .classic = "UPD",
    .arguments = "T PATH",
    .help = "upload a file into a thread",
    .words_min = 2,
    .words_max = 2,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD_PATH,
    .run = run_file_put,
};

/* --- down --- */

struct file_target {
    const char *place; /* borrowed: what -o says; NULL: nothing */
    bool force;
};

static bool file_read_target(const struct command_words *words, struct file_target *target) {
    memset(target, 0, sizeof *target);
    for (size_t i = 2; i < COMMAND_WORDS_MAX && words->word[i] != NULL; i++) {
        const char *word = words->word[i];
        if (strcmp(word, "--force") == 0)
            target->force = true;
        else if (strcmp(word, "-o") == 0 && i + 1 < COMMAND_WORDS_MAX && words->word[i + 1] != NULL)
            target->place = words->word[++i];
        else
            return false;
    }
    return target->place == NULL || *target->place != '\0';
}

char *file_path(const char *name, const char *place) {
    char *path = place == NULL ? NULL : paths_expand(place);
    if (path != NULL && !paths_is_folder(path))
        return path;
    char *target = NULL;
    if (file_name_stays(name) && path != NULL)
        target = paths_join(path, name);
    else if (file_name_stays(name))
        target = name[0] == '-' ? paths_join(".", name) : memory_text(name);
    free(path);
    return target;
}

static void file_downloaded(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    bool taken = reply->code == ZCHAT_CONFLICT && call->path != NULL &&
                 faccessat(AT_FDCWD, call->path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    zchat_reply told = *reply;
    char text[APP_ERROR_BYTES];
    snprintf(text, sizeof text, "%s exists already; --force replaces it", taken ? call->path : "");
    if (taken)
        told.text = text;
    if (file_done(call, &told, "not downloaded") && call->path != NULL)
        app_note(app, "downloaded %s to %s", call->name, call->path);
}

static void file_get(struct app *app, const struct command_words *words, const char *path,
                     bool force) {
    struct call *call = call_new_in(app, file_downloaded, words->word[0], words->word[1]);
    call->path = memory_text(path);
    if (path == NULL) {
        app_show(app);
        screen_hold(app->screen, true);
    }
    file_begin(app, call);
    call_begun(call, zchat_file_get(app->z, call->title, call->name, call->path, STDOUT_FILENO,
                                    force, file_moved, call_answered, call));
    app_update_prompt(app);
}

static void run_file_get(struct app *app, const struct command_words *words) {
    struct file_target target;
    if (!file_read_target(words, &target)) {
        app_fail(app, ZCHAT_INVALID, "after the file's name comes -o PATH, or --force");
        return;
    }
    bool stream = target.place != NULL && strcmp(target.place, "-") == 0;
    char *path = stream ? NULL : file_path(words->word[1], target.place);
    if (stream && app->script == NULL)
        app_fail(app, ZCHAT_INVALID, "-o - is for scripts");
    else if (!stream && path == NULL)
        app_fail(app, ZCHAT_INVALID, "no file can be named \"%s\" here; say where with -o PATH",
                 words->word[1]);
    else
        file_get(app, words, path, target.force);
    free(path);
}

const struct command file_get_command = {
    .name = "file get",
    .classic = "DWN",
    .arguments = "T NAME [-o PATH|-] [--force]",
    .help = "download it, to here or to PATH",
    .words_min = 2,
    .words_max = 5,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_file_get,
};

/* --- list --- */

static void file_show_file(struct app *app, const zchat_upload *upload) {
    char size[FILE_SIZE_BYTES];
    char when[CLOCK_TIME_BYTES];
    file_size(upload->size, size);
    clock_moment(upload->time_us, when);
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
        file_show_file(call->app, &reply->uploads[i]);
    if (reply->count == 0 && call->name == NULL)
        app_note(call->app, "there are no files in %s", call->title);
    if (reply->count == 0 || !reply->more)
        return;
    const char *last = reply->uploads[reply->count - 1].file;
    struct call *next = call_new_in(call->app, file_listed, call->title, last);
    call_begun(next,
               zchat_file_list(call->app->z, next->title, next->name, 0, call_answered, next));
}

static void run_file_list(struct app *app, const struct command_words *words) {
    struct call *call = call_new_in(app, file_listed, words->word[0], NULL);
    call_begun(call, zchat_file_list(app->z, call->title, NULL, 0, call_answered, call));
}

const struct command file_list_command = {
    .name = "file list",
    .arguments = "T",
    .help = "the files of a thread",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_THREAD,
    .run = run_file_list,
};
