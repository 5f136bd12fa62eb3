/* Details of tables and indexes. */
#include "config.h"

#include "panes/relation_detail.h"

static const struct {
	const char *column, *label;
	enum column_kind kind;
} looked[] = {
	{ "definition", "definition", COL_TEXT },
	{ "constraint_definition", "constraint", COL_TEXT },
	{ "total_bytes", "exact size", COL_BYTES },
	{ "table_bytes", "exact table", COL_BYTES },
	{ "index_bytes", "exact indexes", COL_BYTES },
	{ "toast_bytes", "exact TOAST", COL_BYTES },
	{ "fsm_vm_bytes", "exact maps", COL_BYTES },
	{ "options", "options", COL_TEXT },
	{ "comment", "comment", COL_TEXT },
};

int
relation_look(const struct pane_ctx *ctx, const struct grid *grid, int row, int col,
    struct arena *arena, const char **params)
{
	const struct cell *oid = &grid->rows[row].cells[col];

	if (ctx->look || oid->type != CELL_INT)
		return -1;
	params[0] = arena_printf(arena, "%lld", (long long)oid->i);
	return 1;
}

void
relation_looked(const struct rowset *look, struct doc *doc)
{
	struct strbuf text = STRBUF_INIT(1 << 16);

	for (size_t i = 0; look && look->nrows > 0 && i < ARRAY_LEN(looked); i++) {
		const struct cell *c = rowset_get(look, 0, looked[i].column);

		if (cell_is_null(c))
			continue;
		strbuf_clear(&text);
		grid_cell_text(&text, looked[i].kind, c);
		if (looked[i].kind == COL_BYTES)
			strbuf_addf(&text, " (%lld bytes)", (long long)c->i);
		doc_pair(doc, looked[i].label, ROLE_STRONG, "%s", text.buf);
	}
	if (look && look->nrows > 0)
		doc_add(doc, ROLE_NORMAL, "%s", "");
	strbuf_release(&text);
}

void
relation_columns(const struct grid *grid, int row, struct doc *doc)
{
	struct strbuf text = STRBUF_INIT(1 << 16);

	for (int i = 0; i < grid->ncols; i++) {
		const struct cell *c = &grid->rows[row].cells[i];

		strbuf_clear(&text);
		grid_cell_text(&text, grid->cols[i].kind, c);
		doc_pair(doc, grid->cols[i].name, (enum role)c->role, "%s", text.buf);
	}
	strbuf_release(&text);
}
