/* The store's operations on threads, their posts and their files: the second half of store.h, whose
 * rules hold here, too. A thread is known by its title, its stream is a stream like an inbox.
 * Titles and file names arrive checked and cleaned.
 *
 * NO_THREAD is for whatever names a thread by its title, NOT_FOUND for a post, a file, and a thread
 * named by its id. ID_REUSED: the id names something else, of whatever kind. */
#ifndef THREADS_H
#define THREADS_H

#include "crypto.h"
#include "store.h"

struct store_thread {
    int64_t stream; /* never given again */
    unsigned char id[ID_BYTES];
    char title[TITLE_BYTES];
    char creator[NAME_BYTES];
    uint64_t posts;
    uint64_t uploads;
    int64_t created_us;
    int64_t last_us;
    uint64_t head;
};

/* A post as it stands now. The texts are borrowed until the callback returns, or, where no callback
 * is, until the store's next operation. */
struct store_post {
    unsigned char id[ID_BYTES];
    uint64_t number; /* 0: it was deleted */
    uint64_t seq;    /* where it came in the stream */
    char user[NAME_BYTES];
    const char *text;
    size_t text_bytes;
    int64_t time_us;
    int64_t edited_us; /* 0: never */
    bool damaged;      /* the text is "", and the rest too where it can't be read: but for seq */
};

struct store_file {
    int64_t file; /* the store's number */
    unsigned char id[ID_BYTES];
    uint64_t seq; /* where it came in the stream; 0: it is not complete */
    char user[NAME_BYTES];
    char name[FILE_NAME_BYTES];
    uint64_t size;
    uint64_t received;              /* bytes stored, from the first on */
    unsigned char hash[HASH_BYTES]; /* zeros: not complete, and not told yet */
    int64_t time_us;                /* when it was complete, or begun */
};

/* An entry of a thread's stream. `kind` says which of post and file counts. */
enum store_entry_kind {
    STORE_POSTED = 1,
    STORE_EDITED,
    STORE_DELETED, /* post.id and post.user alone */
    STORE_UPLOADED,
    STORE_LOST, /* damaged: neither */
};
struct store_thread_entry {
    enum store_entry_kind kind;
    uint64_t seq;
    int64_t time_us;
    struct store_post post; /* with the text of that time; number 0 where it no longer stands */
    struct store_file file;
};

/* OK (also for the same id and title again), EXISTS, ID_REUSED (also of a thread that was removed).
 */
enum store_status store_thread_create(struct store *store, const unsigned char id[ID_BYTES],
                                      const char *title, int64_t creator, int64_t now_us,
                                      struct store_thread *out);
/* OK, NO_THREAD. */
enum store_status store_thread_find(struct store *store, const char *title,
                                    struct store_thread *out);
enum store_status store_thread_find_id(struct store *store, const unsigned char id[ID_BYTES],
                                       struct store_thread *out);
/* Another thread whose title looks the same, though it differs by more than case (unicode.h). OK,
 * NOT_FOUND. */
enum store_status store_thread_alike(struct store *store, const char *title,
                                     char other[TITLE_BYTES]);
/* Threads after a title in the order of titles (by bytes), until `each` returns false. */
enum store_status store_thread_list(struct store *store, const char *after_title, size_t limit,
                                    bool (*each)(void *arg, const struct store_thread *),
                                    void *arg);
/* Removes the thread, its posts, log entries, files, chunks and followers. NOT_OWNER where the
 * account is neither its creator nor `admin`. *out: as it was. From now on nobody reads them, the
 * title and the ids of posts and files are free, and it counts in its creator's quota of threads
 * no more, however much it has: but what it has leaves the disk, and the quotas of bytes, slice by
 * slice (store_has_rubbish). */
enum store_status store_thread_remove(struct store *store, const char *title, int64_t account,
                                      bool admin, struct store_thread *out);

/* Which post: by id, or where `post` is NULL by its number as it stands now. */
struct store_post_change {
    const unsigned char *id; /* ID_BYTES: of the post, the edit, the deletion itself */
    const char *title;
    int64_t account;
    const unsigned char *post; /* edit, delete: ID_BYTES or NULL */
    uint64_t number;           /* where post is NULL */
    const char *text;          /* post, edit */
    size_t text_bytes;
    int64_t now_us;
};
struct store_post_changed {
    bool again; /* it was stored before: all below is as it stands now */
    uint64_t seq;
    int64_t time_us;
    struct store_thread thread;
    struct store_post post; /* without its text */
};
/* OK, NO_THREAD, ID_REUSED. */
enum store_status store_post_add(struct store *store, const struct store_post_change *change,
                                 struct store_post_changed *out);
/* OK, NO_THREAD, NOT_FOUND (the post), POST_DELETED, NOT_OWNER, ID_REUSED. */
enum store_status store_post_edit(struct store *store, const struct store_post_change *change,
                                  struct store_post_changed *out);
enum store_status store_post_delete(struct store *store, const struct store_post_change *change,
                                    struct store_post_changed *out);

/* The posts and complete files as they stand, in the order in which they came, from after
 * `after_seq`: exactly one of post and file is not NULL. Until `each` returns false or `limit`
 * items. */
enum store_status
store_thread_read(struct store *store, int64_t stream, uint64_t after_seq, size_t limit,
                  bool (*each)(void *arg, const struct store_post *, const struct store_file *),
                  void *arg);
/* The stream's entries after `after_seq` in order, without holes. */
enum store_status store_thread_sync(struct store *store, int64_t stream, uint64_t after_seq,
                                    size_t limit,
                                    bool (*each)(void *arg, const struct store_thread_entry *),
                                    void *arg);

/* ---- followers ---- */

struct store_followed {
    int64_t stream;
    unsigned char id[ID_BYTES];
    char title[TITLE_BYTES];
    uint64_t head;
    uint64_t cursor;
};
/* The cursor begins at the head. OK, NO_THREAD, EXISTS, TOO_MANY. */
enum store_status store_follow(struct store *store, int64_t account, const char *title,
                               struct store_followed *out);
/* OK, NO_THREAD, NOT_FOLLOWED. */
enum store_status store_unfollow(struct store *store, int64_t account, const char *title,
                                 struct store_followed *out);
/* In the order of titles. */
enum store_status store_followed_list(struct store *store, int64_t account,
                                      void (*each)(void *arg, const struct store_followed *),
                                      void *arg);
/* Moves the cursor forward, never back nor past the head. OK, NOT_FOLLOWED. */
enum store_status store_followed_move(struct store *store, int64_t account, int64_t stream,
                                      uint64_t seq, uint64_t *cursor);

/* ---- files ---- */

struct store_upload {
    const unsigned char *id; /* ID_BYTES */
    const char *title;
    const char *name;
    int64_t account;
    uint64_t size;
    const unsigned char *hash; /* HASH_BYTES; NULL: it comes with the last byte */
    uint64_t quota_bytes;      /* complete and reserved bytes of all files; 0: no limit */
    int64_t now_us;
};
/* Reserves the name and the room. OK with how far it came (also the same id and content again,
 * complete or not; an unknown hash fits), NO_THREAD, EXISTS (the name is taken by another file; an
 * unfinished one reserves it for its uploader, who may begin it under another id: the bytes that
 * came stay where size and hash are known to be the same), ID_REUSED, NO_ROOM (also where the
 * disk has no room for it and all that was begun). */
enum store_status store_upload_begin(struct store *store, const struct store_upload *upload,
                                     struct store_file *out);
/* Stores bytes at `offset`; what is stored already is passed over. With the last byte (an empty
 * chunk for an empty file) the hash, announced or given here, is compared, and the file appears in
 * its thread: *done, out->seq and *thread tell. The hash's state is stored along, so that nothing
 * is read twice after a restart. OK, NOT_FOUND, NOT_OWNER, WRONG_OFFSET (a hole: offset >
 * received, or more than size), HASH_UNFIT (the last byte is refused: no hash, or not the announced
 * one), MISMATCH (the bytes are not those of the hash: the upload begins anew), ID_REUSED (a
 * message got the id meanwhile: likewise, and only another id helps), NO_ROOM (the disk has no
 * room now; the upload stays as it is). out->received: how far it is
 * now. A chunk of a complete file is OK, with out->seq, and not done again. */
enum store_status store_upload_chunk(struct store *store, const unsigned char id[ID_BYTES],
                                     int64_t account, uint64_t offset, const void *bytes,
                                     size_t length, const unsigned char *hash, int64_t now_us,
                                     struct store_file *out, bool *done,
                                     struct store_thread *thread);
/* Gives name and quotas back, and the disk's room slice by slice (store_has_rubbish). OK,
 * NOT_FOUND, NOT_OWNER. A complete file is NOT_FOUND. */
enum store_status store_upload_cancel(struct store *store, const unsigned char id[ID_BYTES],
                                      int64_t account);
/* Cancels some unfinished uploads without a chunk since `before_us`, and of those of which no byte
 * came such as began before `empty_before_us` (not earlier); *more: there are more. */
enum store_status store_uploads_expire(struct store *store, int64_t before_us,
                                       int64_t empty_before_us, bool *more);

/* OK, NO_THREAD, NOT_FOUND. */
enum store_status store_file_find(struct store *store, const char *title, const char *name,
                                  struct store_file *out);
/* Another file of the thread, complete or not, whose name looks the same. OK, NO_THREAD, NOT_FOUND.
 */
enum store_status store_file_alike(struct store *store, const char *title, const char *name,
                                   char other[FILE_NAME_BYTES]);
/* Reads at most `length` bytes from `offset` of a file, complete or not; *count: how many. OK,
 * NOT_FOUND, DAMAGED: the next piece behind *count bytes; they are right. */
#define STORE_PIECE_BYTES (UINT64_C(256) * 1024)
enum store_status store_file_read(struct store *store, int64_t file, uint64_t offset, void *bytes,
                                  size_t length, size_t *count);
/* The complete files in the order in which they came, after that number of the stream (0: all),
 * until `each` returns false. OK, NO_THREAD. */
enum store_status store_file_list(struct store *store, const char *title, uint64_t after_seq,
                                  bool (*each)(void *arg, const struct store_file *), void *arg);

/* ---- all of it ---- */

/* Deletes every thread, file, message, block and account, and frees the disk space: a store as new.
 * Not inside a transaction. */
enum store_status store_wipe(struct store *store);

#endif
