/* Hashes of uploads, made by a thread while the store writes the same bytes: a file's hash runs a
 * little behind the bytes that were given, and only who needs the final hash waits. All calls come
 * from the store's thread. */
#ifndef HASHER_H
#define HASHER_H

#include "crypto.h"

#include <stdbool.h>
#include <stdint.h>

struct hasher;

/* Without a thread each call hashes what it is given. NULL: no memory, or no thread. */
struct hasher *hasher_new(bool threaded);
void hasher_free(struct hasher *hasher);

/* Whether the file is being hashed and all bytes up to `offset` were given. */
bool hasher_follows(struct hasher *hasher, int64_t file, uint64_t offset);
/* Goes on from a hash over the file's first `offset` bytes. false: no memory. */
bool hasher_begin(struct hasher *hasher, int64_t file, const struct hash *hash, uint64_t offset);
/* Gives the next bytes, which are copied. false: no memory. */
bool hasher_add(struct hasher *hasher, int64_t file, const void *bytes, size_t length);
/* The hash so far, and over how many bytes. */
void hasher_look(struct hasher *hasher, int64_t file, struct hash *hash, uint64_t *offset);
/* Waits until all given bytes are hashed, returns the hash, and forgets the file. */
void hasher_end(struct hasher *hasher, int64_t file, unsigned char out[HASH_BYTES]);

#endif
