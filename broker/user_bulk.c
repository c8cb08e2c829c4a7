/* Accounts without passwords are added many at a time. Accounts with passwords are added one by
 * one, because a hash takes a hundred times longer than the commit; so an import that is broken off
 * and begun again goes on where it was. Passwords are wiped from all our buffers. */
#include "user_bulk.h"

#include "log.h"
#include "password.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How many lines are kept until their account's status is told: more than are under way at a
 * time. */
#define LINES_KEPT 64
#define LINE_BYTES (NAME_BYTES_MAX + PASSWORD_BYTES_MAX + 16)

struct bulk {
    struct target *target; /* borrowed: from the caller */
    FILE *lines;           /* borrowed: from the caller */
    struct {
        unsigned number;
        char name[NAME_BYTES];
    } kept[LINES_KEPT]; /* by the order's number */
    unsigned number;    /* of the line */
    unsigned added, existing, bad;
    bool broken; /* the store or the stream failed: nothing more can be done */
    char line[LINE_BYTES];
    char buffer[4096]; /* the stream's, ours so that it can be wiped */
};

bool user_password_fits(const char *password, size_t password_bytes) {
    return password_bytes >= 1 && password_bytes <= PASSWORD_BYTES_MAX &&
           text_is_utf8(password, password_bytes);
}

static void refuse_line(struct bulk *bulk, const char *why) {
    fprintf(stderr, "zchatd user: line %u: %s\n", bulk->number, why);
    bulk->bad++;
}

static void break_off(struct bulk *bulk, const char *why) {
    fprintf(stderr, "zchatd user: line %u: %s\n", bulk->number, why);
    bulk->broken = true;
}

/* Reads the next line without its end. Returns its length; -1: there is none; LINE_BYTES or more:
 * it does not fit. */
static long read_line(struct bulk *bulk) {
    long bytes = 0;
    int c = getc(bulk->lines);
    if (c == EOF)
        return -1;
    for (; c != EOF && c != '\n'; c = getc(bulk->lines))
        if (bytes < LINE_BYTES)
            bulk->line[bytes++] = (char)c;
    if (bytes < LINE_BYTES && bytes > 0 && bulk->line[bytes - 1] == '\r')
        bytes--;
    if (bytes < LINE_BYTES)
        bulk->line[bytes] = '\0';
    if (bulk->number++ == 0 && bytes < LINE_BYTES) {
        size_t mark = text_mark_bytes(bulk->line, (size_t)bytes);
        bytes -= (long)mark;
        memmove(bulk->line, bulk->line + mark, (size_t)bytes + 1);
    }
    return bytes;
}

/* Goes to the next line that has something in it that can be read; false: there is none. */
static bool next_line(struct bulk *bulk, size_t *bytes) {
    long found;
    while ((found = read_line(bulk)) >= 0) {
        *bytes = (size_t)found;
        if (found >= LINE_BYTES)
            refuse_line(bulk, "the line is too long for a name and a password");
        else if (memchr(bulk->line, '\0', *bytes))
            refuse_line(bulk, "the line holds a NUL; it must be text");
        else if (bulk->line[strspn(bulk->line, " \t")] != '\0' && bulk->line[0] != '#')
            return true;
    }
    if (ferror(bulk->lines))
        break_off(bulk, strerror(errno));
    return false;
}

/* Reads a name. false: it is none, and the line is refused. */
static bool take_name(struct bulk *bulk, const char *text, char name[NAME_BYTES]) {
    char quoted[LOG_QUOTE_BYTES], why[LOG_QUOTE_BYTES + 80];
    if (name_fold(text, name))
        return true;
    log_quote(quoted, sizeof quoted, text, strlen(text));
    snprintf(why, sizeof why, "%s is no name; " USER_NAME_RULE, quoted);
    refuse_line(bulk, why);
    return false;
}

static void count(struct bulk *bulk, enum store_status status, unsigned line, const char *name) {
    if (status == STORE_OK) {
        bulk->added++;
    } else if (status == STORE_EXISTS) {
        fprintf(stderr, "zchatd user: line %u: %s exists already; left as it is\n", line, name);
        bulk->existing++;
    } else {
        break_off(bulk, status == STORE_FULL ? "the disk has no room" : bulk->target->error);
    }
}

static void told(void *arg, size_t number, enum store_status status) {
    struct bulk *bulk = arg;
    count(bulk, status, bulk->kept[number % LINES_KEPT].number,
          bulk->kept[number % LINES_KEPT].name);
}

static void bulk_begin(struct bulk *bulk, struct target *target, FILE *lines) {
    *bulk = (struct bulk){.target = target, .lines = lines};
    setvbuf(lines, bulk->buffer, _IOFBF, sizeof bulk->buffer);
}

/* Wipes the buffers, prints what was done, and closes the stream, which used our buffer. */
static enum user_exit bulk_end(struct bulk *bulk) {
    fclose(bulk->lines);
    printf("%u added, %u existed already, %u bad lines, in the store %s\n", bulk->added,
           bulk->existing, bulk->bad, bulk->target->path);
    enum user_exit result = bulk->broken || bulk->bad ? USER_FAILED : USER_DONE;
    password_wipe(bulk, sizeof *bulk);
    return result;
}

enum user_exit user_bulk_add(struct target *target, FILE *lines, const unsigned char key[KEY_BYTES],
                             bool admin) {
    struct bulk bulk;
    struct target_many many = {.target = target, .told = told, .arg = &bulk};
    struct order order = {
        .verb = ORDER_ADD, .admin = admin, .has_key = true, .label = USER_DEVICE_LABEL};
    size_t bytes;
    memcpy(order.key, key, KEY_BYTES);
    bulk_begin(&bulk, target, lines);
    while (!bulk.broken && next_line(&bulk, &bytes)) {
        if (take_name(&bulk, bulk.line, order.name)) {
            bulk.kept[many.given % LINES_KEPT].number = bulk.number;
            memcpy(bulk.kept[many.given % LINES_KEPT].name, order.name, sizeof order.name);
            target_give(&many, &order);
        }
    }
    target_finish(&many);
    return bulk_end(&bulk);
}

/* Makes the hash of the line's password. false: the line has none, and is refused. */
static bool hash_password(struct bulk *bulk, const char *password, size_t bytes,
                          char hash[PASSWORD_HASH_BYTES]) {
    if (!user_password_fits(password, bytes)) {
        refuse_line(bulk, "the password is empty, too long, or no UTF-8 text");
        return false;
    }
    if (!password_hash(password, hash)) {
        break_off(bulk, "no memory to hash a password");
        return false;
    }
    return true;
}

static void import_account(struct bulk *bulk, const char *name, const char *password,
                           size_t password_bytes) {
    struct order order = {.verb = ORDER_FIND};
    uint32_t ended;
    snprintf(order.name, sizeof order.name, "%s", name);
    enum store_status status = target_carry_out(bulk->target, &order, &ended);
    if (status != STORE_NOT_FOUND) {
        count(bulk, status == STORE_OK ? STORE_EXISTS : status, bulk->number, name);
    } else if (hash_password(bulk, password, password_bytes, order.hash)) {
        order.verb = ORDER_ADD;
        count(bulk, target_carry_out(bulk->target, &order, &ended), bulk->number, name);
    }
    password_wipe(&order, sizeof order);
}

static void import_line(struct bulk *bulk, size_t bytes) {
    char name[NAME_BYTES];
    size_t name_bytes = strcspn(bulk->line, " \t");
    if (name_bytes == bytes) {
        refuse_line(bulk, "the line must be \"NAME PASSWORD\"");
        return;
    }
    bulk->line[name_bytes] = '\0';
    if (take_name(bulk, bulk->line, name))
        import_account(bulk, name, bulk->line + name_bytes + 1, bytes - name_bytes - 1);
}

enum user_exit user_bulk_import(struct target *target, FILE *lines) {
    struct bulk bulk;
    size_t bytes;
    bool progress = isatty(STDERR_FILENO);
    bulk_begin(&bulk, target, lines);
    while (!bulk.broken && next_line(&bulk, &bytes)) {
        import_line(&bulk, bytes);
        if (progress)
            fprintf(stderr, "\r%u added, at line %u ", bulk.added, bulk.number);
    }
    if (progress)
        fputs("\n", stderr);
    return bulk_end(&bulk);
}
