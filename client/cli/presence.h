/* Who comes and goes, without the noise. In auto mode an arrival is held for a second and a
 * departure for five: who is back before that was only reconnecting, and nothing is shown. Changes
 * that are due are shown together, in one line for those who came and one for those who went. */
#ifndef PRESENCE_H
#define PRESENCE_H

#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct presence;

/* Shows one line about `count` people. */
typedef void presence_show_fn(void *arg, char *const *users, size_t count, bool online);

struct presence *presence_new(enum options_choice mode, presence_show_fn *show, void *arg);
void presence_free(struct presence *presence);

void presence_changed(struct presence *presence, const char *user, bool online, int64_t now_ms);
/* Something that `user` did is about to be shown: first shows that they came, if that is held. */
void presence_announce(struct presence *presence, const char *user);
/* Forgets the held changes. */
void presence_clear(struct presence *presence);

/* When presence_tick() has something to show; -1: nothing is held. */
int64_t presence_due_ms(const struct presence *presence);
void presence_tick(struct presence *presence, int64_t now_ms);

#endif
