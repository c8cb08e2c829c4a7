/* See child.h. The child's stdout and stderr are one pipe: a line in it says that the child serves;
 * its end says that the child has ended. The kernel ends the child with us. */
#include "child.h"

#include "cores.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS   20000
#define END_MS     20000
#define PATH_BYTES 4096

struct child {
    struct child_options options;
    pid_t pid;
    int output;     /* the child's stdout and stderr */
    char line[512]; /* of the output, as far as it came */
    size_t line_bytes;
    char ready[512]; /* the line; "" until it serves */
};

static bool fail(const char *what) {
    fprintf(stderr, "zchat-bench: %s: %s\n", what, strerror(errno));
    return false;
}

void child_program(const char *given, const char *name, char *path, size_t path_bytes) {
    char self[PATH_BYTES];
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    self[bytes > 0 ? bytes : 0] = 0;
    if (given || bytes < 0)
        snprintf(path, path_bytes, "%s", given ? given : name ? name : "zchat-bench");
    else if (name)
        snprintf(path, path_bytes, "%s/%s", dirname(self), name);
    else
        snprintf(path, path_bytes, "%s", self);
}

/* ---- processes ---- */

/* Becomes the child's program; never returns. fds become its descriptors 0, 1 and 2; -1:
 * /dev/null. */
static void become(char *const argv[], const int fds[3], int core) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (int i = 0; i < 3; i++) {
        int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR);
        if (fd < 0 || dup2(fd, i) < 0)
            _exit(127);
    }
    if (core >= 0 && !cores_pin(core))
        _exit(127);
    execvp(argv[0], argv);
    fail(argv[0]);
    _exit(127);
}

static pid_t start(char *const argv[], const int fds[3], int core) {
    pid_t pid = fork();
    if (pid == 0)
        become(argv, fds, core);
    if (pid < 0)
        fail("no new process");
    return pid;
}

static bool make_pipe(int ends[2]) {
    return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

bool child_run(char *const argv[], void (*write)(FILE *file, void *arg), void *arg) {
    int input[2], status = -1;
    if (!make_pipe(input))
        return fail("no pipe");
    pid_t pid = start(argv, (int[3]){input[0], -1, STDERR_FILENO}, -1);
    close(input[0]);
    FILE *file = fdopen(input[1], "w");
    if (file) {
        write(file, arg);
        fclose(file);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return file && pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- what it says ---- */

static void take_line(struct child *child) {
    if (!child->ready[0] && strstr(child->line, child->options.ready))
        memcpy(child->ready, child->line, child->line_bytes + 1);
    else if (!child->options.quiet)
        fprintf(stderr, "%s\n", child->line);
    child->line_bytes = 0;
}

static void take_output(struct child *child, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool full = child->line_bytes == sizeof child->line - 1;
        if (bytes[i] != '\n' && !full)
            child->line[child->line_bytes++] = bytes[i];
        child->line[child->line_bytes] = 0;
        if (bytes[i] == '\n' || full)
            take_line(child);
    }
}

bool child_listen(struct child *child) {
    char bytes[4096];
    ssize_t count;
    while ((count = read(child->output, bytes, sizeof bytes)) > 0)
        take_output(child, bytes, (size_t)count);
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

/* false: it said nothing within that time, or has ended. */
static bool listen_for(struct child *child, int timeout_ms) {
    struct pollfd wait = {.fd = child->output, .events = POLLIN};
    int ready;
    while ((ready = poll(&wait, 1, timeout_ms)) < 0 && errno == EINTR)
        ;
    return ready > 0 && child_listen(child);
}

bool child_told(const struct child *child, const char *name, char *value, size_t value_bytes) {
    const char *at = strstr(child->ready, name);
    at = at ? at + strlen(name) : "";
    size_t bytes = strcspn(at, " ");
    if (bytes == 0 || bytes >= value_bytes)
        return false;
    memcpy(value, at, bytes);
    value[bytes] = 0;
    return true;
}

int child_fd(const struct child *child) {
    return child->output;
}

/* ---- its life ---- */

static struct child *child_new(const struct child_options *options, int *its_end) {
    struct child *child = calloc(1, sizeof *child);
    int output[2];
    if (!child || !make_pipe(output)) {
        fail("no pipe");
        free(child);
        return NULL;
    }
    child->options = *options;
    child->output = output[0];
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    *its_end = output[1];
    return child;
}

struct child *child_start(const struct child_options *options) {
    int its_end;
    struct child *child = child_new(options, &its_end);
    if (!child)
        return NULL;
    child->pid = start(options->argv, (int[3]){-1, its_end, its_end}, options->core);
    close(its_end);
    child->options.argv = NULL;
    while (child->pid > 0 && !child->ready[0] && listen_for(child, START_MS))
        ;
    if (child->ready[0])
        return child;
    fprintf(stderr, "zchat-bench: %s does not serve\n", options->argv[0]);
    child_free(child);
    return NULL;
}

void child_free(struct child *child) {
    if (!child)
        return;
    if (child->pid > 0) {
        kill(child->pid, SIGTERM);
        while (listen_for(child, END_MS))
            ;
        kill(child->pid, SIGKILL); /* harmless if the process has ended */
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(child->output);
    free(child);
}

/* ---- usage ---- */

static bool read_file(const char *path, char *text, size_t text_bytes) {
    FILE *file = fopen(path, "re");
    size_t bytes = file ? fread(text, 1, text_bytes - 1, file) : 0;
    text[bytes] = 0;
    if (file)
        fclose(file);
    return bytes > 0;
}

/* A thread's schedstat holds the nanoseconds that it ran and those that it waited for a core; comm
 * is its name. */
static void add_thread(struct usage *usage, const char *folder, const char *thread, bool is_main) {
    unsigned long long ran, waited;
    char path[300], text[256];
    snprintf(path, sizeof path, "%s/%.20s/schedstat", folder, thread);
    if (!read_file(path, text, sizeof text) || sscanf(text, "%llu %llu", &ran, &waited) != 2)
        return;
    usage->waited_s += (double)waited / 1e9;
    snprintf(path, sizeof path, "%s/%.20s/comm", folder, thread);
    if (is_main)
        usage->main_s += (double)ran / 1e9;
    else if (read_file(path, text, sizeof text) && strncmp(text, "ZMQbg/IO", 8) == 0)
        usage->io_s += (double)ran / 1e9;
    else
        usage->other_s += (double)ran / 1e9;
}

static bool add_threads(struct usage *usage, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return fail(path);
    for (struct dirent *entry; (entry = readdir(threads));)
        if (entry->d_name[0] != '.')
            add_thread(usage, path, entry->d_name, atoi(entry->d_name) == (int)pid);
    closedir(threads);
    return true;
}

bool child_usage(const struct child *child, struct usage *usage) {
    pid_t pid = child ? child->pid : getpid();
    char path[64], text[256];
    unsigned long long pages = 0;
    *usage = (struct usage){0};
    if (!add_threads(usage, pid))
        return false;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (!read_file(path, text, sizeof text) || sscanf(text, "%*u %llu", &pages) != 1)
        return fail(path);
    usage->rss_kib = pages * (unsigned long long)sysconf(_SC_PAGESIZE) / 1024;
    return true;
}

double usage_s(const struct usage *usage) {
    return usage->main_s + usage->io_s + usage->other_s;
}

/* ---- zchatd ---- */

/* argv is not const, but nobody writes to it. */
static char *word(const char *text) {
    return (char *)(uintptr_t)text;
}

bool broker_add_accounts(const struct broker_options *options, const char *key,
                         void (*write_names)(FILE *file, void *arg), void *arg) {
    char program[PATH_BYTES];
    char *argv[] = {
        program,        word("user"),        word("add"),          word("-"), word("--create"),
        word("--data"), word(options->data), word("--device-key"), word(key), NULL};
    child_program(options->zchatd, "zchatd", program, sizeof program);
    if (child_run(argv, write_names, arg))
        return true;
    fprintf(stderr, "zchat-bench: the accounts could not be made\n");
    return false;
}

struct child *broker_start(const struct broker_options *options) {
    char program[PATH_BYTES], io_threads[24];
    char *argv[] = {program,
                    word("--data"),
                    word(options->data),
                    word("--bind"),
                    word("127.0.0.1"),
                    word("--port"),
                    word("0"),
                    word("--rate-account"),
                    word("0"),
                    word("--rate-key"),
                    word("0"),
                    word("--rate-address"),
                    word("0"),
                    word("--log-level"),
                    word("warn"),
                    word("--io-threads"),
                    io_threads,
                    NULL};
    const struct child_options child = {
        .argv = argv, .core = options->core, .ready = "ready address="};
    child_program(options->zchatd, "zchatd", program, sizeof program);
    snprintf(io_threads, sizeof io_threads, "%llu", (unsigned long long)options->io_threads);
    return child_start(&child);
}
