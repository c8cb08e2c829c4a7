/* See broker.h. The child's stderr is a pipe: its "ready" line says that it serves, its end that
 * the child is gone. The kernel ends the child with us. */
#define _GNU_SOURCE /* sched_setaffinity, nftw */
#include "broker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS   20000
#define END_MS     20000
#define PATH_BYTES 4096

struct broker {
    pid_t pid;
    int output;     /* the child's stderr */
    char line[512]; /* of the output, as far as it came */
    size_t line_bytes;
    char address[256]; /* "" until it is ready */
};

static bool fail(const char *what) {
    fprintf(stderr, "zchat-bench: %s: %s\n", what, strerror(errno));
    return false;
}

/* ---- folders ---- */

bool folder_new(char *path, size_t path_bytes) {
    const char *base = getenv("TMPDIR");
    snprintf(path, path_bytes, "%s/zchat-bench.XXXXXX", base && base[0] ? base : "/tmp");
    return mkdtemp(path) || fail("no temporary folder");
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    (void)facts;
    (void)kind;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path) {
    if (path[0] && nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fail(path);
}

/* ---- cores ---- */

/* The index-th of the cores that this process could use when it began. */
static bool core_at(size_t index, const cpu_set_t *allowed, cpu_set_t *one) {
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, allowed) && index-- == 0) {
            CPU_ZERO(one);
            CPU_SET(core, one);
            return true;
        }
    }
    return false;
}

static bool pin(size_t index) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && core_at(index, &allowed, &one) &&
        sched_setaffinity(0, sizeof one, &one) == 0)
        return true;
    fprintf(stderr, "zchat-bench: --pin needs two cores\n");
    return false;
}

bool pin_self(void) {
    return pin(0);
}

/* ---- children ---- */

static void program_path(const struct broker_options *options, char *path, size_t path_bytes) {
    char self[PATH_BYTES];
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    if (options->zchatd || bytes < 0) {
        snprintf(path, path_bytes, "%s", options->zchatd ? options->zchatd : "zchatd");
        return;
    }
    self[bytes] = 0;
    snprintf(path, path_bytes, "%s/zchatd", dirname(self));
}

/* Becomes the child's program; never returns. fds: what become its 0, 1, 2; -1: /dev/null. */
static void become(char *const argv[], const int fds[3], bool pinned) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (int i = 0; i < 3; i++) {
        int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR);
        if (fd < 0 || dup2(fd, i) < 0)
            _exit(127);
    }
    if (pinned && !pin(1))
        _exit(127);
    execvp(argv[0], argv);
    fail(argv[0]);
    _exit(127);
}

static pid_t start(char *const argv[], const int fds[3], bool pinned) {
    pid_t pid = fork();
    if (pid == 0)
        become(argv, fds, pinned);
    if (pid < 0)
        fail("no new process");
    return pid;
}

bool broker_add_accounts(const struct broker_options *options, const char *key,
                         void (*write_names)(FILE *file, void *arg), void *arg) {
    char program[PATH_BYTES];
    char *argv[] = {program,
                    "user",
                    "add",
                    "-",
                    "--create",
                    "--data",
                    (char *)(uintptr_t)options->data,
                    "--device-key",
                    (char *)(uintptr_t)key,
                    NULL};
    int names[2], status = -1;
    program_path(options, program, sizeof program);
    if (pipe2(names, O_CLOEXEC) != 0)
        return fail("no pipe");
    pid_t pid = start(argv, (int[3]){names[0], -1, STDERR_FILENO}, false);
    close(names[0]);
    FILE *file = fdopen(names[1], "w");
    if (file) {
        write_names(file, arg);
        fclose(file);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (file && pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    fprintf(stderr, "zchat-bench: the accounts could not be made\n");
    return false;
}

/* ---- the broker ---- */

/* Keeps the address of the "ready" line; other lines are passed on. */
static void take_line(struct broker *broker) {
    char *address = strstr(broker->line, "ready address=tcp://");
    if (address)
        sscanf(address, "ready address=tcp://%255s", broker->address);
    else
        fprintf(stderr, "%s\n", broker->line);
    broker->line_bytes = 0;
}

static void take_output(struct broker *broker, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool full = broker->line_bytes == sizeof broker->line - 1;
        if (bytes[i] != '\n' && !full)
            broker->line[broker->line_bytes++] = bytes[i];
        broker->line[broker->line_bytes] = 0;
        if (bytes[i] == '\n' || full)
            take_line(broker);
    }
}

/* What is there; false: it has ended. */
bool broker_listen(struct broker *broker) {
    char bytes[4096];
    ssize_t count;
    while ((count = read(broker->output, bytes, sizeof bytes)) > 0)
        take_output(broker, bytes, (size_t)count);
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

/* false: it said nothing for so long, or it has ended. */
static bool listen_for(struct broker *broker, int timeout_ms) {
    struct pollfd wait = {.fd = broker->output, .events = POLLIN};
    int ready;
    while ((ready = poll(&wait, 1, timeout_ms)) < 0 && errno == EINTR)
        ;
    return ready > 0 && broker_listen(broker);
}

struct broker *broker_start(const struct broker_options *options) {
    struct broker *broker = calloc(1, sizeof *broker);
    char program[PATH_BYTES], io_threads[24];
    char *argv[] = {program,
                    "--data",
                    (char *)(uintptr_t)options->data,
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    "0",
                    "--rate-account",
                    "0",
                    "--rate-key",
                    "0",
                    "--rate-address",
                    "0",
                    "--log-level",
                    "warn",
                    "--io-threads",
                    io_threads,
                    NULL};
    int output[2];
    if (!broker || pipe2(output, O_CLOEXEC) != 0) {
        fail("no broker");
        free(broker);
        return NULL;
    }
    program_path(options, program, sizeof program);
    snprintf(io_threads, sizeof io_threads, "%llu", (unsigned long long)options->io_threads);
    broker->pid = start(argv, (int[3]){-1, -1, output[1]}, options->pin);
    close(output[1]);
    broker->output = output[0];
    fcntl(broker->output, F_SETFL, O_NONBLOCK);
    while (broker->pid > 0 && !broker->address[0] && listen_for(broker, START_MS))
        ;
    if (broker->address[0])
        return broker;
    fprintf(stderr, "zchat-bench: %s does not serve\n", program);
    broker_free(broker);
    return NULL;
}

void broker_free(struct broker *broker) {
    if (!broker)
        return;
    if (broker->pid > 0) {
        kill(broker->pid, SIGTERM);
        while (listen_for(broker, END_MS))
            ;
        kill(broker->pid, SIGKILL); /* nothing to a process that has ended */
        while (waitpid(broker->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(broker->output);
    free(broker);
}

const char *broker_address(const struct broker *broker) {
    return broker->address;
}

int broker_fd(const struct broker *broker) {
    return broker->output;
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

/* Adds a thread's utime and stime, fields 14 and 15 of its stat; its name stands in parentheses. */
static void add_thread(struct broker_usage *usage, const char *stat, bool is_main) {
    unsigned long long user = 0, kernel = 0;
    const char *name = strchr(stat, '('), *end = strrchr(stat, ')');
    if (!name || !end ||
        sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &kernel) !=
            2)
        return;
    double seconds = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
    if (is_main)
        usage->main_s += seconds;
    else if (strncmp(name, "(ZMQbg/IO", 9) == 0)
        usage->io_s += seconds;
    else
        usage->other_s += seconds;
}

static bool add_threads(struct broker_usage *usage, pid_t pid) {
    char path[300], text[1024];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return fail(path);
    for (struct dirent *entry; (entry = readdir(threads));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, entry->d_name);
        if (entry->d_name[0] != '.' && read_file(path, text, sizeof text))
            add_thread(usage, text, atoi(entry->d_name) == (int)pid);
    }
    closedir(threads);
    return true;
}

bool broker_usage(const struct broker *broker, struct broker_usage *usage) {
    char path[64], text[256];
    unsigned long long pages = 0;
    *usage = (struct broker_usage){0};
    if (!add_threads(usage, broker->pid))
        return false;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)broker->pid);
    if (!read_file(path, text, sizeof text) || sscanf(text, "%*u %llu", &pages) != 1)
        return fail(path);
    usage->rss_kib = pages * (unsigned long long)sysconf(_SC_PAGESIZE) / 1024;
    return true;
}
