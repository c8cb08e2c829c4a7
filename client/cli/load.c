/* Files on their way, and the places where they may go. */
#include "load.h"

#include "app.h"
#include "common/clock.h"
#include "memory.h"
#include "paths.h"
#include "screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_TELL_MS    100
#define LOAD_NAME_BYTES 32

struct load {                /* on its way */
    const struct call *call; /* borrowed: lives until its answer, like this */
    uint64_t bytes;
    uint64_t total;
};

/* --- how far they are --- */

/* Cuts the name between two characters. */
static void load_short_name(const char *name, char text[LOAD_NAME_BYTES]) {
    snprintf(text, LOAD_NAME_BYTES, "%s", name);
    zchat_text_clean(text);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

static unsigned load_percent(uint64_t bytes, uint64_t total) {
    return total == 0 ? 0 : (unsigned)((double)bytes * 100 / (double)total);
}

/* A few words for the prompt: "report.pdf 45%"; "" if nothing is on its way. */
static void loads_describe(const struct loads *files, char *text, size_t text_bytes) {
    char name[LOAD_NAME_BYTES];
    uint64_t bytes = 0;
    uint64_t total = 0;
    for (size_t i = 0; i < files->count; i++) {
        bytes += files->list[i]->bytes;
        total += files->list[i]->total;
    }
    *text = '\0';
    if (files->count == 1) {
        load_short_name(files->list[0]->call->name, name);
        snprintf(text, text_bytes, "%s %u%%", name, load_percent(bytes, total));
    } else if (files->count > 1) {
        snprintf(text, text_bytes, "%zu files %u%%", files->count, load_percent(bytes, total));
    }
}

static void loads_tell(struct app *app) {
    loads_describe(app->loads, app->progress, sizeof app->progress);
    app_update_prompt(app);
}

/* --- the list --- */

void loads_release(struct loads *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->list[i]);
    free(files->list);
    memset(files, 0, sizeof *files);
}

void load_begin(struct app *app, const struct call *call) {
    struct loads *files = app->loads;
    struct load *load = memory_take(sizeof *load);
    load->call = call;
    files->list = memory_grow(files->list, files->count + 1, sizeof(struct load *));
    files->list[files->count++] = load;
    app->unsent_ms = 0;
    loads_tell(app);
}

static void load_end(struct app *app, const struct call *call) {
    struct loads *files = app->loads;
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i]->call == call)
            free(files->list[i]);
        else
            files->list[kept++] = files->list[i];
    files->count = kept;
    loads_tell(app);
}

/* With each piece the time that a script waits begins anew. */
void load_moved(void *arg, uint64_t bytes, uint64_t total) {
    const struct call *call = arg;
    struct app *app = call->app;
    int64_t now_ms = clock_ms();
    app->wait.answer_ms = 0;
    for (size_t i = 0; i < app->loads->count; i++) {
        if (app->loads->list[i]->call != call)
            continue;
        app->loads->list[i]->bytes = bytes;
        app->loads->list[i]->total = total;
    }
    if (now_ms - app->loads->told_ms < LOAD_TELL_MS)
        return;
    app->loads->told_ms = now_ms;
    loads_tell(app);
}

void loads_cancel(struct app *app) {
    for (size_t i = app->loads->count; i-- > 0;)
        if (i < app->loads->count)
            zchat_file_cancel(app->z, app->loads->list[i]->call);
}

void load_size(uint64_t bytes, char text[LOAD_SIZE_BYTES]) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes / 1024;
    size_t unit = 0;
    for (; size >= 1023.95 && unit < 3; unit++)
        size /= 1024;
    if (bytes < 1024)
        snprintf(text, LOAD_SIZE_BYTES, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
    else
        snprintf(text, LOAD_SIZE_BYTES, "%.1f %s", size, units[unit]);
}

bool load_done(struct call *call, const zchat_reply *reply, const char *what) {
    load_end(call->app, call);
    screen_hold(call->app->screen, false);
    if (reply->code != ZCHAT_CANCELLED || !call->app->line)
        return !call_failed(call, reply, what);
    app_note(call->app, "%s is given up", call->name);
    return false;
}

/* --- places --- */

bool load_name_stays(const char *name) {
    return *name != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

char *load_path(const char *name, const char *place) {
    char *path = !place ? NULL : paths_expand(place);
    if (path && !paths_is_folder(path))
        return path;
    char *target = NULL;
    if (load_name_stays(name) && path)
        target = paths_join(path, name);
    else if (load_name_stays(name))
        target = name[0] == '-' ? paths_join(".", name) : memory_text(name);
    free(path);
    return target;
}
