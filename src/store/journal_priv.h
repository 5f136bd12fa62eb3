/* Inside of the journal: shared by journal.c and effects.c, nobody else. */
#ifndef PGMEDIC_STORE_JOURNAL_PRIV_H
#define PGMEDIC_STORE_JOURNAL_PRIV_H

#include <sqlite3.h>

#include "store/journal.h"

struct journal {
	sqlite3 *db;
	int depth; /* of transactions */
};

struct chain_event;
/*
 * All or nothing, chained lines included as far as they can be: begin, do, end(ok). They nest; the
 * outermost counts. Returns false when it was not kept.
 */
bool journal_atomic(struct journal *j, struct error *err) MUST_CHECK;
bool journal_atomic_end(struct journal *j, bool ok, struct error *err) MUST_CHECK;
/* A chained line, and the memory of it in journal.db. */
bool journal_chain(struct journal *j, const struct chain_event *e, struct error *err) MUST_CHECK;

/* "the journal cannot be WHAT: …". */
bool journal_fail(struct journal *j, struct error *err, const char *what);

#endif
