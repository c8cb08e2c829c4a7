/* See receipts.h. */
#include "receipts.h"

#include "app.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

void receipts_release(struct receipts *receipts) {
    free(receipts->people);
    *receipts = (struct receipts){0};
}

/* --- what one sent --- */

static struct receipts_person *receipts_find(const struct receipts *receipts, const char *user) {
    for (size_t i = 0; i < receipts->count; i++)
        if (strcmp(receipts->people[i].user, user) == 0)
            return &receipts->people[i];
    return NULL;
}

static struct receipts_person *receipts_get(struct receipts *receipts, const char *user) {
    struct receipts_person *person = receipts_find(receipts, user);
    if (person)
        return person;
    receipts->people = memory_grow(receipts->people, receipts->count + 1, sizeof *receipts->people);
    person = &receipts->people[receipts->count++];
    *person = (struct receipts_person){0};
    name_copy(person->user, user);
    return person;
}

static bool receipts_same(const zchat_id *a, const zchat_id *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* If it can't be known, nothing is said: the message was sent all the same. */
static void receipts_answered(struct call *call, const zchat_reply *reply) {
    struct receipts_person *person = receipts_find(call->app->receipts, call->user);
    if (!person || !person->waiting || !receipts_same(&person->awaited, &call->id))
        return;
    if (reply->code != ZCHAT_OK)
        person->waiting = false;
    else if (reply->read)
        receipts_read(call->app, call->user, &call->id);
}

static void receipts_ask(struct app *app, struct receipts_person *person) {
    struct call *call = call_new(app, receipts_answered, person->user);
    person->waiting = true;
    person->awaited = call->id = person->newest;
    call_begun(call, zchat_receipt(app->z, &call->id, 0, true, call_answered, call));
}

static bool receipts_wanted(const struct app *app) {
    return app->options->receipts == OPTIONS_ON ||
           (app->options->receipts == OPTIONS_AUTO && app->line && !app->errors_apart);
}

void receipts_sent(struct app *app, const char *user, const zchat_id *id) {
    if (!receipts_wanted(app))
        return;
    struct receipts_person *person = receipts_get(app->receipts, user);
    person->newest = *id;
    if (!person->waiting)
        receipts_ask(app, person);
}

void receipts_read(struct app *app, const char *user, const zchat_id *id) {
    struct receipts_person *person = receipts_find(app->receipts, user);
    if (!person || !person->waiting || !receipts_same(&person->awaited, id))
        return;
    if (receipts_same(&person->newest, id)) {
        person->waiting = false;
        app_note(app, "%s has read it", person->user);
    } else {
        receipts_ask(app, person);
    }
}
