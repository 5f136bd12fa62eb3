/* Reading the journal for a command without the screen waiting for a disk. */
#ifndef PGMEDIC_APP_CMD_JOURNAL_H
#define PGMEDIC_APP_CMD_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "app/run.h"
#include "store/journal.h"

/* What read() writes to out is said; on a screen it runs in a thread, and is given up after half a
 * second. */
bool journal_show(struct run_ctx *ctx, int64_t id,
    bool (*read)(struct journal *j, int64_t id, struct strbuf *out, struct error *err),
    struct error *err) MUST_CHECK;

#endif
