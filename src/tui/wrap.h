/* Where a line of text is broken. Pure, any thread. */
#ifndef PGMEDIC_TUI_WRAP_H
#define PGMEDIC_TUI_WRAP_H

#include <stddef.h>

/* Bytes of s to put on a line of `cols` columns: up to a blank in its second half, else as many as
 * fit; at least one character. *skip: blanks that follow and are dropped. */
size_t wrap_line(const char *s, size_t len, int cols, size_t *skip);
/* Lines that s takes, at most `max`; an empty text takes one. */
int wrap_count(const char *s, size_t len, int cols, int max);

#endif
