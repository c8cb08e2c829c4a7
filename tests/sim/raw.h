/* The raw sender: a device without libzchat, for what that can't be made to send: several passwords
 * at once, a login in a session, a session that ends and another one that begins while a password
 * is checked, bytes that nobody can read. It reads nothing of what it is answered; the model and
 * the tap know what that must be. */
#ifndef RAW_H
#define RAW_H

#include "link.h"

struct world;
struct raw;

/* Both accounts trust the key; -1: a stranger, who guesses passwords and registers accounts. */
struct raw *raw_new(struct world *world, int key, int account, int other);
void raw_free(struct raw *raw);
int64_t raw_due(const struct raw *raw);
void raw_run(struct raw *raw);
/* Leaves for good. */
void raw_retire(struct raw *raw);

#endif
