/* The past of the largest tables, put together from the probes of the cold start. Pure. */
#ifndef PGMEDIC_MODEL_STORAGE_PAST_H
#define PGMEDIC_MODEL_STORAGE_PAST_H

#include "model/storage.h"

/* Fills past, npast, hidden and carried of the outlook. */
void storage_past(const struct snapshot *snap, const struct storage *s, struct arena *arena,
    struct storage_outlook *out);
/* Bytes of a table at a moment; its present size where nothing is known. */
double storage_past_bytes(const struct storage_past *p, int64_t at_us, int64_t now_us);
/* The earliest moment that is known of any; now_us when there is none. */
int64_t storage_past_begin(const struct storage_outlook *o, int64_t now_us);

#endif
