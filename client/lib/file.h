/* The files of threads: an upload and a download are transfers. */
#ifndef FILE_H
#define FILE_H

#include "settings.h"
#include "transfer.h"

struct upload;

/* Opens the file. The caller owns *out until it is started. */
zchat_code upload_open(struct upload **out, const struct settings *settings, const char *path,
                       struct fault *fault);
void upload_close(struct upload *upload);
/* Sends it to the thread with that title. False: no memory, and the caller still owns it. */
bool upload_start(struct transfers *transfers, struct upload *upload, const char *title,
                  const char *name, struct file_caller caller);

struct download_target {
    const char *title; /* of the thread; all borrowed */
    const char *name;  /* of the file in it */
    const char *path;  /* NULL: to the fd */
    int fd;            /* the caller's */
    bool force;        /* an existing file may be replaced */
};
zchat_code download_start(struct transfers *transfers, const struct download_target *target,
                          struct file_caller caller, struct fault *fault);

struct fetch_target {
    bool as_export;   /* lines of JSON, and no copy of the store */
    const char *path; /* borrowed; NULL: to the fd */
    int fd;           /* the caller's */
    bool force;       /* an existing file may be replaced */
};
/* Has the broker make a backup, and fetches it. */
zchat_code fetch_start(struct transfers *transfers, const struct fetch_target *target,
                       struct file_caller caller, struct fault *fault);

#endif
