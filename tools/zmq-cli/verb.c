/* The table of verbs, and the help that is printed from it. A new verb is a row here and a function
 * in the file of its group. */
#include "verb.h"

#include "nearest.h"
#include "recv.h"
#include "verbs_account.h"
#include "verbs_admin.h"
#include "verbs_file.h"
#include "verbs_people.h"
#include "verbs_private.h"
#include "verbs_thread.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#define ANY INT_MAX

static const enum option_id no_options[] = {OPTION_END};
static const enum option_id trust_options[] = {OPTION_NO_TRUST, OPTION_END};
static const enum option_id passwd_options[] = {OPTION_NEW_PASSWORD_FILE, OPTION_NEW_PASSWORD_CMD,
                                                OPTION_END};
static const enum option_id send_options[] = {OPTION_ID, OPTION_REQUIRE_ONLINE, OPTION_END};
static const enum option_id inbox_options[] = {OPTION_SENT, OPTION_END};
static const enum option_id recv_options[] = {OPTION_ACK,   OPTION_EXEC, OPTION_FOLLOW,
                                              OPTION_COUNT, OPTION_WAIT, OPTION_FROM_SEQ,
                                              OPTION_DRAIN, OPTION_SENT, OPTION_END};
static const enum option_id id_options[] = {OPTION_ID, OPTION_END};
static const enum option_id put_options[] = {OPTION_NAME, OPTION_END};
static const enum option_id get_options[] = {OPTION_OUTPUT, OPTION_FORCE, OPTION_END};
static const enum option_id shutdown_options[] = {
    OPTION_ADMIN_PASSWORD_FILE, OPTION_ADMIN_PASSWORD_CMD, OPTION_WIPE, OPTION_YES, OPTION_END};

static const enum option_id private_options[] = {OPTION_WAIT, OPTION_FILES_TO, OPTION_FILES_MAX,
                                                 OPTION_PRIVATE_ADDRESS, OPTION_END};
static const enum option_id accept_options[] = {
    OPTION_ONCE, OPTION_WAIT, OPTION_FILES_TO, OPTION_FILES_MAX, OPTION_PRIVATE_ADDRESS,
    OPTION_END};
static const enum option_id one_options[] = {OPTION_PRIVATE_ADDRESS, OPTION_END};
static const enum option_id decline_options[] = {OPTION_ALL, OPTION_END};

static const struct verb table[] = {
    {"register", NULL, "[NAME]", 0, 1, false, trust_options, account_register,
     "make an account; NAME, or else --user"},
    {"login", NULL, "[NAME]", 0, 1, false, trust_options, account_login,
     "check that one can log in, with the password where one is given; the account then trusts "
     "this device"},
    {"logout", "XIT", "", 0, 0, false, no_options, account_logout,
     "log in and leave again; the trust in a device is ended by revoke"},
    {"passwd", NULL, "", 0, 0, false, passwd_options, account_passwd,
     "change the password; an account without one gives an empty --password-file"},
    {"devices", NULL, "", 0, 0, false, no_options, account_devices,
     "list the devices that the account trusts"},
    {"revoke", NULL, "DEVICE", 1, 1, false, no_options, account_revoke,
     "end the trust in the device of this number, and its sessions"},
    {"send", "message", "USER TEXT...", 2, ANY, false, send_options, people_send,
     "send a message; the TEXT \"-\" is read from stdin; after -- it "
     "may begin with a dash"},
    {"broadcast", NULL, "TEXT...", 1, ANY, false, no_options, people_broadcast,
     "tell everyone who is online; not stored"},
    {"who", "whoelse", "", 0, 0, false, no_options, people_who, "list who is online"},
    {"since", "whoelsesince", "SECONDS", 1, 1, false, no_options, people_since,
     "list who was online in the last SECONDS"},
    {"block", NULL, "USER", 1, 1, false, no_options, people_block, "silence between you and USER"},
    {"unblock", NULL, "USER", 1, 1, false, no_options, people_unblock, "take a block back"},
    {"blocked", NULL, "", 0, 0, false, no_options, people_blocked, "list whom you have blocked"},
    {"inbox", NULL, "", 0, 0, false, inbox_options, recv_inbox,
     "print what was not read yet, and leave it unread"},
    {"recv", NULL, "", 0, 0, false, recv_options, recv_run,
     "print or hand on what was not read yet; it stays so unless an option says otherwise"},
    {"thread create", "CRT", "T", 1, 1, false, id_options, thread_create,
     "make a thread with the title T"},
    {"thread list", "LST", "", 0, 0, false, no_options, thread_list,
     "list all threads with their last activity, posts and creators"},
    {"thread post", "MSG", "T TEXT...", 2, ANY, false, id_options, thread_post,
     "post to a thread; the TEXT \"-\" is read from stdin; after -- it "
     "may begin with a dash"},
    {"thread read", "RDT", "T", 1, 1, false, no_options, thread_read,
     "print a thread's posts, numbered, and uploads"},
    {"thread edit", "EDT", "T N TEXT...", 3, ANY, true, id_options, thread_edit,
     "give your post a new text; N is its number when you last read the thread"},
    {"thread delete", "DLT", "T N", 2, 2, true, id_options, thread_delete,
     "delete your post; N is its number when you last read the thread"},
    {"thread remove", "RMV", "T", 1, 1, false, no_options, thread_remove,
     "remove your thread with its posts and files"},
    {"thread follow", NULL, "T", 1, 1, false, no_options, thread_follow,
     "have the account told of what happens in a thread, from now on"},
    {"thread unfollow", NULL, "T", 1, 1, false, no_options, thread_unfollow, "no longer so"},
    {"file put", "UPD", "T PATH", 2, 2, false, put_options, file_put,
     "upload a file into a thread; after a break the same call goes on"},
    {"file get", "DWN", "T NAME", 2, 2, false, get_options, file_get,
     "download a file of a thread; after a break the same call goes on"},
    {"file list", NULL, "T", 1, 1, false, no_options, file_list, "list the files of a thread"},
    {"private start", "startprivate", "USER", 1, 1, false, private_options, private_start,
     "hold a private chat, straight and encrypted: each line of stdin is sent, his are printed; "
     "ends with stdin when all is acknowledged, or with his end; where stdin is empty it only "
     "listens, until nothing came for --wait, --timeout, or 60 s"},
    {"private accept", "accept", "[USER]", 0, 1, false, accept_options, private_accept,
     "wait for an invitation, of USER or of anybody, and hold the chat the same way"},
    {"private decline", "decline", "[USER]", 0, 1, false, decline_options, private_decline,
     "wait for the invitation of USER, and decline it"},
    {"private send", NULL, "USER TEXT...", 2, ANY, false, one_options, private_send,
     "a private chat for one line: start it, send, wait for the acknowledgement, stop"},
    {"private stop", "stopprivate", "USER", 1, 1, false, no_options, private_stop,
     "not possible from here: a chat lives in the process that holds it"},
    {"private file", NULL, "USER PATH", 2, 2, false, one_options, private_file,
     "a private chat for one file: start it, send the file when it is taken, stop"},
    {"ping", NULL, "", 0, 0, false, no_options, admin_ping,
     "ask whether the broker answers; needs no account"},
    {"forget", NULL, "HOST", 1, 1, false, no_options, admin_forget,
     "forget the pinned key of the broker at HOST, or with USER@HOST the one that a private chat "
     "pinned; asks nobody"},
    {"stats", NULL, "", 0, 0, false, no_options, admin_stats, "print the broker's counters"},
    {"shutdown", "SHT", "", 0, 1, false, shutdown_options, admin_shutdown,
     "stop the broker; its data stays. Administrators may, and who has the admin password"},
};

#define VERB_COUNT (sizeof table / sizeof table[0])

/* Whether `name` is the words, one or two. */
static bool is_named(const char *name, const char *first, const char *second) {
    size_t bytes = strlen(first);
    if (!second)
        return strcmp(name, first) == 0;
    return strncmp(name, first, bytes) == 0 && name[bytes] == ' ' &&
           strcmp(name + bytes + 1, second) == 0;
}

/* What other chats call a message to one person: it must not be taken for the forum's MSG, which
 * posts for all. */
static bool is_message(const char *first, const char *second) {
    return !second && (strcmp(first, "msg") == 0 || strcmp(first, "w") == 0);
}

const struct verb *verb_find(const char *first, const char *second) {
    if (is_message(first, second))
        return verb_find("send", NULL);
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (is_named(table[i].name, first, second) ||
            (!second && table[i].classic && strcasecmp(table[i].classic, first) == 0))
            return &table[i];
    return NULL;
}

const char *verb_nearest(const char *said) {
    const char *nearest = NULL;
    size_t least = NEAREST_MAX + 1;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        size_t distance = word_distance(said, strlen(said), table[i].name);
        if (distance < least) {
            least = distance;
            nearest = table[i].name;
        }
    }
    return nearest;
}

static bool is_in_group(const struct verb *verb, const char *group) {
    size_t bytes = strlen(group);
    return strncmp(verb->name, group, bytes) == 0 && verb->name[bytes] == ' ';
}

bool verb_is_group(const char *first) {
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (is_in_group(&table[i], first))
            return true;
    return false;
}

static void print_one(const struct verb *verb, FILE *file) {
    fprintf(file, "zmq-cli [OPTIONS] %s%s%s\n", verb->name, verb->words[0] ? " " : "", verb->words);
    if (verb->classic)
        fprintf(file, "classic name: %s\n", verb->classic);
    fputs("\n  ", file);
    help_print_wrapped(file, verb->help, 2);
    if (verb->options[0] != OPTION_END)
        fputs("\noptions of this verb:\n", file);
    for (const enum option_id *id = verb->options; *id != OPTION_END; id++)
        option_print_help(*id, file);
}

static void print_all(const char *group, FILE *file) {
    fputs("zmq-cli [OPTIONS] VERB ...   one verb of zchat, one result, for scripts\n\nverbs:\n",
          file);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        char head[40];
        if (group && !is_in_group(&table[i], group))
            continue;
        snprintf(head, sizeof head, "%s %s", table[i].name, table[i].words);
        fprintf(file, "  %-23s  ", head);
        help_print_wrapped(file, table[i].help, 27);
    }
}

void verb_print_help(const struct verb *verb, const char *group, FILE *file) {
    if (verb)
        print_one(verb, file);
    else
        print_all(group, file);
    fputs("\noptions of every verb, anywhere before --:\n", file);
    for (enum option_id id = 0; id < OPTION_GLOBAL_COUNT; id++)
        option_print_help(id, file);
    fputs(
        "\nA flag beats the environment, that the --context, that the rest of zmq-cli.conf.\n"
        "Exit: 0 done, 1 other failure, 2 usage, 3 no connection or I/O, 4 login, 5 not found,\n"
        "6 forbidden, 7 conflict, 8 busy, 124 timed out, 130 interrupted. When --timeout is over\n"
        "it is 3 if there is no connection to the broker, 124 if what was waited for is late.\n",
        file);
}
