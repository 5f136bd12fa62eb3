/* Answers of libpq as rowsets. Only for files of this folder. */
#ifndef PGMEDIC_PG_DECODE_H
#define PGMEDIC_PG_DECODE_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/rowset.h"
#include "pg/pg.h"

/*
 * Rows of a named query, fetched in binary, checked against its declared columns: number, names,
 * types. A new rowset with one reference; NULL and ERR_PROTOCOL when they do not fit or a value is
 * damaged.
 */
struct rowset *decode_rows(
    const PGresult *result, const struct pg_query *q, struct error *err) MUST_CHECK;
/*
 * Rows of any answer in text format (PgBouncer's console): columns as the server names them; those
 * that look like integers in every row are CELL_INT, the others CELL_TEXT.
 */
struct rowset *decode_text(const PGresult *result, struct error *err) MUST_CHECK;

#endif
