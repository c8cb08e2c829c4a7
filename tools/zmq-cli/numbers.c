/* The files of numbers: a head that says for whom they are, then the posts' ids, one a line. All
 * lines have the same length, so that a number's line is found without reading the others. If a
 * number was not shown but others after it were, its line is a hole in the file, which reads as
 * NULs. */
#include "numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES   ZCHAT_ID_TEXT /* the newline replaces the NUL */
#define NUMBER_MAX   (1u << 24)    /* for an own post: what the broker says must not fill a disk */
#define FNV_BASIS    14695981039346656037u
#define FNV_PRIME    1099511628211u
#define FRESH_ENDING ".XXXXXX"

__attribute__((format(printf, 1, 2))) static char *format_new(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int bytes = vsnprintf(NULL, 0, format, arguments);
    char *text = bytes < 0 ? NULL : malloc((size_t)bytes + 1);
    if (text)
        vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

/* The head has the broker's key, not one of the addresses by which it is reached. */
static char *head_new(const struct call *call, const char *title) {
    return format_new("broker %s\nuser %s\nthread %s\n", zchat_fingerprint(call->z),
                      zchat_user(call->z), title);
}

static uint64_t hash(const char *text) {
    uint64_t value = FNV_BASIS;
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * FNV_PRIME;
    return value;
}

static char *path_new(const struct call *call, const char *head) {
    if (!call->state_dir || !head)
        return NULL;
    return format_new("%s/%016" PRIx64 ".numbers", call->state_dir, hash(head));
}

/* Makes a folder and those above it. */
static void make_folder(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(path, 0700); /* a failure shows when the file is made */
        *slash = '/';
    }
}

static void fail(struct numbers *numbers) {
    if (!numbers->error)
        numbers->error = errno ? errno : EIO;
    if (numbers->fresh)
        fclose(numbers->fresh);
    numbers->fresh = NULL;
}

static void open_fresh(struct numbers *numbers, const char *head) {
    errno = ENOMEM;
    numbers->fresh_path = numbers->path ? format_new("%s" FRESH_ENDING, numbers->path) : NULL;
    int fd = -1;
    if (numbers->fresh_path) {
        make_folder(numbers->fresh_path);
        fd = mkstemp(numbers->fresh_path); /* 0600 */
    }
    if (fd < 0) {
        free(numbers->fresh_path);
        numbers->fresh_path = NULL;
        fail(numbers);
        return;
    }
    numbers->fresh = fdopen(fd, "w");
    if (!numbers->fresh)
        close(fd);
    if (!numbers->fresh || fputs(head, numbers->fresh) == EOF)
        fail(numbers);
}

void numbers_begin(struct numbers *numbers, const struct call *call, const char *title) {
    char *head = head_new(call, title);
    *numbers = (struct numbers){.call = call, .path = path_new(call, head)};
    if (numbers->path)
        open_fresh(numbers, head);
    else
        numbers->error = head && !call->state_dir ? ENOENT : ENOMEM;
    free(head);
}

uint64_t numbers_add(struct numbers *numbers, const zchat_id *id) {
    char line[ZCHAT_ID_TEXT];
    zchat_id_format(id, line);
    if (numbers->fresh && fprintf(numbers->fresh, "%s\n", line) < 0)
        fail(numbers);
    return ++numbers->count;
}

static void put_in_place(struct numbers *numbers) {
    FILE *fresh = numbers->fresh;
    if (fresh && (fflush(fresh) == EOF || rename(numbers->fresh_path, numbers->path) < 0))
        fail(numbers);
    else if (fresh)
        fclose(fresh);
    numbers->fresh = NULL;
    if (numbers->error && numbers->fresh_path)
        unlink(numbers->fresh_path);
}

static bool forget(const char *path) {
    return !path || unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR;
}

enum status numbers_keep(struct numbers *numbers) {
    struct output *output = numbers->call->output;
    enum status status = STATUS_DONE;
    put_in_place(numbers);
    if (numbers->error && !forget(numbers->path))
        status = output_error(output, ZCHAT_IO, 0,
                              "cannot keep the posts' numbers, and %s still has old ones: %s",
                              numbers->path, strerror(numbers->error));
    else if (numbers->error)
        output_notice(output,
                      "cannot keep the posts' numbers (%s): each will mean what it means at the "
                      "broker by then",
                      strerror(numbers->error));
    free(numbers->path);
    free(numbers->fresh_path);
    return status;
}

/* A file of numbers that was found and is the right one. */
struct kept {
    int fd; /* owned; -1: there is none */
    off_t head_bytes;
    uint64_t count;
};

/* Whether the file begins with this head and has whole lines after it. */
static bool is_whole(struct kept *kept, const char *head) {
    struct stat facts;
    size_t bytes = strlen(head);
    char *found = malloc(bytes + 1);
    bool whole = found && fstat(kept->fd, &facts) == 0 &&
                 pread(kept->fd, found, bytes, 0) == (ssize_t)bytes &&
                 memcmp(found, head, bytes) == 0 &&
                 (facts.st_size - (off_t)bytes) % LINE_BYTES == 0;
    free(found);
    kept->head_bytes = (off_t)bytes;
    kept->count = whole ? (uint64_t)(facts.st_size - (off_t)bytes) / LINE_BYTES : 0;
    return whole;
}

/* false: it is there, but unusable. */
static bool open_kept(struct kept *kept, const struct call *call, const char *title, int flags) {
    char *head = head_new(call, title);
    char *path = path_new(call, head);
    bool there = path || !call->state_dir;
    *kept = (struct kept){.fd = path ? open(path, flags | O_CLOEXEC) : -1};
    if (kept->fd >= 0)
        there = is_whole(kept, head);
    else if (path)
        there = errno == ENOENT || errno == ENOTDIR;
    free(path);
    free(head);
    return there;
}

/* *shown is false for a hole. */
static bool read_line(const struct kept *kept, uint64_t number, zchat_id *id, bool *shown) {
    static const char hole[LINE_BYTES];
    char line[LINE_BYTES];
    off_t place = kept->head_bytes + (off_t)(number - 1) * LINE_BYTES;
    *shown = true;
    if (pread(kept->fd, line, LINE_BYTES, place) != LINE_BYTES)
        return false;
    *shown = memcmp(line, hole, LINE_BYTES) != 0;
    if (line[LINE_BYTES - 1] != '\n')
        return false;
    line[LINE_BYTES - 1] = 0;
    return zchat_id_parse(line, id);
}

static enum status not_shown(const struct call *call, uint64_t number) {
    return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                        "no post %" PRIu64 " was shown when you last read the thread or posted: "
                        "read it again, or give --id",
                        number);
}

enum status numbers_find(const struct call *call, const char *title, uint64_t number, zchat_id *id,
                         bool *known) {
    struct kept kept;
    bool useful = open_kept(&kept, call, title, O_RDONLY), shown = true;
    *known = kept.fd >= 0;
    if (useful && *known && number > kept.count)
        shown = false;
    else if (useful && *known)
        useful = read_line(&kept, number, id, &shown);
    if (kept.fd >= 0)
        close(kept.fd);
    if (!shown)
        return not_shown(call, number);
    if (useful)
        return STATUS_DONE;
    return output_error(call->output, ZCHAT_CONFLICT, 0,
                        "what you last read of the thread can't be told: read it again, or give "
                        "--id");
}

/* Begins a file for a user who has not read the thread. Another process that does so at the same
 * time writes the same. */
static void begin_kept(const struct call *call, const char *title) {
    char *head = head_new(call, title);
    char *path = path_new(call, head);
    int fd = -1;
    if (path) {
        make_folder(path);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    }
    if (fd >= 0) {
        (void)!pwrite(fd, head, strlen(head), 0);
        close(fd);
    }
    free(path);
    free(head);
}

/* If this fails nothing is lost: the number then counts as not shown. */
void numbers_append(const struct call *call, const char *title, uint64_t number,
                    const zchat_id *id) {
    struct kept kept;
    char line[LINE_BYTES];
    zchat_id_format(id, line);
    line[LINE_BYTES - 1] = '\n';
    bool useful = open_kept(&kept, call, title, O_RDWR);
    if (useful && kept.fd < 0) {
        begin_kept(call, title);
        useful = open_kept(&kept, call, title, O_RDWR);
    }
    if (useful && kept.fd >= 0 && number >= 1 && number <= NUMBER_MAX)
        (void)!pwrite(kept.fd, line, LINE_BYTES,
                      kept.head_bytes + (off_t)(number - 1) * LINE_BYTES);
    if (kept.fd >= 0)
        close(kept.fd);
}

void numbers_forget(const struct call *call, const char *title) {
    char *head = head_new(call, title);
    char *path = path_new(call, head);
    if (!forget(path))
        output_notice(call->output, "cannot remove %s: %s", path, strerror(errno));
    free(path);
    free(head);
}
