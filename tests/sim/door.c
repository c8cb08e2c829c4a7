#include "door.h"

#include "person.h"
#include "world.h"

#include <stdlib.h>

static void check(struct world *world, const struct link *link, const struct asked *asked,
                  const char *wrong) {
    if (wrong)
        world_fail(world, "link %llu, request %llu: %s", (unsigned long long)link->number,
                   (unsigned long long)asked->number, wrong);
    if (asked->kind == KIND(SEND_MESSAGE) && link->seat.open &&
        link->seat.account != world->town->messages[asked->item].author &&
        !world->town->messages[asked->item].in_disorder)
        world_fail(world, "link %llu: m%u is sent as u%d", (unsigned long long)link->number,
                   (unsigned)asked->item, link->seat.account);
    if (asked->kind == KIND(ACK) && link->person)
        person_check_ack(link->person, link, asked);
    world->broker.asked += asked->kind != KIND(KEEP_ALIVE) && asked->kind != KIND(LIST_FOLLOWED);
}

static void take_command(struct world *world, struct link *link,
                         const Zchat__V1__Command *command) {
    struct asked *asked;

    if (command->request != 0 && link_find(link, command->request))
        world_fail(world, "link %llu: request %llu comes twice", (unsigned long long)link->number,
                   (unsigned long long)command->request);
    asked = link_add_asked(link);
    check(world, link, asked, asked_read(asked, world->town, command));
    model_request(world, link, asked);
}

/* ---- passwords ---- */

static bool tag(struct world *world, const struct link *link, uint64_t number, char **text) {
    char *tagged;

    if (!(*text)[0])
        return false;
    if (!(tagged = wire_arena_take(world->arena, PASSWORD_TEXT)))
        abort();
    password_tag(*text, link->number, number, tagged);
    *text = tagged;
    return true;
}

static bool tag_command(struct world *world, const struct link *link, Zchat__V1__Command *command) {
    uint64_t number = command->request;
    bool old;

    switch ((int)command->body_case) {
    case KIND(LOGIN):
        return tag(world, link, number, &command->login->password);
    case KIND(REGISTER_ACCOUNT):
        return tag(world, link, number, &command->register_account->password);
    case KIND(CHANGE_PASSWORD):
        old = tag(world, link, number, &command->change_password->old_password);
        return tag(world, link, number, &command->change_password->new_password) || old;
    default:
        return false;
    }
}

static void pack_again(struct parcel *parcel, const Zchat__V1__CommandBatch *batch) {
    free(parcel->bytes);
    parcel->length = wire_size(&batch->base);
    if (!(parcel->bytes = malloc(parcel->length)))
        abort();
    wire_pack(&batch->base, parcel->bytes);
}

void door_take(struct world *world, struct link *link, struct parcel *parcel) {
    Zchat__V1__CommandBatch *batch;
    bool tagged = false;

    wire_arena_reset(world->arena);
    if (wire_read_commands(world->arena, parcel->bytes, parcel->length, &batch) != WIRE_FINE) {
        if (link->person)
            world_fail(world, "link %llu: a frame that nobody can read",
                       (unsigned long long)link->number);
        link->noise++;
        return;
    }
    for (size_t i = 0; i < batch->n_commands; i++) {
        take_command(world, link, batch->commands[i]);
        tagged |= tag_command(world, link, batch->commands[i]);
    }
    if (tagged)
        pack_again(parcel, batch);
}
