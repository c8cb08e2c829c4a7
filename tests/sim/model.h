/* What the core should do, in the simplest words: who is logged in where, and what each command
 * answers. Carried out in the order in which the core gets its inputs, each with its own moment. It
 * changes the town's `now`; tap.c compares what comes out of the core with what it expects. */
#ifndef MODEL_H
#define MODEL_H

#include "link.h"
#include "town.h"

struct core_work;

/* Something that somebody did and others are to be told: a presence or a broadcast. */
struct news {
    int stream;    /* 1 + the topic */
    int account;   /* who did it */
    bool online;   /* of a presence */
    uint32_t item; /* of a broadcast */
    int64_t time_us;
    bool is_public; /* no block of anybody's stood in its way */
    bool published;
    uint32_t told; /* persons who were sent it, where it is not public: a set, bit by bit */
};

struct model {
    struct news *news; /* owned: of all the time */
    size_t news_count;
    size_t news_max;
    size_t news_checked;            /* those of earlier turns */
    uint64_t seats;                 /* the last number given */
    unsigned run;                   /* of the broker, from 1 */
    unsigned guesses[ACCOUNTS_MAX]; /* wrong passwords that were told since the last lock */
};

void model_release(struct model *model);
/* The broker began anew: nobody is logged in. */
void model_begin_run(struct world *world);

void model_request(struct world *world, struct link *link, struct asked *asked);
/* The password's work came back for one that waits. */
void model_resume(struct world *world, struct link *link, struct asked *asked,
                  const struct core_work *work);
void model_close(struct world *world, struct link *link);
void model_tick(struct world *world);
void model_shutdown(struct world *world);

bool model_is_online(const struct world *world, int account);
/* The same news as `like` (all but whether they are public); NULL: nothing of that happened. */
struct news *model_news(struct world *world, const struct news *like);
/* Whether the person was sent that broadcast because it was not public. */
bool model_was_told(const struct world *world, uint32_t item, const struct person *person);

#endif
