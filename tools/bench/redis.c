/* See redis.h. RESP over TCP: commands are arrays of bulk strings. The answer to an XADD is a bulk
 * string, whose two lines are counted; a line that begins with '-' is an error. */
#include "redis.h"

#include "common/clock.h"
#include "disk.h"
#include "pace.h"
#include "random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM    "redis-server"
#define PATH_BYTES 4096
#define ROOM_BYTES (256 * 1024)

struct link {
    struct course *course; /* borrowed: from redis_run */
    struct loop_source source;
    int fd; /* owned; -1: none */
    uint64_t number;
    uint64_t sent;
    uint64_t answered;
    uint64_t random;
    int64_t *due_us; /* owned: of those under way, by their number, as a ring */
    bool in_text;    /* the answer's first line was read */
    bool at_start;   /* of a line */
};

struct course {
    struct bench *bench; /* borrowed: from the caller */
    struct redis *redis; /* borrowed: from the caller */
    struct child *child; /* owned */
    struct link *links;  /* owned */
    char folder[BENCH_PATH_BYTES];
    uint16_t port;
    char *text; /* owned: a message */
    char *room; /* owned: what is written at once */
    int64_t begin_us;
    int64_t end_us;
    int64_t last_us;
};

/* ---- the program ---- */

static bool find_on_path(char found[PATH_BYTES]) {
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t bytes = strcspn(at, ":");
        snprintf(found, PATH_BYTES, "%.*s/" PROGRAM, (int)bytes, at);
        if (access(found, X_OK) == 0)
            return true;
        at += bytes + (at[bytes] == ':');
    }
    return false;
}

bool redis_is_there(const char *program) {
    char found[PATH_BYTES];
    return program || find_on_path(found);
}

/* A port that is free now. */
static uint16_t free_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &bytes) != 0)
        at.sin_port = 0;
    if (fd >= 0)
        close(fd);
    return ntohs(at.sin_port);
}

static char *word(const char *text) {
    return (char *)(uintptr_t)text;
}

static bool start(struct course *course) {
    const struct settings *settings = course->bench->settings;
    char port[16];
    char *argv[] = {word(settings->redis ? settings->redis : PROGRAM),
                    word("--port"),
                    port,
                    word("--bind"),
                    word("127.0.0.1"),
                    word("--dir"),
                    course->folder,
                    word("--appendonly"),
                    word("yes"),
                    word("--appendfsync"),
                    word("always"),
                    word("--save"),
                    word(""),
                    word("--daemonize"),
                    word("no"),
                    NULL};
    const struct child_options options = {.argv = argv,
                                          .core = course->bench->cores.server,
                                          .ready = "Ready to accept connections",
                                          .quiet = true};
    course->port = free_port();
    snprintf(port, sizeof port, "%u", (unsigned)course->port);
    course->child = child_start(&options);
    if (!course->child)
        bench_fail(course->bench, "no Redis; --redis names its program");
    return course->child != NULL;
}

/* ---- the messages ---- */

static size_t write_one(struct link *link, char *room) {
    struct course *course = link->course;
    size_t text_bytes = course->bench->settings->size_bytes;
    char key[32];
    int key_bytes = snprintf(key, sizeof key, "u%" PRIu64,
                             random_below(&link->random, course->bench->settings->accounts));
    int bytes = sprintf(room, "*5\r\n$4\r\nXADD\r\n$%d\r\n%s\r\n$1\r\n*\r\n$1\r\nt\r\n$%zu\r\n",
                        key_bytes, key, text_bytes);
    memcpy(room + bytes, course->text, text_bytes);
    memcpy(room + (size_t)bytes + text_bytes, "\r\n", 2);
    return (size_t)bytes + text_bytes + 2;
}

/* The socket's buffer has room for a whole window; if not, this waits a moment for the server. */
static void write_all(struct link *link, size_t bytes) {
    struct course *course = link->course;
    size_t done = 0;
    while (done < bytes) {
        ssize_t count = write(link->fd, course->room + done, bytes - done);
        if (count < 0 && errno != EINTR) {
            bench_fail(course->bench, "writing to Redis: %s", strerror(errno));
            return;
        }
        done += count > 0 ? (size_t)count : 0;
    }
}

static void pump(struct link *link) {
    struct course *course = link->course;
    const struct settings *settings = course->bench->settings;
    int64_t now_us = clock_us();
    size_t bytes = 0;
    while (link->sent - link->answered < settings->window && now_us < course->end_us &&
           bytes + settings->size_bytes + 256 < ROOM_BYTES) {
        int64_t due_us = pace_due_us(course->begin_us, link->sent, link->number, settings->senders,
                                     (double)settings->rate, now_us);
        if (due_us > now_us)
            break;
        link->due_us[link->sent++ % settings->window] = due_us;
        bytes += write_one(link, course->room + bytes);
    }
    write_all(link, bytes);
}

static void pump_all(void *arg) {
    struct course *course = arg;
    for (uint64_t i = 0; i < course->bench->settings->senders; i++)
        pump(&course->links[i]);
}

static void take_line(struct link *link) {
    struct course *course = link->course;
    link->in_text = !link->in_text;
    if (link->in_text)
        return;
    course->last_us = clock_us();
    histogram_add(&course->redis->took,
                  course->last_us -
                      link->due_us[link->answered++ % course->bench->settings->window]);
}

static void take_bytes(struct link *link, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (link->at_start && bytes[i] == '-')
            bench_fail(link->course->bench, "Redis refused: %.*s", (int)strcspn(bytes + i, "\r\n"),
                       bytes + i);
        link->at_start = bytes[i] == '\n';
        if (link->at_start)
            take_line(link);
    }
}

static void process(void *arg) {
    struct link *link = arg;
    char bytes[65536];
    ssize_t count = recv(link->fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        bench_fail(link->course->bench, "the connection to Redis is lost");
        return;
    }
    bytes[count > 0 ? count : 0] = 0;
    take_bytes(link, bytes, count > 0 ? (size_t)count : 0);
    pump(link);
}

/* ---- a run ---- */

static bool link_open(struct link *link, struct course *course, uint64_t number) {
    const struct settings *settings = course->bench->settings;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(course->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int at_once = 1;
    *link = (struct link){.course = course, .number = number, .at_start = true};
    link->source = (struct loop_source){process, link};
    link->random = random_begin(settings->seed, number);
    link->due_us = calloc(settings->window, sizeof *link->due_us);
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return link->due_us && link->fd >= 0 &&
           connect(link->fd, (struct sockaddr *)&at, sizeof at) == 0 &&
           setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once) == 0 &&
           loop_add(course->bench->loop, link->fd, &link->source);
}

static void link_close(struct link *link) {
    if (!link->course)
        return;
    if (link->fd >= 0) {
        loop_remove(link->course->bench->loop, link->fd);
        close(link->fd);
    }
    free(link->due_us);
}

static bool prepare(struct course *course) {
    const struct settings *settings = course->bench->settings;
    course->text = malloc(settings->size_bytes);
    course->room = malloc(ROOM_BYTES);
    course->links = calloc(settings->senders, sizeof *course->links);
    if (!course->text || !course->room || !course->links) {
        bench_fail(course->bench, "no memory");
        return false;
    }
    memset(course->text, 'x', settings->size_bytes);
    bench_beside_data(course->bench, "redis", course->folder);
    if (mkdir(course->folder, 0700) != 0) {
        bench_fail(course->bench, "%s: %s", course->folder, strerror(errno));
        course->folder[0] = 0;
        return false;
    }
    if (!start(course))
        return false;
    for (uint64_t i = 0; i < settings->senders; i++) {
        if (!link_open(&course->links[i], course, i)) {
            bench_fail(course->bench, "connecting to Redis: %s", strerror(errno));
            return false;
        }
    }
    return true;
}

static bool all_are_answered(void *arg) {
    const struct course *course = arg;
    if (clock_us() < course->end_us)
        return false;
    for (uint64_t i = 0; i < course->bench->settings->senders; i++)
        if (course->links[i].answered < course->links[i].sent)
            return false;
    return true;
}

static bool measure(struct course *course) {
    const struct settings *settings = course->bench->settings;
    struct bench *bench = course->bench;
    int64_t duration_us = (int64_t)(settings->limit_seconds / 2 * 1e6);
    struct ticking rate = {.timer.fd = -1};
    struct cost_since since;
    cost_begin(&since, course->child, &bench->cores);
    course->begin_us = course->last_us = clock_us();
    course->end_us = course->begin_us + duration_us;
    bool good = settings->rate == 0 || bench_tick(bench, &rate, PACE_US, pump_all, course);
    pump_all(course);
    good = good &&
           bench_wait(bench, BENCH_PATIENCE_US + duration_us, all_are_answered, course, "Redis");
    loop_unset(bench->loop, &rate.timer);
    cost_end(&since, &course->redis->cost);
    for (uint64_t i = 0; i < settings->senders; i++)
        course->redis->count += course->links[i].answered;
    course->redis->seconds += (double)(course->last_us - course->begin_us) / 1e6;
    return good;
}

bool redis_run(struct bench *bench, struct redis *redis) {
    struct course course = {.bench = bench, .redis = redis};
    bool good = prepare(&course) && measure(&course);
    for (uint64_t i = 0; course.links && i < bench->settings->senders; i++)
        link_close(&course.links[i]);
    child_free(course.child);
    folder_remove(course.folder);
    free(course.links);
    free(course.room);
    free(course.text);
    return good;
}

void redis_print(const struct redis *redis, struct json *json, double per_s) {
    double redis_per_s = (double)redis->count / redis->seconds;
    json_real(json, "redis_per_s", redis_per_s, 0);
    histogram_print(json, "redis", &redis->took);
    cost_print(json, "redis", &redis->cost, (double)redis->count);
    json_real(json, "of_redis", per_s / redis_per_s, 3);
}
