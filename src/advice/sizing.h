/* The size model over what the catalog queries advice_tables, advice_columns and advice_extended
 * have brought. */
#ifndef PGMEDIC_ADVICE_SIZING_H
#define PGMEDIC_ADVICE_SIZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "advice/size.h"
#include "base/rowset.h"

struct sizing;

/* The rowsets are read once, not kept; extended may be NULL. */
struct sizing *sizing_new(
    const struct rowset *tables, const struct rowset *columns, const struct rowset *extended);
void sizing_free(struct sizing *s); /* NULL is fine */

struct sizing_index {
	uint32_t relid;
	const int64_t *attnums; /* keys, then ninclude columns that only cover */
	size_t nattnums;
	int ninclude;
	bool is_unique;
	bool no_dedup;  /* an operator class whose equal values may differ in their bytes */
	int fillfactor; /* 0: 90 */
	double rows;    /* < 0: those of the table */
};

/* False: an expression, a column without statistics, or a table whose rows nobody has counted. */
bool sizing_estimate(
    const struct sizing *s, const struct sizing_index *ix, struct size_estimate *out);

#endif
