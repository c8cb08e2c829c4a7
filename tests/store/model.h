/* What a store must be like, kept as simply as can be, and a run of random operations that does
 * everything to both and compares. After a crash the model goes back to its last commit. */
#ifndef MODEL_H
#define MODEL_H

#include "fixture.h"

#define MODEL_ACCOUNTS 12

struct model;

/* Adds MODEL_ACCOUNTS accounts to the open store. */
struct model *model_new(struct fixture *fixture, uint64_t seed);
void model_free(struct model *model);

/* From now on nothing corrects or takes back a message, as in old versions of the store. */
void model_amend_nothing(struct model *model);

/* Carries out that many random operations, in transactions of up to 40; some close and open
 * the store. The last one is committed. */
void model_run(struct model *model, size_t operations);
/* A transaction of random operations that stays open. */
void model_begin_some(struct model *model);
/* A transaction of messages, committed, on a disk that may fail: OK, or FAILED. */
enum store_status model_try(struct model *model);
/* Every inbox, cursor and block, read in pages of random sizes, and each message's retry. */
void model_check(struct model *model);

/* The open transaction is lost. */
void model_roll_back(struct model *model);
/* The open transaction was lost or kept, nobody knows: takes over what the store, opened again,
 * has; it must be one of the two. */
void model_resolve(struct model *model);
size_t model_messages(const struct model *model);

#endif
