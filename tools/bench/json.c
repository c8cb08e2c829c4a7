/* See json.h. */
#include "json.h"

#include <inttypes.h>
#include <math.h>

static void member(struct json *json, const char *name) {
    fprintf(json->file, "%s\"%s\":", json->begun ? "," : "", name);
    json->begun = true;
}

void json_open(struct json *json, FILE *file, const char *bench) {
    *json = (struct json){.file = file};
    fputc('{', file);
    json_text(json, "bench", bench);
}

void json_close(struct json *json) {
    fputs("}\n", json->file);
}

void json_object(struct json *json, const char *name) {
    member(json, name);
    fputc('{', json->file);
    json->begun = false;
}

void json_end(struct json *json) {
    fputc('}', json->file);
    json->begun = true;
}

void json_count(struct json *json, const char *name, uint64_t value) {
    member(json, name);
    fprintf(json->file, "%" PRIu64, value);
}

void json_real(struct json *json, const char *name, double value, int decimals) {
    member(json, name);
    if (isfinite(value))
        fprintf(json->file, "%.*f", decimals, value);
    else
        fputs("null", json->file);
}

void json_flag(struct json *json, const char *name, bool value) {
    member(json, name);
    fputs(value ? "true" : "false", json->file);
}

void json_text(struct json *json, const char *name, const char *value) {
    member(json, name);
    fprintf(json->file, "\"%s\"", value);
}
