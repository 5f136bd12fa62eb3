#include "config.h"

#include "model/names.h"

#include <string.h>

static uint64_t
name_key(enum name_kind kind, int64_t oid)
{
	return (uint64_t)kind << 32 | (uint32_t)oid;
}

static void
names_clear(struct names *n)
{
	hmap_clear(&n->index);
	rowset_unref(n->rows);
	n->rows = NULL;
}

void
names_release(struct names *n)
{
	names_clear(n);
	hmap_release(&n->index);
}

void
names_use(struct names *n, const struct rowset *rows)
{
	int kind, oid;

	if (rows == n->rows)
		return;
	names_clear(n);
	if (!rows)
		return;
	n->rows = rowset_ref(rows);
	oid = rowset_col(rows, "oid");
	/* The column `kind` of lock_names is that of the relation. */
	kind = rowset_col(rows, "kind");
	for (int i = 0; oid >= 0 && i < rows->nrows; i++) {
		const struct cell *c = rowset_row(rows, i);
		enum name_kind k = kind >= 0 && cell_is(&c[kind], "database") ? NAME_DATABASE :
		    kind >= 0 && cell_is(&c[kind], "role")                    ? NAME_ROLE :
		                                                                NAME_RELATION;

		hmap_put(&n->index, name_key(k, cell_i64(&c[oid], 0)), (uint64_t)i);
	}
}

const struct cell *
names_get(const struct names *n, enum name_kind kind, int64_t oid)
{
	uint64_t row;

	if (!n->rows || !hmap_get(&n->index, name_key(kind, oid), &row))
		return NULL;
	return rowset_get(n->rows, (int)row, "name");
}
