/* The one line of JSON that a run prints. Names are ours and texts plain: nothing is escaped. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *file; /* borrowed: from the caller */
    bool begun; /* the object has a member already */
};

/* Begins the line with "bench" as its first member; json_close() ends it. */
void json_open(struct json *json, FILE *file, const char *bench);
void json_close(struct json *json);

/* An object as a member, up to json_end(). */
void json_object(struct json *json, const char *name);
void json_end(struct json *json);

void json_count(struct json *json, const char *name, uint64_t value);
/* What is no number (0 of 0) is null. */
void json_real(struct json *json, const char *name, double value, int decimals);
void json_flag(struct json *json, const char *name, bool value);
void json_text(struct json *json, const char *name, const char *value);

#endif
