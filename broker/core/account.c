/* Accounts and the way into them: login, logout, register, a new password. An unknown name and a
 * wrong password get the same answer, after the same work. */
#include "command.h"
#include "field.h"
#include "follow.h"
#include "gathered.h"
#include "password_queue.h"
#include "presence.h"
#include "private.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define WRONG_LOGIN "wrong name or password"

static void check_protocol(struct call *call, uint32_t protocol) {
    if (protocol != PROTOCOL_VERSION)
        call_fail(call, REASON(PROTOCOL_VERSION),
                  "this broker speaks protocol version %d, the client %u: use a client that fits",
                  PROTOCOL_VERSION, (unsigned)protocol);
}

static void check_name(struct call *call, char *user) {
    char name[NAME_BYTES];

    if (!name_fold(user, name)) {
        call_fail(call, REASON(BAD_NAME), "a name is 1 to %d of the characters a-z 0-9 _ . -",
                  NAME_BYTES_MAX);
        return;
    }
    strcpy(user, name); /* never longer than what it was folded from */
}

static void check_label(struct call *call, char *label) {
    size_t bytes = text_clean_line(label, strlen(label));

    if (bytes > LABEL_BYTES_MAX || text_characters(label, bytes) > LABEL_CHARACTERS_MAX)
        call_fail(call, REASON(BAD_VALUE), "a device's label has at most %d characters",
                  LABEL_CHARACTERS_MAX);
}

static const char *label_or_unnamed(const char *label) {
    return label[0] ? label : "unnamed";
}

static void fail_locked(struct call *call, int64_t locked_until_us) {
    uint32_t left_s = passwords_locked_s(call, locked_until_us);

    call->core->stats.logins_locked_total++;
    core_warn_rarely(call->core, "login_locked", call->peer->group, "address=%s left_s=%u",
                     call->peer->address, (unsigned)left_s);
    call_fail_later(call, REASON(LOCKED), left_s,
                    "locked after %d wrong passwords: try again in %u s, or use a trusted device",
                    LOGIN_FAILURES_MAX, (unsigned)left_s);
}

/* Whether logins to the name by password are locked; then the call fails. */
static bool refuse_locked(struct call *call, const char *name) {
    int64_t locked_until_us = 0;

    if (!passwords_locked_until(call, name, &locked_until_us))
        return true;
    if (locked_until_us <= core_wall_us(call->core, call->now_us))
        return false;
    fail_locked(call, locked_until_us);
    return true;
}

/* The password did not fit: counts that, and fails the call: with `text`, or because this failure
 * locked the name. */
static void refuse_password(struct call *call, const char *name, const char *text) {
    int64_t locked_until_us = 0;

    call->core->stats.logins_failed_total++;
    core_note_rarely(call->core, "login_failed", call->peer->group, "user=%s address=%s", name,
                     call->peer->address);
    if (call_store(call, store_login_failed(
                             call->core->store, name, core_wall_us(call->core, call->now_us),
                             call->core->options.block_duration_us, &locked_until_us)))
        return;
    if (locked_until_us > core_wall_us(call->core, call->now_us))
        fail_locked(call, locked_until_us);
    else
        call_fail(call, REASON(WRONG_PASSWORD), "%s", text);
}

/* Looks at the lock first and at the work's result then, because a lock that began meanwhile
 * counts. So does a new password: `hash` is the account's hash as it is now. */
static bool password_fits(struct call *call, const char *name, const char *hash, const char *text) {
    if (refuse_locked(call, name))
        return false;
    if (call->work->failed)
        call_fail_later(call, REASON(NO_MEMORY), 1,
                        "the broker had no memory to check the password: try again");
    else if (!call->work->verified || strcmp(call->work->hash, hash) != 0)
        refuse_password(call, name, text);
    return !call_failed(call);
}

static void login_check(struct call *call) {
    Zchat__V1__LoginRequest *login = call->command->login;

    if (call->session) {
        call_fail(call, REASON(LOGGED_IN), "logged in as %s already: log out first",
                  call->session->member->name);
        return;
    }
    check_protocol(call, login->protocol);
    if (!call_failed(call))
        check_name(call, login->user);
    if (!call_failed(call))
        check_label(call, login->device_label);
    if (!call_failed(call) && strlen(login->password) > PASSWORD_BYTES_MAX)
        call_fail(call, REASON(WRONG_PASSWORD), WRONG_LOGIN);
    if (!call_failed(call) && login->instance.len != 0 && login->instance.len != INSTANCE_BYTES)
        call_fail(call, REASON(BAD_VALUE), "an instance has %d bytes, or none", INSTANCE_BYTES);
    if (!call_failed(call) && strlen(login->client) > CLIENT_BYTES_MAX)
        call_fail(call, REASON(BAD_VALUE), "a client's name has at most %d bytes",
                  CLIENT_BYTES_MAX);
}

static bool login_work(struct call *call) {
    Zchat__V1__LoginRequest *login = call->command->login;
    struct store_account account = {0};
    enum store_status status;

    if (login->password[0] == '\0' || refuse_locked(call, login->user))
        return false;
    status = call_store(call, store_account_find(call->core->store, login->user, &account));
    if (status == STORE_FAILED)
        return false;
    passwords_queue(call, login->user, account.password_hash, login->password, NULL);
    return true;
}

static const char *login_user(struct call *call) {
    return call->command->login->user;
}

static const struct refusal login_refusals[] = {
    {STORE_NOT_FOUND, REASON(UNTRUSTED_DEVICE),
     "%s does not trust this device: log in with the password", login_user},
    {0},
};

static void login_by_key(struct call *call) {
    enum store_status status =
        call_store(call, store_device_trusted(call->core->store, call->result.login.account.account,
                                              call->peer->key));

    call->core->stats.logins_failed_total += status == STORE_NOT_FOUND;
    call_refused(call, login_refusals, status);
}

/* The session that this login takes the place of; NULL: none. */
static struct session *login_replaces(const struct call *call) {
    const Zchat__V1__LoginRequest *login = call->command->login;

    return session_of_instance(
        member_find(&call->core->sessions, call->result.login.account.account), call->peer->key,
        login->instance.len ? login->instance.data : NULL);
}

static void login_check_room(struct call *call, const struct session *replaced) {
    const struct member *member =
        member_find(&call->core->sessions, call->result.login.account.account);
    bool online = call->command->login->online;
    uint32_t most = online ? call->core->options.sessions_per_user : SCRIPT_SESSIONS_MAX;
    uint32_t open = member ? (online ? member->online : member->scripts) : 0;

    if (replaced && replaced->online == online)
        open--;
    if (open < most)
        return;
    if (online)
        call_fail(call, REASON(ALREADY_ONLINE),
                  "%s is already online, with %u of %u sessions: log out there first", member->name,
                  (unsigned)open, (unsigned)most);
    else
        call_fail_later(call, REASON(TOO_MANY_SESSIONS), 1,
                        "%s has %u script sessions open, the most that are allowed: try again when "
                        "one has ended",
                        member->name, (unsigned)open);
}

/* Only who proved to be the account spends from this budget, so nobody can keep somebody else
 * out. */
static void login_charge_arrival(struct call *call, const struct session *replaced) {
    const int64_t *account = &call->result.login.account.account;
    const struct member *member = member_find(&call->core->sessions, *account);
    uint32_t wait_s = 0;

    if (replaced || !call->command->login->online || (member && member->online > 0) ||
        limit_spend(call->core->limits, LIMIT_ARRIVALS, account, sizeof *account, 1, call->now_us,
                    &wait_s))
        return;
    call->core->stats.commands_busy_total++;
    call_fail_later(call, REASON(RATE), wait_s,
                    "%s came online too often in a short time: try again in %u s",
                    call->result.login.account.name, (unsigned)wait_s);
}

static void login_open(struct call *call, const struct session *replaced) {
    const Zchat__V1__LoginRequest *login = call->command->login;
    const struct store_account *account = &call->result.login.account;
    struct core *core = call->core;
    struct member *member = member_find(&core->sessions, account->account);
    bool was_online = member && member->online > 0;
    struct session_new new = {
        .account = account->account,
        .name = account->name,
        .admin = account->admin,
        .online = login->online,
        .inbox = login->inbox,
        .public_events = login->public_events,
        .private_chats = login->private_chats,
        .instance = login->instance.len ? login->instance.data : NULL,
    };

    if (call_store_fails(call,
                         store_inbox_state(core->store, account->account, &new.head, &new.cursor)))
        return;
    if (replaced)
        presence_end_session(
            core, replaced->peer->session, ZCHAT__V1__END_REASON__END_REASON_REPLACED,
            "a later login of the same program took this session's place", call->now_us);
    call->session = session_open(&core->sessions, call->peer, &new, call->now_us);
    if (login->public_events)
        follow_load(core, call->session->member);
    call->result.login.first = login->online && !was_online;
    call->result.login.last = was_online && call->session->member->online == 0;
    if (call->result.login.first)
        call_store(call, store_presence_begin(core->store, account->account,
                                              core_wall_us(core, call->now_us)));
    else if (call->result.login.last)
        call_store(call, store_presence_end(core->store, account->account,
                                            core_wall_us(core, call->now_us)));
}

static enum store_status login_run(struct call *call) {
    const Zchat__V1__LoginRequest *login = call->command->login;
    struct store_account *account = &call->result.login.account;
    bool by_password = login->password[0] != '\0';
    struct session *replaced;
    enum store_status status;

    memset(&call->result, 0, sizeof call->result);
    if (call->session) { /* another login on this connection was faster */
        login_check(call);
        return STORE_OK;
    }
    status = call_store(call, store_account_find(call->core->store, login->user, account));
    if (status == STORE_FAILED ||
        (by_password && !password_fits(call, login->user, account->password_hash, WRONG_LOGIN)))
        return STORE_OK;
    if (!by_password)
        login_by_key(call);
    if (!call_failed(call) && account->locked)
        call_fail(call, REASON(LOCKED_BY_ADMIN), "%s was locked by an administrator",
                  account->name);
    if (call_failed(call))
        return STORE_OK;
    replaced = login_replaces(call);
    login_check_room(call, replaced);
    if (!call_failed(call))
        login_charge_arrival(call, replaced);
    if (call_failed(call))
        return STORE_OK;
    status =
        call_store(call, store_login_succeeded(call->core->store, account->account, call->peer->key,
                                               label_or_unnamed(login->device_label), by_password,
                                               by_password && !login->no_trust,
                                               core_wall_us(call->core, call->now_us),
                                               &call->result.login.trusted));
    if (status != STORE_FAILED)
        login_open(call, replaced);
    return STORE_OK; /* a device beyond the limit is not trusted, but may log in */
}

static void login_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__LoginResponse login = ZCHAT__V1__LOGIN_RESPONSE__INIT;
    Zchat__V1__TopicHead heads[TOPICS], *pointers[TOPICS];
    struct core *core = call->core;
    uint64_t head = 0, cursor = 0;
    char source[SESSION_SOURCE_BYTES];

    core->stats.logins_total++;
    passwords_good(call, call->session->member->name);
    core_note_rarely(core, "session_open", session_source(call->session, source),
                     "user=%s session=%llu online=%s address=%s", call->session->member->name,
                     (unsigned long long)call->session->number,
                     call->session->online ? "true" : "false", call->peer->address);
    outbox_line_break(&call->peer->line); /* its batch has no events of an earlier session */
    call_store(call,
               store_inbox_state(core->store, call->session->member->account, &head, &cursor));
    if (call->result.login.first || call->result.login.last)
        presence_announce(core, call->session->member->account, call->session->member->name,
                          call->result.login.first, call->now_us);
    gathered_join(core, call->session); /* from the numbers on that the reply tells */
    login.topics = pointers;
    for (size_t i = 0; i < TOPICS; i++) {
        zchat__v1__topic_head__init(&heads[i]);
        heads[i].topic = (char *)core->topics.topic[i].name;
        heads[i].head = core->topics.topic[i].head;
        pointers[login.n_topics++] = &heads[i];
    }
    login.user = call->session->member->name;
    login.session = call->session->number;
    login.time_us = core_wall_us(call->core, call->now_us);
    login.inbox_head = head;
    login.inbox_cursor = cursor;
    login.trusted = call->result.login.trusted;
    login.admin = call->session->admin;
    login.idle_timeout_s = (uint32_t)(core->options.idle_timeout_us / 1000000);
    login.run.data = core->options.run;
    login.run.len = RUN_BYTES;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LOGIN;
    reply.login = &login;
    call_reply(call, &reply);
}

const struct command_row login_row = {
    .state = COMMAND_ANYBODY,
    .cost = 10,
    .secret = true,
    .check = login_check,
    .work = login_work,
    .run = login_run,
    .refusals = login_refusals,
    .done = login_done,
};

static enum store_status logout_run(struct call *call) {
    presence_end_session(call->core, call->session, ZCHAT__V1__END_REASON__END_REASON_UNSPECIFIED,
                         NULL, call->now_us);
    return STORE_OK;
}

const struct command_row logout_row = {
    .cost = 1,
    .run = logout_run,
    .done = call_reply_response,
};

/* It has no other effect than to count against the idle timeout. */
const struct command_row active_row = {
    .cost = 1,
    .done = call_reply_response,
};

static void register_account_check(struct call *call) {
    Zchat__V1__RegisterAccountRequest *new = call->command->register_account;

    check_protocol(call, new->protocol);
    if (!call_failed(call) && !call->core->options.registration_open)
        call_fail(call, REASON(REGISTRATION_CLOSED),
                  "registration is closed: ask an administrator for an account");
    if (!call_failed(call))
        check_name(call, new->user);
    if (!call_failed(call))
        check_label(call, new->device_label);
    if (!call_failed(call))
        field_new_password_fits(call, new->password);
}

/* Says whether the name is taken only after the password work, which the budgets bound: who may not
 * ask any more learns nothing. */
static bool register_account_work(struct call *call) {
    struct core *core = call->core;
    uint32_t wait_s = 0;

    if (!limit_take(core->limits, call->peer->registration_budget, 1, call->now_us, &wait_s)) {
        core->stats.registrations_refused_total++;
        core_warn_rarely(core, "registrations_refused", call->peer->group, "address=%s",
                         call->peer->address);
        call_fail_later(call, REASON(RATE), wait_s,
                        "too many accounts were registered from your address: try again in %u s",
                        (unsigned)wait_s);
        return true;
    }
    passwords_queue(call, NULL, NULL, NULL, call->command->register_account->password);
    return true;
}

static enum store_status register_account_run(struct call *call) {
    const Zchat__V1__RegisterAccountRequest *new = call->command->register_account;
    int64_t account;

    if (!passwords_hashed(call))
        return STORE_OK;
    return call_store(call, store_account_add(call->core->store, new->user, call->work->new_hash,
                                              false, new->no_trust ? NULL : call->peer->key,
                                              label_or_unnamed(new->device_label),
                                              core_wall_us(call->core, call->now_us), &account));
}

static const char *new_user(struct call *call) {
    return call->command->register_account->user;
}

static const struct refusal register_account_refusals[] = {
    {STORE_EXISTS, REASON(NAME_TAKEN), "the name %s is taken: choose another one", new_user},
    {0},
};

static void register_account_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__RegisterAccountResponse new = ZCHAT__V1__REGISTER_ACCOUNT_RESPONSE__INIT;

    call->core->stats.registrations_total++;
    core_note(call->core, "account_registered", "user=%s address=%s",
              call->command->register_account->user, call->peer->address);
    new.user = call->command->register_account->user;
    reply.body_case = ZCHAT__V1__REPLY__BODY_REGISTER_ACCOUNT;
    reply.register_account = &new;
    call_reply(call, &reply);
}

const struct command_row register_account_row = {
    .state = COMMAND_ANYBODY,
    .cost = 10,
    .secret = true,
    .check = register_account_check,
    .work = register_account_work,
    .run = register_account_run,
    .refusals = register_account_refusals,
    .done = register_account_done,
};

static void change_password_check(struct call *call) {
    const Zchat__V1__ChangePasswordRequest *change = call->command->change_password;

    if (field_new_password_fits(call, change->new_password) &&
        strlen(change->old_password) > PASSWORD_BYTES_MAX)
        call_fail(call, REASON(WRONG_PASSWORD), "the old password is wrong");
}

static bool change_password_work(struct call *call) {
    const Zchat__V1__ChangePasswordRequest *change = call->command->change_password;
    const struct member *member = call->session->member;
    struct store_account account;

    if (refuse_locked(call, member->name) ||
        call_store_fails(call, store_account_get(call->core->store, member->account, &account)))
        return true;
    if (account.password_hash[0] == '\0' && change->old_password[0] == '\0')
        passwords_queue(call, NULL, NULL, NULL, change->new_password);
    else
        passwords_queue(call, member->name, account.password_hash, change->old_password,
                        change->new_password);
    return true;
}

static enum store_status change_password_run(struct call *call) {
    const struct member *member = call->session->member;

    if (call->work->verify &&
        !password_fits(call, member->name, call->work->hash, "the old password is wrong"))
        return STORE_OK;
    if (!passwords_hashed(call))
        return STORE_OK;
    return call_store(call, store_account_set_password(call->core->store, member->account,
                                                       call->work->hash, call->work->new_hash));
}

static const struct refusal change_password_refusals[] = {
    {STORE_CHANGED, REASON(PASSWORD_CHANGED), "the password was changed meanwhile", NULL},
    {0},
};

/* Whoever knew the old password may be logged in with it: all sessions but this one must log in
 * anew. */
static void change_password_done(struct call *call) {
    struct session *session, *next;

    DL_FOREACH_SAFE2(call->session->member->sessions, session, next, member_next) {
        if (session != call->session)
            presence_end_session(call->core, session, ZCHAT__V1__END_REASON__END_REASON_REVOKED,
                                 "the password was changed: log in again", call->now_us);
    }
    private_revoked(call->core, call->session->member->account);
    call_reply_response(call);
}

const struct command_row change_password_row = {
    .cost = 10,
    .secret = true,
    .check = change_password_check,
    .work = change_password_work,
    .run = change_password_run,
    .refusals = change_password_refusals,
    .done = change_password_done,
};
