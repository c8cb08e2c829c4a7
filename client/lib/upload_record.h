/* What the config folder's `uploads` remembers of an unfinished upload: the file's id. So a program
 * that was killed goes on with the same upload, or, if it was killed after the last chunk, learns
 * that the upload is done. */
#ifndef UPLOAD_RECORD_H
#define UPLOAD_RECORD_H

#include "fault.h"
#include "folder.h"
#include "limits.h"
#include "path.h"

struct upload_record {
    const char *folder; /* borrowed, like the others: the config folder */
    const char *broker; /* its name in known_brokers */
    const char *user;
    const char *thread;
    const char *file;
    const struct path_state *state;
};

/* The id of this upload: that of an earlier try (*again) or a new one, which is remembered. `file`
 * gets the record's path. */
zchat_code upload_record_open(const struct upload_record *record, unsigned char id[ID_BYTES],
                              bool *again, char file[FOLDER_PATH_BYTES], struct fault *fault);

#endif
