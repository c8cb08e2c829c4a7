/* See writer.h. */
#include "writer.h"

#include "record_line.h"

#include <errno.h>

bool writer_put(struct writer *writer, const struct record *record) {
    if (!record_write(&writer->line, record)) {
        writer->too_long = true;
        return false;
    }
    writer->lines++;
    if (fwrite(writer->line.bytes, 1, writer->line.length, writer->file) != writer->line.length)
        writer->reason = errno;
    return writer->reason == 0;
}

bool writer_put_header(struct writer *writer) {
    return writer_put(
        writer,
        &(struct record){.kind = RECORD_HEADER, .name = RECORD_FORMAT, .number = RECORD_VERSION});
}

bool writer_put_end(struct writer *writer) {
    return writer_put(writer, &(struct record){.kind = RECORD_END, .number = writer->lines + 1});
}

bool writer_flush(struct writer *writer) {
    if (writer->reason == 0 && (fflush(writer->file) != 0 || ferror(writer->file)))
        writer->reason = errno;
    return writer->reason == 0;
}
