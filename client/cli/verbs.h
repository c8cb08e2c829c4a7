/* The functions of the commands, one for each row of the table in command.c. */
#ifndef VERBS_H
#define VERBS_H

struct app;
struct command_words;

typedef void verb_fn(struct app *app, const struct command_words *words);

/* account.c */
verb_fn verb_register;
verb_fn verb_login;
verb_fn verb_logout;
verb_fn verb_passwd;
verb_fn verb_devices;
verb_fn verb_revoke;
/* Ends what passwd began, without a trace. */
void account_release(struct app *app);

/* people.c */
verb_fn verb_who;
verb_fn verb_since;
verb_fn verb_block;
verb_fn verb_unblock;
verb_fn verb_blocked;

/* talk.c */
verb_fn verb_send;
verb_fn verb_broadcast;
verb_fn verb_chat;
verb_fn verb_close;
verb_fn verb_inbox;
verb_fn verb_recv;

/* thread.c */
verb_fn verb_thread_list;
verb_fn verb_thread_create;
verb_fn verb_thread_read;
verb_fn verb_thread_post;
verb_fn verb_thread_edit;
verb_fn verb_thread_delete;
verb_fn verb_thread_remove;
verb_fn verb_thread_follow;
verb_fn verb_thread_unfollow;

/* file.c */
verb_fn verb_file_put;
verb_fn verb_file_get;
verb_fn verb_file_list;

/* private_verbs.c */
verb_fn verb_private_start;
verb_fn verb_private_stop;
verb_fn verb_private_accept;
verb_fn verb_private_decline;
verb_fn verb_private_chat;
verb_fn verb_private_send;
verb_fn verb_private_recv;
verb_fn verb_private_take;
verb_fn verb_private_refuse;
/* private_file.c */
verb_fn verb_private_file;

/* broker.c */
verb_fn verb_forget;
verb_fn verb_ping;
verb_fn verb_stats;
verb_fn verb_shutdown;
verb_fn verb_sht;

/* command.c */
verb_fn verb_help;
verb_fn verb_quit;

#endif
