/* What threads and their posts must be like, kept as simply as can be, and random operations that
 * are done to both and compared: posts, edits and deletions of several authors, uploads, removals.
 */
#ifndef FORUM_MODEL_H
#define FORUM_MODEL_H

#include "forum.h"

struct forum_model;

/* Adds its accounts to the open store. */
struct forum_model *forum_model_new(struct fixture *fixture, uint64_t seed);
void forum_model_free(struct forum_model *model);

/* From now on no file is deleted, as in old versions of the store. */
void forum_model_delete_no_file(struct forum_model *model);

/* That many operations, each committed; one thread in `removal_odds` operations is removed. */
void forum_model_run(struct forum_model *model, size_t operations, size_t removal_odds);
/* An operation in a transaction that stays open. */
void forum_model_begin_one(struct forum_model *model);
/* Every thread, read in pages of random sizes; its entries; and every file's bytes. Of removed
 * threads nothing is read. */
void forum_model_check(struct forum_model *model);
/* Lets all go that removals left: then there are no more rows, and no more counts in quotas, than
 * what stands needs. */
void forum_model_sweep(struct forum_model *model);

#endif
