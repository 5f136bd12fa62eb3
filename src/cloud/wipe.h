/* Secrets do not stay in memory that is given back. */
#ifndef PGMEDIC_CLOUD_WIPE_H
#define PGMEDIC_CLOUD_WIPE_H

#include "base/strbuf.h"

/* Overwrite, then free; NULL is nothing. */
void wipe_free(char *secret);
/* Overwrite all that it holds, then release. */
void wipe_strbuf(struct strbuf *sb);
/* A buffer with room for `cap` bytes, so that it does not leave copies behind while it grows. */
void wipe_reserve(struct strbuf *sb, size_t cap);

#endif
