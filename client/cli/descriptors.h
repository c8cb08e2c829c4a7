/* Descriptors 0 to 2, which whoever starts the program may have closed. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/* Opens those that are closed on /dev/null, so that no file or socket of ours becomes one of them
 * and gets what is written for people; each so that using it fails, as before. Call it before
 * anything is opened. NULL, or what is missing that the program can't do without: a sentence. */
const char *descriptors_open(void);

#endif
