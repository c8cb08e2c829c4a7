/* Pinned keys. Readers need no lock, because the file is replaced as a whole. Writers take a lock,
 * which is on a separate file, read the keys again, and add to them. */
#define _DEFAULT_SOURCE /* flock, which also separates threads of one process */
#include "known_keys.h"

#include "crypto.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Room for about ten thousand lines. */
#define FILE_BYTES (1024 * 1024)

struct file {
    char path[FOLDER_PATH_BYTES];
    char *text; /* owned */
};

static void file_release(struct file *file) {
    free(file->text);
    file->text = NULL;
}

static zchat_code file_load(struct file *file, struct known_keys known, struct fault *fault) {
    bool found;
    file->text = malloc(FILE_BYTES);
    if (!file->text)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory to read the known keys");
    file->text[0] = '\0';
    if (!folder_file(known.folder, known.file, file->path))
        return fault_set(fault, ZCHAT_IO, "the path of the config folder is too long");
    return folder_read(file->path, file->text, FILE_BYTES, false, &found, fault);
}

/* The line with that name, which may have lost its key; NULL: there is none. */
static const char *find_line(const char *text, const char *name) {
    size_t name_bytes = strlen(name);
    for (const char *line = text; *line != '\0'; line += *line == '\n') {
        if (strncmp(line, name, name_bytes) == 0 && strchr(" \t\r\n", line[name_bytes]))
            return line;
        line += strcspn(line, "\n");
    }
    return NULL;
}

/* A line without a key may also have lost the end of its name, so it may belong to anybody: nobody
 * counts as met for the first time until the line is mended. */
static zchat_code check_lines(const struct file *file, struct fault *fault) {
    size_t number = 1;
    for (const char *line = file->text; *line != '\0'; line += *line == '\n', number++) {
        size_t bytes = strcspn(line, "\r\n");
        size_t name_bytes = strcspn(line, " \t\r\n");
        if (bytes > 0 && *line != '#' && name_bytes + 1 >= bytes) {
            return fault_set(fault, ZCHAT_IO,
                             "line %zu of %s is damaged, it has no key: restore the file, or "
                             "remove the line",
                             number, file->path);
        }
        line += strcspn(line, "\n");
    }
    return ZCHAT_OK;
}

static zchat_code find_key(const struct file *file, const char *name, bool *known,
                           unsigned char key[KEY_BYTES], struct fault *fault) {
    char text[2 * KEY_BYTES + 1];
    const char *line = find_line(file->text, name);
    *known = line != NULL;
    if (!line)
        return check_lines(file, fault);
    const char *at = line + strlen(name);
    at += *at == ' ';
    size_t bytes = strcspn(at, " \t\r\n");
    if (bytes < sizeof text) {
        memcpy(text, at, bytes);
        text[bytes] = '\0';
        if (key_parse(text, key))
            return ZCHAT_OK;
    }
    return fault_set(fault, ZCHAT_IO, "the line of %s in %s holds no key: correct or remove it",
                     name, file->path);
}

zchat_code known_keys_find(struct known_keys known, const char *name, bool *found,
                           unsigned char key[KEY_BYTES], struct fault *fault) {
    struct file file = {0};
    zchat_code code = file_load(&file, known, fault);
    if (code == ZCHAT_OK)
        code = find_key(&file, name, found, key, fault);
    file_release(&file);
    return code;
}

static zchat_code replace(const struct file *file, struct fault *fault) {
    char temporary[FOLDER_PATH_BYTES];
    zchat_code code = folder_write(file->path, file->text, strlen(file->text), temporary, fault);
    if (code == ZCHAT_OK && rename(temporary, file->path) != 0) {
        code = fault_set(fault, ZCHAT_IO, "replacing %s failed: %s", file->path, strerror(errno));
        unlink(temporary);
    }
    return code;
}

static zchat_code append(const struct file *file, const char *name, const unsigned char *key,
                         struct fault *fault) {
    char key_text[KEY_TEXT];
    size_t used = strlen(file->text);
    const char *line_end = used > 0 && file->text[used - 1] != '\n' ? "\n" : "";
    key_format(key, key_text);
    int added =
        snprintf(file->text + used, FILE_BYTES - used, "%s%s %s\n", line_end, name, key_text);
    if (added < 0 || (size_t)added >= FILE_BYTES - used)
        return fault_set(fault, ZCHAT_IO, "the file %s is full", file->path);
    return replace(file, fault);
}

static zchat_code pin_locked(struct known_keys known, const char *name, const unsigned char *key,
                             struct fault *fault) {
    bool found;
    unsigned char other[KEY_BYTES];
    struct file file = {0};
    zchat_code code = file_load(&file, known, fault);
    if (code == ZCHAT_OK)
        code = find_key(&file, name, &found, other, fault);
    if (code == ZCHAT_OK && found && memcmp(other, key, KEY_BYTES) != 0) {
        code = fault_set(fault, ZCHAT_WRONG_KEY,
                         "another key of %s was pinned in %s in the meantime", name, file.path);
    }
    if (code == ZCHAT_OK && !found)
        code = append(&file, name, key, fault);
    file_release(&file);
    return code;
}

/* Opens the lock that writers take; -1 with a fault. */
static int lock_file(struct known_keys known, struct fault *fault) {
    char lock[FOLDER_PATH_BYTES];
    char lock_name[64];
    snprintf(lock_name, sizeof lock_name, "%s.lock", known.file);
    if (!folder_file(known.folder, lock_name, lock)) {
        fault_set(fault, ZCHAT_IO, "the path of the config folder is too long");
        return -1;
    }
    int fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        fault_set(fault, ZCHAT_IO, "locking %s failed: %s", lock, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

zchat_code known_keys_pin(struct known_keys known, const char *name,
                          const unsigned char key[KEY_BYTES], struct fault *fault) {
    int fd = lock_file(known, fault);
    if (fd < 0)
        return ZCHAT_IO;
    zchat_code code = pin_locked(known, name, key, fault);
    close(fd);
    return code;
}

/* ---- forgetting ---- */

/* Also forgets a line that holds no key. */
static zchat_code forget_locked(struct known_keys known, const char *name,
                                char fingerprint[FINGERPRINT_TEXT], struct fault *fault) {
    bool found = false;
    unsigned char key[KEY_BYTES];
    struct file file = {0};
    zchat_code code = file_load(&file, known, fault);
    const char *found_line = code == ZCHAT_OK ? find_line(file.text, name) : NULL;
    if (code == ZCHAT_OK && !found_line) {
        code = fault_set(fault, ZCHAT_NOT_FOUND, "no key of %s is pinned in %s", name, file.path);
    } else if (found_line) {
        fingerprint[0] = '\0';
        if (find_key(&file, name, &found, key, fault) == ZCHAT_OK)
            key_fingerprint(key, fingerprint);
        char *line = file.text + (found_line - file.text);
        const char *rest = line + strcspn(line, "\n");
        rest += *rest == '\n';
        memmove(line, rest, strlen(rest) + 1);
        code = replace(&file, fault);
    }
    file_release(&file);
    return code;
}

zchat_code known_keys_forget(struct known_keys known, const char *name,
                             char fingerprint[FINGERPRINT_TEXT], struct fault *fault) {
    int fd = lock_file(known, fault);
    if (fd < 0)
        return ZCHAT_IO;
    zchat_code code = forget_locked(known, name, fingerprint, fault);
    close(fd);
    return code;
}

void known_keys_how_to_forget(struct known_keys known, const char *name,
                              char how[KNOWN_KEYS_HOW_BYTES]) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    const char *quote = known.folder[strspn(known.folder, plain)] != '\0' ? "'" : "";
    int bytes = snprintf(how, KNOWN_KEYS_HOW_BYTES,
                         "run: zmq-cli forget %s --config-dir %s%s%s (it removes the line of %s "
                         "from %s there)",
                         name, quote, known.folder, quote, name, known.file);
    if (bytes < 0 || bytes >= KNOWN_KEYS_HOW_BYTES) { /* a path longer than a sentence */
        snprintf(how, KNOWN_KEYS_HOW_BYTES,
                 "remove the line of %.200s from %s in the config folder", name, known.file);
    }
}
