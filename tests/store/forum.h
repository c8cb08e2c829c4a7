/* Threads, posts and files for the tests: short forms of the store's operations, each in a
 * transaction of its own where none is open. What is given as NULL or 0 is filled in. */
#ifndef FORUM_H
#define FORUM_H

#include "fixture.h"
#include "threads.h"

/* A new thread; its stream. */
int64_t forum_thread(struct fixture *fixture, int64_t creator, const char *title);
/* What the store says of it; it must be there. */
struct store_thread forum_find(struct fixture *fixture, const char *title);

/* All that they tell is the same; of changes: but `again`. */
void forum_same_thread(const struct store_thread *a, const struct store_thread *b);
void forum_same_change(const struct store_post_changed *a, const struct store_post_changed *b);
void forum_same_file(const struct store_file *a, const struct store_file *b);

struct forum_change {
    const unsigned char *id; /* NULL: a new one */
    const char *title;
    int64_t account;
    const unsigned char *post;
    uint64_t number;
    const char *text;
};
enum store_status forum_post(struct fixture *fixture, const struct forum_change *change,
                             struct store_post_changed *out);
enum store_status forum_edit(struct fixture *fixture, const struct forum_change *change,
                             struct store_post_changed *out);
enum store_status forum_delete(struct fixture *fixture, const struct forum_change *change,
                               struct store_post_changed *out);
/* Posts a text; it must be OK. */
struct store_post_changed forum_posted(struct fixture *fixture, int64_t account, const char *title,
                                       const char *text);

/* Writes the rows of posts that have none yet, in a transaction of its own. */
void forum_write_rows(struct fixture *fixture);

/* The thread as it stands, a line each: "1 han: text\n" and "han uploaded name\n". To be freed. */
char *forum_read(struct fixture *fixture, int64_t stream, uint64_t after_seq, size_t limit);
void forum_expect(struct fixture *fixture, int64_t stream, const char *lines);
/* Its entries: "1 posted 1 han: text\n", "edited", "deleted" and "4 uploaded han: name\n"; the
 * second number is the post's, 0 where it no longer stands. Of files that are deleted: "4 uploaded,
 * deleted since\n" and "5 file deleted han: name\n". To be freed. */
char *forum_sync(struct fixture *fixture, int64_t stream, uint64_t after_seq, size_t limit);
void forum_expect_entries(struct fixture *fixture, int64_t stream, const char *lines);

/* Deletes a file, with the time and, if it is NULL, an id of the fixture. */
enum store_status forum_delete_file(struct fixture *fixture, const struct store_file_change *change,
                                    struct store_file_deleted *out);

/* When an uploader tells the hash. */
enum forum_hash { FORUM_HASH_FIRST, FORUM_HASH_LAST, FORUM_HASH_TWICE, FORUM_HASH_NEVER };
struct forum_file {
    unsigned char id[ID_BYTES];
    const char *title;
    const char *name;
    int64_t account;
    uint64_t seed; /* of its bytes */
    size_t size;
    uint64_t quota_bytes;
    enum forum_hash told;
    bool wrong_hash;
};
/* The bytes of a file. */
void forum_fill(const struct forum_file *file, size_t offset, unsigned char *bytes, size_t length);
/* The hash that is told of it. */
void forum_file_hash(const struct forum_file *file, unsigned char hash[HASH_BYTES]);
enum store_status forum_begin(struct fixture *fixture, const struct forum_file *file,
                              struct store_file *out);
enum store_status forum_chunk(struct fixture *fixture, const struct forum_file *file, size_t offset,
                              size_t length, struct store_file *out, bool *done);
/* All of it, in chunks of that length, from where it is; it must be OK. */
struct store_file forum_upload(struct fixture *fixture, const struct forum_file *file,
                               size_t chunk_bytes);
/* What the store has of the file are its first `received` bytes. */
void forum_expect_bytes(struct fixture *fixture, const struct forum_file *file, int64_t number,
                        size_t received);

/* One number of a query over the closed store. */
int64_t forum_query(const struct fixture *fixture, const char *sql);

#endif
