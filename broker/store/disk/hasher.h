/* Hashes of uploads, made by a thread while the store writes the same bytes: the hash of a file
 * runs a little behind what was given of it, and only who needs the end waits. All calls come from
 * the store's thread. */
#ifndef HASHER_H
#define HASHER_H

#include "crypto.h"

#include <stdbool.h>
#include <stdint.h>

struct hasher;

/* Without a thread each call hashes what it is given. NULL: no memory, or no thread. */
struct hasher *hasher_new(bool threaded);
void hasher_free(struct hasher *hasher);

/* Whether the file's hash is under way and was given all bytes up to `offset`. */
bool hasher_follows(struct hasher *hasher, int64_t file, uint64_t offset);
/* Goes on from a hash over the file's first `offset` bytes. false: no memory. */
bool hasher_begin(struct hasher *hasher, int64_t file, const struct hash *hash, uint64_t offset);
/* Gives it the next bytes, which are copied. false: no memory. */
bool hasher_add(struct hasher *hasher, int64_t file, const void *bytes, size_t length);
/* The hash as far as it is, and how far that is. */
void hasher_look(struct hasher *hasher, int64_t file, struct hash *hash, uint64_t *offset);
/* Waits for all that was given; the file is followed no longer. */
void hasher_end(struct hasher *hasher, int64_t file, unsigned char out[HASH_BYTES]);

#endif
