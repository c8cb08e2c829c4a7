/* See state.h. */
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What strangers or scripts in a loop cause is logged once in this time for each source. */
#define NOTE_EVERY_US (60 * 1000000LL)

/* ---- the log ---- */

typedef void note_fn(void *arg, const char *event, const char *details);

/* `before`: how many like it were passed over; 0: the line does not mention any. */
static void note_va(struct core *core, note_fn *note, const char *event, uint32_t before,
                    const char *format, va_list arguments) {
    char details[256];
    int used;

    if (!note)
        return;
    used = vsnprintf(details, sizeof details, format, arguments);
    if (before > 0 && used >= 0 && (size_t)used < sizeof details)
        snprintf(details + used, sizeof details - (size_t)used, " before=%u", (unsigned)before);
    note(core->options.note_arg, event, details);
}

void core_note(struct core *core, const char *event, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    note_va(core, core->options.note, event, 0, format, arguments);
    va_end(arguments);
}

static void note_rarely_va(struct core *core, note_fn *note, const char *event, const char *source,
                           const char *format, va_list arguments) {
    struct claim *noted;
    char name[128];

    snprintf(name, sizeof name, "%s %s", event, source);
    noted = claim_find(core->claims, CLAIM_NOTED, name, strlen(name));
    if (noted && core->now_us - claim_seen_us(noted) < NOTE_EVERY_US) {
        claim_pass_over(noted);
        return;
    }
    noted = claim_get(core->claims, CLAIM_NOTED, name, strlen(name), core->now_us);
    note_va(core, note, event, claim_passed_over(noted), format, arguments);
}

void core_note_rarely(struct core *core, const char *event, const char *source, const char *format,
                      ...) {
    va_list arguments;

    va_start(arguments, format);
    note_rarely_va(core, core->options.note, event, source, format, arguments);
    va_end(arguments);
}

void core_warn_rarely(struct core *core, const char *event, const char *source, const char *format,
                      ...) {
    va_list arguments;

    va_start(arguments, format);
    note_rarely_va(core, core->options.warn, event, source, format, arguments);
    va_end(arguments);
}

void core_warn(struct core *core, const char *event, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    note_va(core, core->options.warn, event, 0, format, arguments);
    va_end(arguments);
}

/* ---- the store and the clock ---- */

int64_t core_wall_us(const struct core *core, int64_t now_us) {
    return now_us + core->wall_ahead_us;
}

bool core_is_hidden(const struct core *core, int64_t a, int64_t b) {
    return store_block_is(core->store, a, b) || store_block_is(core->store, b, a);
}

enum store_status core_store(struct core *core, enum store_status status) {
    if (status == STORE_FAILED)
        core->failed = true;
    return status;
}

bool core_begin(struct core *core) {
    if (!core->in_turn && !core->failed) {
        core->in_turn = true;
        core_store(core, store_begin(core->store));
    }
    return !core->failed;
}
