/* One small file for each upload. Its name is made from who uploads what, where, and under which
 * name. Its content tells the same for people, and which file it was in which state, and the id.
 * Another file, or one that changed since, is another upload: its record replaces this one, or one
 * that can't be read. A record is removed when the broker no longer keeps its upload. */
#include "upload_record.h"

#include "common/clock.h"
#include "crypto.h"
#include "id.h"
#include "zchat.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_NAME  "uploads"
#define RECORD_BYTES 4096
#define NAME_DIGITS  16 /* bytes of the hash that names the record */
/* A day more than at the broker, because the clocks may differ. */
#define RECORD_EXPIRE_S (2 * UPLOAD_EXPIRE_S)

static void to_hex(const unsigned char *bytes, size_t count, char *text) {
    for (size_t i = 0; i < count; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* Uses the old hash, so that an upload that an earlier version began goes on. */
static void name_of(const struct upload_record *record, char name[2 * NAME_DIGITS + 1]) {
    const char *const parts[] = {record->broker, record->user, record->thread, record->file};
    unsigned char digest[HASH_OLD_BYTES];
    struct hash hash;
    hash_old_begin(&hash);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash_add(&hash, parts[i], strlen(parts[i]) + 1);
    hash_old_end(&hash, digest);
    to_hex(digest, NAME_DIGITS, name);
}

/* Writes all that has to be the same so that the upload can go on. */
static size_t content_of(const struct upload_record *record, char text[RECORD_BYTES]) {
    const struct path_state *state = record->state;
    int bytes = snprintf(text, RECORD_BYTES,
                         "broker %s\nuser %s\nthread %s\nfile %s\nsize %" PRIu64
                         "\nchanged %lld.%09ld\ndevice %ju\ninode %ju\n",
                         record->broker, record->user, record->thread, record->file, state->bytes,
                         (long long)state->changed.tv_sec, state->changed.tv_nsec,
                         (uintmax_t)state->device, (uintmax_t)state->inode);
    return (size_t)bytes;
}

/* Finds the id in a record with exactly that content. */
static bool find_id(const char *stored, const char *content, size_t content_bytes,
                    unsigned char id[ID_BYTES]) {
    char text[ID_TEXT_BYTES];
    if (strncmp(stored, content, content_bytes) != 0 ||
        strncmp(stored + content_bytes, "id ", 3) != 0)
        return false;
    snprintf(text, sizeof text, "%s", stored + content_bytes + 3);
    return id_parse(text, id) && id_is_valid(id, ID_BYTES);
}

static void remove_old(const char *folder) {
    DIR *listing = opendir(folder);
    int64_t now_s = clock_wall_us() / 1000000;
    if (!listing)
        return;
    for (const struct dirent *entry; (entry = readdir(listing));) {
        char file[FOLDER_PATH_BYTES];
        struct stat status;
        if (folder_file(folder, entry->d_name, file) && lstat(file, &status) == 0 &&
            S_ISREG(status.st_mode) && now_s - status.st_mtime > RECORD_EXPIRE_S)
            unlink(file);
    }
    closedir(listing);
}

static zchat_code make(const char *file, char *content, size_t content_bytes,
                       unsigned char id[ID_BYTES], struct fault *fault) {
    char temporary[FOLDER_PATH_BYTES];
    char text[ID_TEXT_BYTES];
    zchat_id fresh;
    zchat_id_new(&fresh);
    memcpy(id, fresh.bytes, ID_BYTES);
    id_format(id, text);
    int added = snprintf(content + content_bytes, RECORD_BYTES - content_bytes, "id %s\n", text);
    zchat_code code = folder_write(file, content, content_bytes + (size_t)added, temporary, fault);
    if (code == ZCHAT_OK && rename(temporary, file) != 0) {
        code = fault_set(fault, ZCHAT_IO, "making %s failed: %s", file, strerror(errno));
        unlink(temporary);
    }
    return code;
}

zchat_code upload_record_open(const struct upload_record *record, unsigned char id[ID_BYTES],
                              bool *again, char file[FOLDER_PATH_BYTES], struct fault *fault) {
    char folder[FOLDER_PATH_BYTES];
    char path[FOLDER_PATH_BYTES];
    char name[2 * NAME_DIGITS + 1];
    char content[RECORD_BYTES];
    char stored[RECORD_BYTES] = "";
    bool found = false;
    name_of(record, name);
    if (!folder_file(record->folder, FOLDER_NAME, path))
        return fault_set(fault, ZCHAT_IO, "the path of the config folder is too long");
    zchat_code code = folder_open(path, folder, fault);
    if (code == ZCHAT_OK && !folder_file(folder, name, file))
        code = fault_set(fault, ZCHAT_IO, "the path of the config folder is too long");
    if (code == ZCHAT_OK) {
        remove_old(folder);
        found = folder_read(file, stored, sizeof stored, false, &found, fault) == ZCHAT_OK && found;
    }
    if (code != ZCHAT_OK)
        return code;
    size_t content_bytes = content_of(record, content);
    *again = found && find_id(stored, content, content_bytes, id);
    return *again ? ZCHAT_OK : make(file, content, content_bytes, id, fault);
}
