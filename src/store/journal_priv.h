/* Inside of the journal: shared by journal.c and effects.c, nobody else. */
#ifndef PGMEDIC_STORE_JOURNAL_PRIV_H
#define PGMEDIC_STORE_JOURNAL_PRIV_H

#include <sqlite3.h>

#include "store/journal.h"

struct journal {
	sqlite3 *db;
};

/* "the journal cannot be WHAT: …". */
bool journal_fail(struct journal *j, struct error *err, const char *what);

#endif
