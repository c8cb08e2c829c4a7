/* The handlers that the table of commands names, and what they share. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "state.h"

/* account.c */
void login_check(struct call *call);
/* Until when passwords of the name are locked; 0, or a time that is over: they are not. false: the
 * store failed. */
bool lock_state(struct call *call, const char *name, int64_t *locked_until_us);
/* Seconds from now, rounded up. */
uint32_t lock_left_s(const struct call *call, int64_t locked_until_us);
bool login_work(struct call *call);
void login_run(struct call *call);
void login_done(struct call *call);
void logout_run(struct call *call);
void register_check(struct call *call);
bool register_work(struct call *call);
void register_run(struct call *call);
void register_done(struct call *call);
void change_password_check(struct call *call);
bool change_password_work(struct call *call);
void change_password_run(struct call *call);
void change_password_done(struct call *call);

/* device.c */
void list_devices_run(struct call *call);
void list_devices_done(struct call *call);
void revoke_device_check(struct call *call);
void revoke_device_run(struct call *call);
void revoke_device_done(struct call *call);

/* message.c */
void send_message_check(struct call *call);
void send_message_run(struct call *call);
void send_message_done(struct call *call);
/* Checks of what several commands carry; each makes the call fail with its sentence. The first
 * cleans the text, the last folds the name, in place. */
bool message_text_fits(struct call *call, char *text);
bool message_id_fits(struct call *call, const ProtobufCBinaryData *id);
bool message_name_fits(struct call *call, char *user);

/* sync.c */
void sync_check(struct call *call);
void sync_done(struct call *call);

/* inbox.c */
void ack_run(struct call *call);
void ack_done(struct call *call);
void keep_alive_done(struct call *call);
/* Fills in where the session's streams stand. The topics live in the call's or the given memory. */
void inbox_tell_heads(struct core *core, struct session *session, bool topics, int64_t now_us);

/* broadcast.c */
void broadcast_check(struct call *call);
void broadcast_done(struct call *call);
struct recent *recent_new(void);
void recent_free(struct recent *recent);

/* presence.c */
void who_done(struct call *call);
void since_check(struct call *call);
void since_done(struct call *call);
/* Ends the session: tells it why where `reason` is not 0, and the others that he left where it was
 * his last that counts as online. */
void presence_end_session(struct core *core, struct session *session, Zchat__V1__EndReason reason,
                          const char *text, int64_t now_us);
/* Tells all who may know that the member came or went. */
void presence_announce(struct core *core, int64_t account, const char *name, bool online,
                       int64_t now_us);
/* Has an event of a topic that `about` caused published, or, where a block forbids that, sent to
 * each who may see it. Returns how many users online that are. */
uint32_t presence_tell(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                       int64_t about);
/* Whether a block stands between the two, in either direction. */
bool presence_hidden(const struct core *core, int64_t a, int64_t b);

/* block.c */
void block_user_check(struct call *call);
void block_user_run(struct call *call);
void block_user_done(struct call *call);
void unblock_user_check(struct call *call);
void unblock_user_run(struct call *call);
void list_blocked_done(struct call *call);

/* thread.c */
void create_thread_check(struct call *call);
void create_thread_run(struct call *call);
void create_thread_done(struct call *call);
void list_threads_done(struct call *call);
void read_thread_done(struct call *call);
void remove_thread_run(struct call *call);
void remove_thread_done(struct call *call);
/* "thread/" and 32 hex digits: the id; false where it is none. */
bool thread_stream_parse(const char *stream, unsigned char id[ID_BYTES]);
void thread_fill(Zchat__V1__ThreadInfo *out, struct store_thread *thread);
void upload_fill(Zchat__V1__Upload *out, struct store_file *file);
/* All but the text, which is the caller's, or a copy in the call's memory (NULL: that is full). */
void post_fill(Zchat__V1__Post *out, struct store_post *post);
char *post_text(struct call *call, const struct store_post *post);

/* title.c */
/* Brings every title and file name of the command to its stored form: before the command's check.
 */
void title_form_all(struct call *call);
/* Checks a new title or file's name; the call fails with its sentence. */
/* How many entries a page has where so many are asked for; 0: the most. */
size_t page_limit(uint32_t limit);
bool thread_title_fits(struct call *call, const char *what, const char *title);
/* Whether one that is there looks the same, though it is another one: the call fails, naming it. */
bool thread_title_is_alike(struct call *call, const char *title);
bool thread_file_is_alike(struct call *call, const char *title, const char *name);
void thread_not_found(struct call *call, const char *title);
/* Tells the followers: on the thread's topic, and on the connections that asked for it. */
void thread_tell(struct core *core, const struct store_thread *thread,
                 Zchat__V1__ServerEvent *event);

/* post.c */
void post_to_thread_check(struct call *call);
void post_to_thread_run(struct call *call);
void post_to_thread_done(struct call *call);
void edit_post_check(struct call *call);
void edit_post_run(struct call *call);
void edit_post_done(struct call *call);
void delete_post_check(struct call *call);
void delete_post_run(struct call *call);
void delete_post_done(struct call *call);

/* follow.c */
void follow_thread_run(struct call *call);
void follow_thread_done(struct call *call);
void unfollow_thread_run(struct call *call);
void unfollow_thread_done(struct call *call);
void list_followed_done(struct call *call);
/* Takes what the account follows into the member, for those sessions that want it inline. */
void follow_load(struct core *core, struct member *member);

/* file.c */
void begin_upload_check(struct call *call);
void begin_upload_run(struct call *call);
void begin_upload_done(struct call *call);
void put_chunk_check(struct call *call);
void put_chunk_run(struct call *call);
void put_chunk_done(struct call *call);
void cancel_upload_run(struct call *call);
void get_chunk_done(struct call *call);
void list_files_done(struct call *call);
/* Gives back what unfinished uploads reserved too long. */
void file_tick(struct core *core, int64_t now_us);
int64_t file_deadline(const struct core *core);

/* invitation.c */
void invite_private_check(struct call *call);
void invite_private_run(struct call *call);
void invite_private_done(struct call *call);
void answer_private_check(struct call *call);
void answer_private_done(struct call *call);

/* chat.c */
void open_private_check(struct call *call);
void open_private_run(struct call *call);
void open_private_done(struct call *call);
void close_private_done(struct call *call);

/* admin.c */
void shutdown_check(struct call *call);
void shutdown_run(struct call *call);
void shutdown_done(struct call *call);
void ping_done(struct call *call);
void get_stats_done(struct call *call);

/* password_queue.c */
struct passwords *passwords_new(void);
void passwords_free(struct passwords *passwords);
/* Queues work for the call, which goes on when it is done. `name` is whose failures count; NULL:
 * nobody's. Where no place is left that the peer has a claim to, the call fails. */
void passwords_queue(struct call *call, const char *name, const char *hash, const char *password,
                     const char *new_password);
struct core_work *passwords_next(struct core *core, int64_t now_us);
void passwords_done(struct core *core, struct core_work *work, int64_t now_us);
/* A login to the name succeeded: it and its address have a better claim from now on. */
void passwords_good(struct call *call, const char *name);
/* The peer leaves. */
void passwords_forget(struct core *core, const struct peer *peer);
int64_t passwords_deadline(const struct core *core);
void passwords_tick(struct core *core, int64_t now_us);
size_t passwords_waiting(const struct passwords *passwords);

#endif
