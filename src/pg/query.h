/*
 * What one server's catalog has, and the query texts that follow from it.
 *
 * A text holds "if COND", new text, "else old", with each of the two quoted words in a comment of
 * its own: where COND does not hold the text up to the else is replaced by `old`. COND is
 * `relation.column`, `function().outarg`, `function()`, or one of these after a '!'. @pgss@ stands
 * for the quoted schema of pg_stat_statements. A catalog belongs to one thread.
 */
#ifndef PGMEDIC_PG_QUERY_H
#define PGMEDIC_PG_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"
#include "pg/pg.h"

struct pg_catalog;

/* Number of queries, and the index of one in pg_queries. */
int pg_query_count(void);
int pg_query_index(const struct pg_query *q);

/* All conditions of all texts, sorted, without '!'. Any thread. */
const char *const *pg_conditions(int *n);
/* The same as a text[] literal: parameter $1 of the query "features". Any thread. */
const char *pg_conditions_array(void);

/*
 * ords         one-based places in pg_conditions() of those that hold, as "features" answers
 * pgss_schema  schema of pg_stat_statements, or NULL
 */
struct pg_catalog *pg_catalog_new(const int64_t *ords, size_t n, const char *pgss_schema);
void pg_catalog_free(struct pg_catalog *cat);
/* Do both have the same? */
bool pg_catalog_equal(const struct pg_catalog *a, const struct pg_catalog *b);
/* NULL catalog: nothing holds. A condition that no text uses does not hold. */
bool pg_catalog_has(const struct pg_catalog *cat, const char *cond);
/* Do all of q's requirements hold? Else ERR_UNSUPPORTED with what q says to that. */
bool pg_catalog_supports(
    const struct pg_catalog *cat, const struct pg_query *q, struct error *err) MUST_CHECK;
/* The text of q for this catalog; made once, owned by the catalog. A NULL catalog needs a text
 * without conditions. */
const char *pg_catalog_text(struct pg_catalog *cat, const struct pg_query *q);

#endif
