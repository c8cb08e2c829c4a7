/* What every fuzz target offers, to libFuzzer and to the driver of the ordinary build. A target
 * aborts where a promise of its header does not hold. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* wire_read_each_command: the frames that anybody with a key can send to the broker. */
void fuzz_commands(const uint8_t *data, size_t size);
/* wire_read_server, wire_read_publication, wire_read_greeting and wire_read_peer: what a hostile
 * broker or peer can send to a client. */
void fuzz_server(const uint8_t *data, size_t size);
/* text_clean and its kin: what comes out is UTF-8 without anything that a terminal acts on, and
 * stays as it is when it is cleaned again. */
void fuzz_text(const uint8_t *data, size_t size);
/* json/: what a program's own input can hold. What is read as a message is printed, and that is
 * read as the same message. The first byte chooses the type. */
void fuzz_json(const uint8_t *data, size_t size);
/* transfer/: a line of a file that `zchatd import` is given. What is read as a record is written as
 * a line that is read as the same record. */
void fuzz_records(const uint8_t *data, size_t size);
/* The greeter's ZMTP: the first byte says in what pieces the rest arrives. */
void fuzz_zmtp(const uint8_t *data, size_t size);

#endif
