/* What the client's parts share. Each part gets all of it, asks the broker by a call, and shows
 * results through app_note() and app_fail(). The parts themselves are only declared here: a file
 * that uses one includes its header, and program.c puts them together. */
#ifndef APP_H
#define APP_H

#include "conversation.h"
#include "forum.h"
#include "name.h"
#include "options.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define APP_ERROR_BYTES    4352 /* a sentence about a path */
#define APP_PROGRESS_BYTES 64
#define APP_STAMP_BYTES    160

struct app;
struct attention;
struct call;
struct editor;
struct find;
struct loads;
struct history;
struct learn;
struct line;
struct login;
struct mailbox;
struct news;
struct passwd_dialogue;
struct presence;
struct privates;
struct receipts;
struct roster;
struct screen;
struct script;

/* What a part may ask for that involves other parts. */
struct app_program {
    void (*show)(struct app *app);
    void (*leave)(struct app *app, int exit_code);
    void (*logged_in)(struct app *app, const zchat_reply *reply);
};

struct app_wait {      /* what a script waits for; all zeros: nothing */
    uint64_t taken;    /* how many messages recv has waited for so far */
    int64_t recv_ms;   /* until when recv waits; 0: it does not */
    int64_t answer_ms; /* until when to wait for the command's answer; 0: none is due */
};

/* Whether this user has stopped the broker; BEGUN: the broker has not said yet that it stops. */
enum app_stop { APP_STOP_NONE, APP_STOP_BEGUN, APP_STOP_TOLD };

struct app {
    const struct app_program *program; /* borrowed: a constant of program.c */
    const struct options *options;     /* borrowed: from main */
    zchat *z;                          /* owned */
    struct screen *screen;             /* owned */
    struct line *line;                 /* owned; NULL: a script */
    FILE *terminal;                    /* owned; NULL: stdout or stderr is one */
    struct script *script;             /* owned; NULL: somebody types */
    struct history *history;           /* owned; NULL: a script */
    struct roster *roster;             /* owned */
    struct presence *presence;         /* owned */
    struct attention *attention;       /* owned */
    struct editor *editor;             /* owned; NULL: none is open */
    struct conversation conversation;
    struct forum forum;
    struct mailbox *mailbox; /* borrowed: from program.c, as the next six */
    struct find *find;
    struct learn *learn;
    struct news *news;
    struct loads *loads;
    struct privates *privates;
    struct receipts *receipts;
    struct login *login;
    struct passwd_dialogue *passwd;    /* owned; NULL: no password is being changed */
    char progress[APP_PROGRESS_BYTES]; /* of files, for the prompt; "": no file is on its way */
    bool timestamps;
    bool unprompted;   /* typed lines have no prompt: stdout is a pipe */
    bool errors_apart; /* errors go to stderr: the screen is no terminal */
    int shown_day;     /* the day of the last line shown with a time */
    char stamp[APP_STAMP_BYTES];
    bool greeted; /* the broker was reached at least once */
    bool connected;
    zchat_code told_refused; /* why another broker was refused, as last shown; OK: none was */
    unsigned losses;         /* how often the connection was lost */
    bool logged_in;
    bool admin;  /* the account is an administrator's */
    bool synced; /* all that was missed before the login was handed out */
    enum app_stop stop;
    bool wiping;          /* the shutdown that is being asked about deletes everything */
    size_t calls;         /* begun but not answered */
    int64_t reconcile_ms; /* when to compare the roster with the broker's; 0: not at all */
    int64_t unsent_ms;    /* until when another quit leaves, after one warned of unsent things */
    int64_t leaving_ms;   /* the same for Ctrl-C on an empty line */
    struct app_wait wait;
    unsigned script_line; /* number of the line that runs now; 0: none has run */
    bool leaving;
    int64_t leave_ms; /* until when to wait for the broker's answer to the logout */
    bool done;
    int exit_code;
};

/* Ends the program; waits a moment for the logout. `exit_code` counts if none was set before. */
void app_leave(struct app *app, int exit_code);

/* Shows a line that says how something went: dim if somebody types. */
__attribute__((format(printf, 2, 3))) void app_note(struct app *app, const char *format, ...);
/* Shows a note about the connection: on stderr if the screen is no terminal. */
__attribute__((format(printf, 2, 3))) void app_warn(struct app *app, const char *format, ...);
/* Shows a failure. In a script the first one's code becomes the exit status. */
__attribute__((format(printf, 3, 4))) void app_fail(struct app *app, zchat_code code,
                                                    const char *format, ...);
/* Something of `user` is about to be shown: first says that they came, if that was held back. */
void app_hear(struct app *app, const char *user);
/* Starts a shown line: the date if the day changed, and the time. */
void app_begin_line(struct app *app, int64_t time_us);
/* The prompt that a typed line is left with, "12:30 bob> ", after the date if the day changed.
 * NULL: lines are shown without times. Borrowed until the next call. */
const char *app_stamp(struct app *app);
/* Writes what is to be shown, and tells the broker that it is read. Also called before a logout. */
void app_show(struct app *app);
/* Makes the prompt fit the conversation and the connection again. */
void app_update_prompt(struct app *app);
/* Opens the line for commands again, after questions. */
void app_ready(struct app *app);

/* ---- calls ----
 *
 * One question to the broker, from the verb that asks to the function that shows the answer:
 *
 *     struct call *call = call_new(app, who_done, "");
 *     call_begun(call, zchat_who(app->z, NULL, 0, call_answered, call));
 *
 * A script waits for all calls that are open before it takes its next line. */

/* Gets every answer, good or bad; call_failed() deals with the bad ones. */
typedef void call_done_fn(struct call *call, const zchat_reply *reply);

struct call {
    struct app *app; /* borrowed: from the verb */
    call_done_fn *done;
    char user[NAME_BYTES]; /* the user that it is about; "": none */
    char *title;           /* owned: title of the thread that it is about; NULL: none */
    char *name;            /* owned: name of the file that it is about; NULL: none */
    char *path;            /* owned: where that file goes; NULL: nowhere, or to stdout */
    char *text;            /* owned: of a private line or a post; NULL: none */
    zchat_id id;           /* of a message or a post */
    uint64_t number;       /* whatever else the verb wants to remember */
    int64_t asked_ms;
};

struct call *call_new(struct app *app, call_done_fn *done, const char *user);
/* A call about a thread and, unless `name` is NULL, a file in it. */
struct call *call_new_in(struct app *app, call_done_fn *done, const char *title, const char *name);
/* The zchat_reply_fn of all calls; frees the call. */
void call_answered(void *call, const zchat_reply *reply);
/* Takes the code that the library's function returned: a call that failed at once ends here. */
void call_begun(struct call *call, zchat_code code);
/* Shows a failure, with `what` before it ("not sent to bob"; NULL: nothing). false: none. */
bool call_failed(const struct call *call, const zchat_reply *reply, const char *what);

#endif
