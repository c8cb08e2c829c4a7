/* The store's operations on threads, their posts and their files: the second half of store.h, whose
 * rules hold here, too. A thread is named by its title; its stream is a stream like an inbox.
 * Titles and file names arrive checked and cleaned.
 *
 * NO_THREAD: there is no thread of that title. NOT_FOUND: there is no such post or file, or no
 * thread with that id. ID_REUSED: the id names something else, of whatever kind. */
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

/* A post as it is now. The texts are borrowed until the callback returns or, if there is no
 * callback, until the store's next operation. */
struct store_post {
    unsigned char id[ID_BYTES];
    uint64_t number; /* 0: it was deleted */
    uint64_t seq;    /* where it came in the stream */
    char user[NAME_BYTES];
    const char *text;
    size_t text_bytes;
    int64_t time_us;
    int64_t edited_us; /* 0: never */
    bool damaged;      /* the text is "", and so is all but seq that can't be read */
};

struct store_file {
    int64_t file; /* the store's number */
    unsigned char id[ID_BYTES];
    uint64_t seq; /* where it came in the stream; 0: it is not complete */
    char user[NAME_BYTES];
    char name[FILE_NAME_BYTES];
    uint64_t size;
    uint64_t received;              /* bytes stored, from the first on */
    unsigned char hash[HASH_BYTES]; /* zeros: the file is not complete, and its hash not told yet */
    int64_t time_us;                /* when it was complete, or begun */
};

/* An entry of a thread's stream. `kind` says which of post and file counts. */
enum store_entry_kind {
    STORE_POSTED = 1,
    STORE_EDITED,
    STORE_DELETED,      /* post.id and post.user alone */
    STORE_UPLOADED,     /* file.file 0: it was deleted since, and nothing else is known */
    STORE_FILE_DELETED, /* file.id, file.name, and file.user, who did it */
    STORE_LOST,         /* damaged: neither */
};
struct store_thread_entry {
    enum store_entry_kind kind;
    uint64_t seq;
    int64_t time_us;
    struct store_post post; /* with the text of that time; number 0 if it was deleted since */
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
/* Finds another thread whose title looks the same, though it differs by more than case (unicode.h).
 * OK, NOT_FOUND. */
enum store_status store_thread_alike(struct store *store, const char *title,
                                     char other[TITLE_BYTES]);
/* Calls `each` for the threads after a title, in the order of titles (by bytes), until it returns
 * false. */
enum store_status store_thread_list(struct store *store, const char *after_title, size_t limit,
                                    bool (*each)(void *arg, const struct store_thread *),
                                    void *arg);
/* Removes the thread, its posts, log entries, files, chunks and followers. NOT_OWNER if the account
 * did not create it and `admin` is not set. *out: the thread as it was. From now on nobody can read
 * them, the title and the ids of posts and files are free, and the thread no longer counts in its
 * creator's quota of threads, however much it has. But its contents leave the disk, and the quotas
 * of bytes, slice by slice (store_has_rubbish). */
enum store_status store_thread_remove(struct store *store, const char *title, int64_t account,
                                      bool admin, struct store_thread *out);

/* An edit or a deletion. The post is named by its id or, if `post` is NULL, by its present
 * number. */
struct store_post_change {
    const unsigned char *id; /* ID_BYTES: id of the edit or deletion itself */
    const char *title;
    int64_t account;
    const unsigned char *post; /* edit, delete: ID_BYTES or NULL */
    uint64_t number;           /* if post is NULL */
    const char *text;          /* post, edit */
    size_t text_bytes;
    int64_t now_us;
};
struct store_post_changed {
    bool again; /* it was stored before: all below is as it is now */
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

/* Calls `each` for the posts and complete files as they are now, in the order in which they came,
 * after `after_seq`: exactly one of post and file is not NULL. Ends when `each` returns false, or
 * after `limit` items. */
enum store_status
store_thread_read(struct store *store, int64_t stream, uint64_t after_seq, size_t limit,
                  bool (*each)(void *arg, const struct store_post *, const struct store_file *),
                  void *arg);
/* Calls `each` for the stream's entries after `after_seq`, in order, without holes. */
enum store_status store_thread_sync(struct store *store, int64_t stream, uint64_t after_seq,
                                    size_t limit,
                                    bool (*each)(void *arg, const struct store_thread_entry *),
                                    void *arg);

/* ---- searching ---- */

/* Words as word_text.h has them: all that stand in a message that the account sent or received, or
 * in a post. */
struct store_search {
    int64_t account;
    const char *words; /* at most SEARCH_BYTES_MAX */
    int64_t before;    /* what the last page's `before` says; 0: the newest ones first */
    size_t limit;
};
/* A message, or a post with its thread. Texts and names are borrowed until the callback returns. */
struct store_found {
    bool is_post;
    struct store_message message; /* seq: in the account's inbox */
    struct store_post post;
    struct store_thread thread;
};
struct store_searched {
    int64_t before;
    bool more;       /* it goes on there; a page may be short, or empty, all the same */
    uint64_t behind; /* of the log: so many of the newest entries are not indexed yet */
};
/* What is found, the newest first, until `each` does not take one, `limit` are found, or it took
 * some milliseconds. OK, NO_WORD, NO_INDEX. */
enum store_status store_search(struct store *store, const struct store_search *search,
                               bool (*each)(void *arg, const struct store_found *), void *arg,
                               struct store_searched *out);

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
/* Moves the cursor forward, but never back or past the head. OK, NOT_FOLLOWED. */
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
/* Reserves the name and the room. OK, with how many bytes came (also if the same id and content is
 * begun again, complete or not; an unknown hash fits). NO_THREAD. EXISTS: the name is taken by
 * another file. An unfinished file reserves its name for its uploader, who may begin it again under
 * another id: the bytes that came are kept if size and hash are known to be the same. ID_REUSED.
 * NO_ROOM: also if the disk has no room for it and everything else that was begun. */
enum store_status store_upload_begin(struct store *store, const struct store_upload *upload,
                                     struct store_file *out);
/* Stores bytes at `offset`; bytes that are stored already are passed over. With the last byte (an
 * empty chunk for an empty file) the hash, announced or given here, is compared, and the file
 * appears in its thread: *done, out->seq and *thread tell. The hash's state is stored with them, so
 * that nothing has to be read again after a restart. OK, NOT_FOUND, NOT_OWNER, WRONG_OFFSET (a
 * hole: offset > received, or more than size), HASH_UNFIT (the last byte is refused: no hash, or
 * not the announced one), MISMATCH (the bytes are not those of the hash: the upload begins anew),
 * ID_REUSED (a message got the id meanwhile: the upload begins anew, too, and needs another id),
 * NO_ROOM (the disk has no room now; the upload stays as it is). out->received: how many bytes are
 * stored now. A chunk of a complete file is OK, with out->seq, and changes nothing. */
enum store_status store_upload_chunk(struct store *store, const unsigned char id[ID_BYTES],
                                     int64_t account, uint64_t offset, const void *bytes,
                                     size_t length, const unsigned char *hash, int64_t now_us,
                                     struct store_file *out, bool *done,
                                     struct store_thread *thread);
/* Gives the name and the quotas back, and the disk's room slice by slice (store_has_rubbish). OK,
 * NOT_FOUND (also if the file is complete), NOT_OWNER. */
enum store_status store_upload_cancel(struct store *store, const unsigned char id[ID_BYTES],
                                      int64_t account);
/* Cancels some unfinished uploads that got no chunk since `before_us`, and some that got no byte at
 * all and began before `empty_before_us` (which is not earlier); *more: there are more. */
enum store_status store_uploads_expire(struct store *store, int64_t before_us,
                                       int64_t empty_before_us, bool *more);

/* OK, NO_THREAD, NOT_FOUND. */
enum store_status store_file_find(struct store *store, const char *title, const char *name,
                                  struct store_file *out);
/* Finds another file of the thread, complete or not, whose name looks the same. OK, NO_THREAD,
 * NOT_FOUND. */
enum store_status store_file_alike(struct store *store, const char *title, const char *name,
                                   char other[FILE_NAME_BYTES]);
/* Reads at most `length` bytes from `offset` of a file, complete or not; *count: how many. OK,
 * NOT_FOUND, DAMAGED: the piece behind the first *count bytes is damaged; these bytes are right. */
#define STORE_PIECE_BYTES (UINT64_C(256) * 1024)
enum store_status store_file_read(struct store *store, int64_t file, uint64_t offset, void *bytes,
                                  size_t length, size_t *count);
/* Calls `each` for the complete files after that number of the stream (0: all), in the order in
 * which they came, until it returns false. OK, NO_THREAD. */
enum store_status store_file_list(struct store *store, const char *title, uint64_t after_seq,
                                  bool (*each)(void *arg, const struct store_file *), void *arg);

/* The deletion of a complete file. */
struct store_file_change {
    const unsigned char *id; /* ID_BYTES: of the deletion itself */
    const char *title;
    const char *name;
    int64_t account;
    bool admin;
    int64_t now_us;
};
struct store_file_deleted {
    bool again; /* it was stored before: all below is as it was then */
    uint64_t seq;
    int64_t time_us;
    struct store_thread thread; /* as it is now */
    unsigned char id[ID_BYTES]; /* the file's */
};
/* Its name, and its uploader's quota, are free at once, the disk's room slice by slice
 * (store_has_rubbish). OK, NO_THREAD, NOT_FOUND (also if it is not complete), NOT_OWNER (the
 * account neither uploaded it nor created the thread, and `admin` is not set), ID_REUSED. */
enum store_status store_file_delete(struct store *store, const struct store_file_change *change,
                                    struct store_file_deleted *out);

/* ---- all of it ---- */

/* Deletes every thread, file, message, block and account, and frees the disk space: the store is as
 * new. Not called inside a transaction. */
enum store_status store_wipe(struct store *store);

#endif
