/* See unfinished.h. The lists are short: a link is charged only if it holds more than its share, so
 * the bound on bytes bounds the number of links, too. */
#include "unfinished.h"

#include "core/memory.h"
#include "limits.h"
#include "link_inside.h"

#include <stdlib.h>
#include <utlist.h>

/* What the links of one account hold. */
struct unfinished_sum {
    int64_t account;
    uint64_t bytes;
    UT_hash_handle hh;
};

static uint64_t large_of(uint64_t bytes) {
    return bytes > UNFINISHED_FAIR ? bytes - UNFINISHED_FAIR : 0;
}

static struct unfinished_sum *sum_of(struct links *links, int64_t account) {
    struct unfinished_sum *sum = NULL;

    HASH_FIND(hh, links->unfinished_sums, &account, sizeof account, sum);
    if (sum)
        return sum;
    sum = memory_new(sizeof *sum);
    sum->account = account;
    HASH_ADD(hh, links->unfinished_sums, account, sizeof sum->account, sum);
    return sum;
}

void unfinished_release(struct links *links, struct link *link) {
    struct unfinished_sum *sum = link->unfinished_sum;

    if (!sum)
        return;
    links->unfinished_bytes -= link->unfinished;
    links->unfinished_large -= large_of(link->unfinished);
    links->options.stats->unfinished_held_bytes = links->unfinished_bytes;
    sum->bytes -= link->unfinished;
    if (sum->bytes == 0) {
        HASH_DEL(links->unfinished_sums, sum);
        free(sum);
    }
    DL_DELETE2(links->unfinished, link, unfinished_prev, unfinished_next);
    link->unfinished = 0;
    link->unfinished_sum = NULL;
}

void unfinished_charge(struct links *links, struct link *link, uint64_t bytes) {
    unfinished_release(links, link);
    if (bytes == 0)
        return;
    link->unfinished = bytes;
    link->unfinished_sum = sum_of(links, links->options.account(links->options.arg, link));
    link->unfinished_sum->bytes += bytes;
    links->unfinished_bytes += bytes;
    links->unfinished_large += large_of(bytes);
    links->options.stats->unfinished_held_bytes = links->unfinished_bytes;
    DL_APPEND2(links->unfinished, link, unfinished_prev, unfinished_next);
}

/* ---- the bounds ---- */

static const struct unfinished_sum *largest_sum(const struct links *links) {
    const struct unfinished_sum *sum, *largest = NULL;

    for (sum = links->unfinished_sums; sum; sum = sum->hh.next)
        if (!largest || sum->bytes > largest->bytes)
            largest = sum;
    return largest;
}

/* The link that holds the most, of one account or (NULL) of all. */
static struct link *largest_link(const struct links *links, const struct unfinished_sum *sum) {
    struct link *link, *largest = NULL;

    DL_FOREACH2(links->unfinished, link, unfinished_next) {
        if (sum && link->unfinished_sum != sum)
            continue;
        if (!largest || link->unfinished > largest->unfinished)
            largest = link;
    }
    return largest;
}

/* The link to cut for a bound that does not hold; NULL: all bounds hold. */
static struct link *victim_of(const struct links *links) {
    const struct unfinished_sum *sum = largest_sum(links);

    if (links->unfinished_large > UNFINISHED_LARGE_MAX)
        return largest_link(links, NULL);
    if (sum &&
        (sum->bytes > UNFINISHED_ACCOUNT_MAX || links->unfinished_bytes > UNFINISHED_MEMBERS_MAX))
        return largest_link(links, sum);
    return NULL;
}

void unfinished_bound(struct links *links) {
    struct link *link;

    while ((link = victim_of(links)))
        link_cut(links, link, "unfinished", &links->options.stats->connections_unfinished_total);
}
