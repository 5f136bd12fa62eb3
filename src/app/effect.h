/* The measured effect of indexes that were made here: figures of pg_stat_statements before and
 * since. */
#ifndef PGMEDIC_APP_EFFECT_H
#define PGMEDIC_APP_EFFECT_H

#include <stdint.h>

#include "base/json.h"
#include "base/rowset.h"
#include "base/strbuf.h"
#include "pg/sync.h"

/* An index was made by act `id`: keep the figures of the statements it is to help, or, where those
 * are not known, of those that name its table. Adds a line to detail. */
void effect_begin(
    struct pg_sync *pg, int64_t id, const struct json *request, struct strbuf *detail);
/* The rows of PROBE_ADVICE_EFFECT for a target, measured now; NULL: there are none. */
struct rowset *effect_rows(struct pg_sync *pg, const char *target, const char *database);

#endif
