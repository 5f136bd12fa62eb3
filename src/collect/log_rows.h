/* Entries of a server log as rows of PROBE_LOGS: secrets taken out, texts bounded. */
#ifndef PGMEDIC_COLLECT_LOG_ROWS_H
#define PGMEDIC_COLLECT_LOG_ROWS_H

#include "base/rowset.h"
#include "base/strbuf.h"
#include "model/logparse.h"

struct log_rows {
	struct rowset *rows;
	struct strbuf clean; /* scratch */
	const char *file;    /* that the entries are of */
	int64_t last_us;     /* time of the last entry that had one */
};

void log_rows_begin(struct log_rows *r, const char *file);
/* The rows so far; the next ones are of a new set. */
struct rowset *log_rows_take(struct log_rows *r);
void log_rows_release(struct log_rows *r);
/* log_take of a struct log_rows. */
void log_rows_add(void *arg, const struct log_entry *e);
/* A row that says that a part of the log was left out before this offset. */
void log_rows_gap(struct log_rows *r, int64_t offset, const char *why);

#endif
