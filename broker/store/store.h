/* The store: everything durable, behind operations. Each operation is the whole effect of one
 * command.
 *
 * Operations between store_begin and store_commit are one transaction; what they return is true
 * once store_commit returned STORE_OK. A store belongs to one thread, and has threads of its own
 * inside. Operations that write, and store_presence_since, need store_begin. Callbacks must not
 * call the store. Names arrive folded, texts cleaned, ids checked. Accounts are known by `account`
 * numbers > 0. The time is an argument everywhere: a store has no clock.
 *
 * STORE_FAILED means that the disk, the memory or the file failed: whether the transaction is
 * stored is unknown, nothing undoes it, and the process has to end. Every other status leaves the
 * transaction usable and, unless it is STORE_OK, unchanged by the operation. Each operation that
 * writes may return STORE_FULL. */
#ifndef STORE_H
#define STORE_H

#include "id.h"
#include "limits.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_status {
    STORE_OK = 0,
    STORE_NOT_FOUND,     /* what the operation is about is not there */
    STORE_NO_THREAD,     /* there is no thread of that title */
    STORE_EXISTS,        /* the name, title, block or follower is there already */
    STORE_SELF,          /* one can't do this to oneself */
    STORE_BLOCKED,       /* the actor blocked the other one (both: this one) */
    STORE_BLOCKED_BY,    /* the other one blocked the actor */
    STORE_NOT_BLOCKED,   /* the actor did not block the other one */
    STORE_NOT_FOLLOWED,  /* the account does not follow the thread */
    STORE_NOT_OWNER,     /* the thread, post, upload or message is another account's */
    STORE_POST_DELETED,  /* the post was deleted meanwhile */
    STORE_CHANGED,       /* it is no longer what the caller wants to replace */
    STORE_QUOTA_INBOX,   /* the recipient has INBOX_UNREAD_MAX unread messages, or as many bytes */
    STORE_QUOTA_SENDER,  /* ... INBOX_UNREAD_PER_SENDER_MAX from this sender, or as many bytes */
    STORE_QUOTA_ACCOUNT, /* the account has used up what store_quotas allow it */
    STORE_TOO_MANY,      /* DEVICES_MAX, BLOCKS_MAX or FOLLOWED_MAX are there */
    STORE_NO_ROOM,       /* the files, or the disk, have no room for so many bytes */
    STORE_NOT_STORED,    /* the message was not stored before, as only_again requires */
    STORE_ID_REUSED,     /* the id names another message */
    STORE_NO_MESSAGE,    /* neither sent nor got the account the message that it wants to change */
    STORE_OTHER_PERSON,  /* that message went to somebody else */
    STORE_NO_ORIGINAL,   /* that message itself corrects one, or takes one back */
    STORE_RETRACTED,     /* that message was taken back */
    STORE_WRONG_OFFSET,  /* the bytes would leave a hole, or go beyond the file's size */
    STORE_MISMATCH,      /* the bytes are not those of the announced hash */
    STORE_HASH_UNFIT,    /* that hash is missing, or not the one that was announced before */
    STORE_NO_INDEX,      /* nothing can be searched now */
    STORE_NO_WORD,       /* there is no word to look for, or SEARCH_WORDS_MAX are fewer */
    STORE_DAMAGED,       /* the disk did not keep the bytes; nothing else is harmed */
    STORE_FULL,          /* the disk has no room: see store_is_full */
    STORE_FAILED,        /* see store_error */
};

struct store;

struct store_options {
    const char *path; /* the database file, made with 0600; its folder must exist. The store's other
                       * files are beside it: their names are this one with a suffix */
    const char *vfs;  /* NULL: SQLite's default. Tests name their own */
    bool exclusive;   /* no other process and no threads: simulations */
    bool beside;      /* a broker may have it open: only changes accounts and devices */
    bool searched;    /* keeps an index of words, for store_search */
    bool accept_loss; /* opens it even if acknowledged data is missing */
    /* How many inbox entries are in memory before a merge begins; 0: 524,288. There are never more
     * than these plus what one turn brings. */
    size_t view_entries;
    /* How many entries one store_maintain merges at most, unless more arrived; 0: 8,192. */
    size_t slice_entries;
    int64_t slice_us; /* of clock_us: then it ends, unless more arrived; 0: 1,000 */
    /* Its times are only compared with each other. NULL: slices are bounded only by their entries,
     * and no disk counts as quick. */
    int64_t (*clock_us)(void);
    int wal_pages;                        /* length of the log that begins a checkpoint; 0: 8,192 */
    uint64_t unread_max;                  /* 0: INBOX_UNREAD_MAX */
    uint64_t unread_per_sender_max;       /* 0: INBOX_UNREAD_PER_SENDER_MAX */
    uint64_t unread_bytes_max;            /* 0: INBOX_UNREAD_BYTES_MAX */
    uint64_t unread_bytes_per_sender_max; /* 0: INBOX_UNREAD_BYTES_PER_SENDER_MAX */
    /* Called during the work on an earlier version's store: `done` goes from 0 to `of`. Returns
     * false if the work has to end; then store_open fails. NULL: not called. */
    bool (*progress)(void *arg, uint64_t done, uint64_t of);
    /* The same during the work on files that an earlier version hashed in another way; counts their
     * bytes. */
    bool (*rehashing)(void *arg, uint64_t done, uint64_t of);
    /* Called for each of these files whose bytes are not those that were uploaded, or are missing.
     * NULL: not called. */
    void (*damaged)(void *arg, const char *title, const char *name);
    void *progress_arg; /* of all three */
};

/* The suffix of the path under which an earlier version's store is kept after the upgrade. The
 * bytes of its files in threads belong to the new store. */
#define STORE_BACKUP_SUFFIX "-before-7"

/* Opens or makes the store, migrates its schema (not beside a broker if that takes long), and
 * rebuilds the view of the log's tail. After a migration the path names another file. Accounts that
 * were online when the last process died get the last store_alive as their last_seen, written with
 * the first store_presence_* or store_alive. On STORE_FAILED *out is a store only for store_error
 * and store_close; it is NULL only if there was no memory. A store is refused if acknowledged data
 * is missing from it (head.h). Beside a broker another process may open the store, too, but only
 * for accounts (store_account_*, store_device_*): all else is for the broker alone. */
enum store_status store_open(struct store **out, const struct store_options *options);
/* Ends its threads and closes the store. An open transaction is rolled back. */
void store_close(struct store *store);
/* The reason of the first STORE_FAILED: one sentence, never NULL. Works with the NULL store of a
 * store_open that had no memory. */
const char *store_error(const struct store *store);

/* What a start should tell about the store that was opened, as a part of a sentence: the loss that
 * was accepted, or what could not be verified. NULL: nothing. */
const char *store_remark(const struct store *store);

enum store_status store_begin(struct store *store);
enum store_status store_commit(struct store *store);

/* The same in two steps, so that the next transaction can be filled while the disk writes. If
 * *waits is set, what the operations returned is true once store_commit_end has returned STORE_OK.
 * Call that before the next commit; it does not wait once the fd is readable (-1: no commit ever
 * waits). *waits is not set for a turn of few entries if the disk is quick (syncer.h): such a turn
 * is on the disk already. */
enum store_status store_commit_begin(struct store *store, bool *waits);
int store_commit_fd(const struct store *store);
enum store_status store_commit_end(struct store *store);

/* Does the store's own work, in two calls for each turn. Called before the commit, it merges one
 * slice of the view within the transaction: until slice_us are over or slice_entries are merged,
 * but at least twice what arrived since the last call, so that memory stays bounded however much
 * arrives; and it removes one slice of what removals left, until slice_us are over or slice_entries
 * are removed. *more: there is more of either, for the next turn, whenever that is. Called after
 * the commit, it does what the checkpoint needs; if nobody calls it then, the next transaction does
 * that. */
enum store_status store_maintain(struct store *store, bool *more);
/* Whether removals left something that takes room and quotas until turns with store_maintain have
 * removed it; such turns should come soon. Also false if the disk had no room for removing it,
 * until store_look_for_room. */
bool store_has_rubbish(const struct store *store);

/* A number that stands for the broker's identity, so that nobody serves a store with another
 * identity unnoticed; 0: none was noted. *served: whether a broker had sessions on it. */
enum store_status store_identity(struct store *store, int64_t *mark, bool *served);
/* Notes it, in a transaction of its own. Works on a full disk, too. */
enum store_status store_identity_note(struct store *store, int64_t mark);

/* What one account may have; 0: no limit. None until they are set. */
struct store_quotas {
    uint64_t post_bytes; /* posts, edits and deletions in threads, plus LOG_ROW_BYTES each */
    uint64_t threads;    /* that it made */
    uint64_t file_bytes; /* complete and reserved, plus FILE_ROW_BYTES for each file */
};
void store_set_quotas(struct store *store, const struct store_quotas *quotas);

/* Whether the disk has no room for more. Then operations that would add to the store return
 * STORE_FULL. Operations that change or remove something still work within the reserve (reserve.h),
 * and return STORE_FULL, too, when that is used up. Logins and presence are OK, but what they would
 * note is not written. Operations that write find out by themselves that there is room again; so
 * does store_look_for_room, with more effort: call it now and then. */
bool store_is_full(const struct store *store);
enum store_status store_look_for_room(struct store *store);

/* ---- accounts ---- */

#define STORE_HASH_BYTES 128 /* crypto_pwhash_STRBYTES */

struct store_account {
    int64_t account;
    char name[NAME_BYTES];
    char password_hash[STORE_HASH_BYTES]; /* "": only device keys can log in */
    bool admin;
    bool locked;   /* by an administrator: nobody can log in */
    bool receipts; /* who sends it messages may learn that they were read */
    int64_t created_us;
    int64_t last_seen_us; /* 0: never */
};

struct store_device {
    uint64_t device;
    char label[LABEL_BYTES_MAX + 1];
    unsigned char key[KEY_BYTES];
    int64_t trusted_us;
    int64_t used_us; /* 0: never */
};

/* Adds an account. password_hash NULL or "": none; key NULL: no trusted device. OK, EXISTS. */
enum store_status store_account_add(struct store *store, const char *name,
                                    const char *password_hash, bool admin, const unsigned char *key,
                                    const char *label, int64_t now_us, int64_t *account);
enum store_status store_account_find(struct store *store, const char *name,
                                     struct store_account *out);
enum store_status store_account_get(struct store *store, int64_t account,
                                    struct store_account *out);
/* `was` is the hash that it replaces; NULL: it replaces any. OK, NOT_FOUND, CHANGED (the hash is
 * another one by now). */
enum store_status store_account_set_password(struct store *store, int64_t account, const char *was,
                                             const char *password_hash);
enum store_status store_account_set_locked(struct store *store, const char *name, bool locked);
enum store_status store_account_set_admin(struct store *store, const char *name, bool admin);
enum store_status store_account_set_receipts(struct store *store, const char *name, bool receipts);
/* Calls `each` for every account in the order of names. */
enum store_status store_account_list(struct store *store,
                                     void (*each)(void *arg, const struct store_account *),
                                     void *arg);
uint64_t store_account_count(const struct store *store);

/* How many wrong passwords a name has; a name that no account has is counted in the same way.
 * *failures: how many in a row, since the last lock ended. *locked_until_us: 0 or a past time: not
 * locked. */
enum store_status store_login_state(struct store *store, const char *name, int64_t now_us,
                                    uint32_t *failures, int64_t *locked_until_us);
/* Counts one more wrong password; the LOGIN_FAILURES_MAXth locks the name for `lock_us` and
 * restarts the count. At most LOGIN_FAILURES_KEPT names are kept; the oldest are dropped first. */
enum store_status store_login_failed(struct store *store, const char *name, int64_t now_us,
                                     int64_t lock_us, int64_t *locked_until_us);
/* Makes a lock end at that time, because the clock was set back or locks are shorter now. */
enum store_status store_login_shorten(struct store *store, const char *name, int64_t now_us,
                                      int64_t locked_until_us);
/* Forgets the failures of a name that need not be an account's. */
enum store_status store_login_forget(struct store *store, const char *name);
/* A login succeeded: if `by_password` forgets the failures, marks the device as used (a note, see
 * store_notes_write), and if `trust` trusts `key`. *trusted: the key is trusted now; a full disk
 * can prevent that. TOO_MANY if DEVICES_MAX are trusted already. Nothing is written if there are no
 * failures and no new device. */
enum store_status store_login_succeeded(struct store *store, int64_t account,
                                        const unsigned char key[KEY_BYTES], const char *label,
                                        bool by_password, bool trust, int64_t now_us,
                                        bool *trusted);
/* Whether the account trusts the key: OK or NOT_FOUND. */
enum store_status store_device_trusted(struct store *store, int64_t account,
                                       const unsigned char key[KEY_BYTES]);
/* The account's devices, oldest first; at most DEVICES_MAX. */
enum store_status store_device_list(struct store *store, int64_t account,
                                    struct store_device devices[DEVICES_MAX], size_t *count);
/* OK with the key that is no longer trusted, NOT_FOUND. */
enum store_status store_device_revoke(struct store *store, int64_t account, uint64_t device,
                                      unsigned char key[KEY_BYTES]);

/* ---- messages ---- */

/* What a message says of an earlier one, the original. */
enum store_about {
    STORE_ABOUT_NONE = 0,
    STORE_CORRECTS, /* the original's text is now this one's */
    STORE_RETRACTS, /* the original is taken back; this one has no text */
};

struct store_message_new {
    const unsigned char *id; /* ID_BYTES */
    int64_t author;
    const char *to; /* the recipient's name */
    const char *text;
    size_t text_bytes;
    int64_t time_us;
    bool delivered;  /* pushed to a session: kept for the reply to a retry */
    bool only_again; /* stores nothing new: NOT_STORED if it was not stored before */
    enum store_about about;
    const unsigned char *original; /* ID_BYTES; NULL: it is about none */
};

struct store_message_stored {
    bool again;        /* it was stored before: all below is from that time */
    int64_t recipient; /* account */
    int64_t time_us;
    uint64_t author_seq;    /* in the author's inbox */
    uint64_t recipient_seq; /* in the recipient's */
    bool delivered;
};

/* Appends to both inboxes. OK, NOT_FOUND, SELF, BLOCKED, BLOCKED_BY, QUOTA_*, ID_REUSED,
 * NOT_STORED; about an earlier message: NO_MESSAGE, NOT_OWNER, OTHER_PERSON, NO_ORIGINAL,
 * RETRACTED. A message that was stored before is OK, whatever was blocked since. If the sender had
 * read everything so far, they have read their own message, too: their cursor moves on with it. */
enum store_status store_message_append(struct store *store, const struct store_message_new *message,
                                       struct store_message_stored *out);

/* A message as its author may ask about it. */
struct store_message_sent {
    unsigned char id[ID_BYTES];
    int64_t recipient;      /* account */
    char to[NAME_BYTES];    /* the recipient's name */
    uint64_t recipient_seq; /* in the recipient's inbox */
};

/* Finds a message that `author` sent: by its id or, if that is NULL, by its place in the author's
 * inbox. OK, NOT_FOUND (also if somebody else sent it). */
enum store_status store_message_sent(struct store *store, int64_t author, const unsigned char *id,
                                     uint64_t author_seq, struct store_message_sent *out);

struct store_message {
    uint64_t seq;
    int64_t time_us;
    unsigned char id[ID_BYTES];
    const char *from; /* these three: borrowed until the callback returns */
    const char *to;
    const char *text;
    size_t text_bytes;
    bool damaged; /* the text is "", and so is all but seq that can't be read */
    enum store_about about;
    unsigned char original[ID_BYTES]; /* where it is about one */
};

/* Hands out the inbox's entries after `after_seq` in order, until `each` returns false or `limit`
 * entries were handed out. Also OK if there are none. */
enum store_status store_inbox_read(struct store *store, int64_t account, uint64_t after_seq,
                                   size_t limit,
                                   bool (*each)(void *arg, const struct store_message *),
                                   void *arg);
/* What is read back of an inbox. Times are those of entries, which go back only where the broker's
 * clock did: what is out of their order may be left out. */
struct store_history {
    int64_t account;
    const char *with;    /* the other one of a conversation; NULL: everybody */
    uint64_t before_seq; /* entries before this one; 0: from the newest on */
    int64_t since_us;    /* 0: from the first on */
    int64_t until_us;    /* of a time before this; 0: any */
    size_t limit;        /* that are handed out at most */
    size_t rows_max;     /* that are looked at, about */
};
/* Hands out these entries, the newest first, until `each` returns false, which has not taken its
 * entry, or a bound is reached. *before_seq: where to go on; 0: there are no more. *rows: how many
 * were looked at. OK, NOT_FOUND (nobody has that name), SELF. What can't be read at all is handed
 * out only where everybody's entries of any time are. */
enum store_status store_inbox_read_back(struct store *store, const struct store_history *history,
                                        bool (*each)(void *arg, const struct store_message *),
                                        void *arg, uint64_t *before_seq, size_t *rows);
enum store_status store_inbox_state(struct store *store, int64_t account, uint64_t *head,
                                    uint64_t *cursor);
/* Moves the cursor forward to min(seq, head); never back. *cursor: where it is now. */
enum store_status store_cursor_move(struct store *store, int64_t account, uint64_t seq,
                                    uint64_t *cursor);
/* Messages stored since the store was made. */
uint64_t store_message_count(const struct store *store);

/* ---- blocks: answered from memory ---- */

/* `account` blocks the user of that name. OK with *blocked, NOT_FOUND, SELF, EXISTS, TOO_MANY. */
enum store_status store_block_add(struct store *store, int64_t account, const char *name,
                                  int64_t now_us, int64_t *blocked);
/* OK, NOT_FOUND (no such user), NOT_BLOCKED. */
enum store_status store_block_remove(struct store *store, int64_t account, const char *name);
/* The names that `account` blocked, in order. */
enum store_status store_block_list(struct store *store, int64_t account,
                                   void (*each)(void *arg, const char *name), void *arg);
/* Whether `account` blocked `other`. */
bool store_block_is(const struct store *store, int64_t account, int64_t other);
/* Whether anybody blocked `account`, or `account` blocked anybody. */
bool store_block_any(const struct store *store, int64_t account);

/* ---- the clock ---- */

/* The clock says `now_us`, and was set by `by_us` since the last call (0: it was not, or this is
 * the first call after the start). Locks and unfinished uploads last as long as they would have.
 * Times in the future, from before the clock was set back, count as now. */
enum store_status store_clock_set(struct store *store, int64_t now_us, int64_t by_us);
/* A number that no public topic has reached, noted from time to time: after a restart the numbers
 * grow from there, whatever the clock says. 0: none was noted. */
enum store_status store_topics_state(struct store *store, uint64_t *head);
enum store_status store_topics_note(struct store *store, uint64_t head);

/* ---- presence over restarts ---- */

/* When devices were used, who came and who went are notes. They wait in memory until a transaction
 * that writes something else takes them along, until store_notes_write, store_alive or
 * store_presence_since writes them, or until too many wait. store_device_list and
 * store_presence_since know them at once, store_account.last_seen_us once they are written. A
 * crash, and store_close, lose the waiting ones: the accounts are as they were before. On a full
 * disk they go on waiting, and those beyond the bound are dropped. */
bool store_notes_wait(const struct store *store);
/* Writes the waiting notes, so that they are on the disk after the commit. */
enum store_status store_notes_write(struct store *store);

/* The account's first session that counts as online began; its last one ended. */
enum store_status store_presence_begin(struct store *store, int64_t account, int64_t now_us);
enum store_status store_presence_end(struct store *store, int64_t account, int64_t now_us);
/* Notes that the broker lives: after a crash this time counts as the end of the sessions that were
 * open (and whose beginning was written). */
enum store_status store_alive(struct store *store, int64_t now_us);
/* A place in the list of those who were online: behind the one with that name who was last seen at
 * that time. */
struct store_seen {
    int64_t last_seen_us; /* INT64_MAX: the beginning */
    const char *name;     /* borrowed */
};

/* Calls `each` for every account with a session that ended at `from_us` or later and that is behind
 * that place, until it returns false: those last seen most recently first, and then by name. Leaves
 * out those online now, whom the caller knows. */
enum store_status store_presence_since(
    struct store *store, int64_t from_us, const struct store_seen *place,
    bool (*each)(void *arg, int64_t account, const char *name, int64_t last_seen_us), void *arg);

#endif
