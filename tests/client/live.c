/* The broker is a child that does not outlive the test. It is ready when its greeter takes a
 * connection: the clients wait for that by themselves. */
#include "live.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define STEP_MS     20
#define BOUND_S     120 /* for a busy machine: a test that hangs ends, and no other one does */
#define CLIENTS_MAX 16
/* Below the kernel's own range. */
#define PORT_FIRST 10000
#define PORTS      20000

static time_t began;

static bool is_free(int port) {
    int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool done = socket_fd >= 0 && bind(socket_fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(socket_fd);
    return done;
}

static int three_ports(void) {
    unsigned from = (unsigned)getpid() * 7u + (unsigned)time(NULL);
    for (unsigned i = 0; i < PORTS; i += 3) {
        int port = PORT_FIRST + (int)((from + i) % PORTS);
        if (is_free(port) && is_free(port + 1) && is_free(port + 2))
            return port;
    }
    fail_msg("no free ports");
    return 0;
}

void live_path(const struct live *live, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", live->folder, name);
}

static void become_broker(const struct live *live, int ready) {
    char port[16];
    char data[256];
    snprintf(port, sizeof port, "%d", live->port);
    live_path(live, "data", data);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ready, STDERR_FILENO);
    const char *program = getenv("ZCHATD");
    execl(program ? program : "zchatd", "zchatd", "--bind", "127.0.0.1", "--port", port, "--data",
          data, (char *)NULL);
    _exit(127);
}

/* Its first words on stderr end with the ready line; what it says later goes nowhere. */
static void await_ready(int fd) {
    char text[4096] = "";
    size_t used = 0;
    while (!strstr(text, "ready address=")) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&item, 1, 10000), 1);
        ssize_t got = read(fd, text + used, sizeof text - 1 - used);
        if (got <= 0)
            fail_msg("zchatd did not start: %s", text);
        used += (size_t)got;
        text[used] = '\0';
    }
}

void live_start(struct live *live) {
    int ends[2];
    assert_int_equal(live->pid, 0);
    assert_int_equal(pipe(ends), 0);
    live->pid = fork();
    assert_true(live->pid >= 0);
    if (live->pid == 0)
        become_broker(live, ends[1]);
    close(ends[1]);
    await_ready(ends[0]);
    live->ready = ends[0];
}

void live_kill(struct live *live) {
    if (live->pid > 0) {
        kill(live->pid, SIGKILL);
        assert_int_equal(waitpid(live->pid, NULL, 0), live->pid);
        close(live->ready);
        live->pid = 0;
    }
}

struct live *live_new(void) {
    struct live *live = calloc(1, sizeof *live);
    assert_non_null(live);
    strcpy(live->folder, "/tmp/zchat-live-XXXXXX");
    assert_non_null(mkdtemp(live->folder));
    live->port = three_ports();
    snprintf(live->address, sizeof live->address, "127.0.0.1:%d", live->port);
    began = time(NULL);
    live_start(live);
    return live;
}

static void remove_tree(const char *folder) {
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

void live_free(struct live *live) {
    while (live->clients) {
        struct client *client = live->clients;
        live->clients = client->next;
        zchat_free(client->z);
        free(client);
    }
    live_kill(live);
    remove_tree(live->folder);
    free(live);
}

/* ---- clients ---- */

static void copy(char *to, size_t bytes, const char *from) {
    snprintf(to, bytes, "%.*s", (int)bytes - 1, from ? from : "");
}

static void on_event(void *arg, const zchat_event *event) {
    struct client *client = arg;
    assert_true(client->heard_count < sizeof client->heard / sizeof *client->heard);
    struct heard *heard = &client->heard[client->heard_count++];
    heard->kind = event->kind;
    heard->seq = event->seq;
    heard->id = event->id;
    heard->online = event->online;
    copy(heard->user, sizeof heard->user, event->user);
    copy(heard->text, sizeof heard->text, event->post ? event->post->text : event->text);
    if (event->thread) {
        heard->thread = event->thread->id;
        copy(heard->title, sizeof heard->title, event->thread->title);
    }
}

void live_answer(void *arg, const zchat_reply *reply) {
    struct answer *answer = arg;
    answer->done = true;
    answer->code = reply->code;
    copy(answer->text, sizeof answer->text, reply->text);
    answer->number = reply->number;
    answer->seq = reply->seq;
    answer->cursor = reply->cursor;
    answer->count = reply->count;
    answer->id = reply->id;
    if (reply->thread)
        answer->thread = reply->thread->id;
    if (reply->uploads && reply->count > 0) {
        copy(answer->file, sizeof answer->file, reply->uploads[0].file);
        answer->size = reply->uploads[0].size;
    }
}

void live_progress(void *arg, uint64_t bytes, uint64_t total) {
    struct answer *answer = arg;
    assert_true(bytes <= total);
    assert_true(bytes >= answer->progress_last);
    if (answer->progress_calls++ == 0)
        answer->progress_first = bytes;
    answer->progress_last = bytes;
}

void live_step(struct live *live) {
    struct pollfd items[CLIENTS_MAX];
    nfds_t count = 0;
    for (const struct client *at = live->clients; at; at = at->next) {
        if (at->z) {
            assert_true(count < CLIENTS_MAX);
            items[count++] = (struct pollfd){.fd = zchat_fd(at->z), .events = POLLIN};
        }
    }
    assert_true(poll(items, count, STEP_MS) >= 0);
    for (struct client *at = live->clients; at; at = at->next)
        if (at->z)
            zchat_process(at->z);
    if (time(NULL) - began >= BOUND_S)
        fail_msg("it takes too long");
}

void live_expect(struct live *live, const struct answer *answer, zchat_code code) {
    LIVE_UNTIL(live, answer->done);
    if (answer->code != code) {
        fail_msg("%s (%s), not %s", zchat_code_name(answer->code), answer->text,
                 zchat_code_name(code));
    }
}

size_t client_count(const struct client *client, zchat_event_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < client->heard_count; i++)
        count += client->heard[i].kind == kind;
    return count;
}

static void open_client(struct client *client) {
    char error[512] = "";
    zchat_options options = {.server = client->live->address,
                             .config_dir = client->folder,
                             .trust_new = true,
                             .private_address = client->live->private_address,
                             .on_event = on_event,
                             .arg = client};
    if (zchat_new(&client->z, &options, error, sizeof error) != ZCHAT_OK)
        fail_msg("%s", error);
}

void client_login(struct client *client, const char *user, zchat_public_events events) {
    struct answer answer = {0};
    zchat_login_options options = {.user = user,
                                   .online = true,
                                   .inbox = true,
                                   .private_chats = true,
                                   .threads = events != ZCHAT_PUBLIC_NONE,
                                   .public_events = events};
    if (!client->z)
        open_client(client);
    assert_int_equal(zchat_login(client->z, &options, live_answer, &answer), ZCHAT_OK);
    live_expect(client->live, &answer, ZCHAT_OK);
}

void client_drop(struct client *client) {
    zchat_free(client->z);
    client->z = NULL;
}

struct client *live_client(struct live *live, const char *user, zchat_public_events events) {
    struct answer answer = {0};
    struct client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->live = live;
    client->next = live->clients;
    live->clients = client;
    live_path(live, user, client->folder);
    open_client(client);
    assert_int_equal(zchat_register(client->z, user, "secret", false, live_answer, &answer),
                     ZCHAT_OK);
    live_expect(live, &answer, ZCHAT_OK);
    client_login(client, user, events);
    return client;
}
