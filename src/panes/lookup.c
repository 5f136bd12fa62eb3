/* Small look-ups that several panes share. */
#include "config.h"

#include "panes/lookup.h"

#include <stdlib.h>
#include <string.h>

struct session_ref
lookup_session(const struct snapshot *snap, int64_t pid)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_ACTIVITY);
	struct session_ref ref = { 0 };
	int col = rs ? rowset_col(rs, "pid") : -1;

	for (int i = 0; col >= 0 && i < rs->nrows; i++) {
		if (cell_i64(rowset_cell(rs, i, col), 0) != pid)
			continue;
		ref.application = rowset_get(rs, i, "application");
		ref.client = rowset_get(rs, i, "client");
		ref.state = rowset_get(rs, i, "state");
		ref.xact_start = rowset_get(rs, i, "xact_start");
		break;
	}
	return ref;
}

struct hidden_sessions
lookup_hidden(const struct snapshot *snap)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_ACTIVITY);
	struct hidden_sessions n = { 0 };

	for (int i = 0; rs && i < rs->nrows; i++) {
		if (!cell_is_null(rowset_get(rs, i, "state")) ||
		    !cell_is(rowset_get(rs, i, "query"), "<insufficient privilege>"))
			continue;
		n.all++;
		/* Background processes have no role or no database. */
		n.clients += !cell_is_null(rowset_get(rs, i, "usesysid")) &&
		    !cell_is_null(rowset_get(rs, i, "datid"));
	}
	return n;
}

const struct cell *
lookup_setting(const struct rowset *settings, const char *name)
{
	int key = settings ? rowset_col(settings, "name") : -1;

	for (int i = 0; key >= 0 && i < settings->nrows; i++)
		if (cell_is(rowset_cell(settings, i, key), name))
			return rowset_get(settings, i, "setting");
	return NULL;
}

const struct cell *
lookup_name(const struct snapshot *snap, const char *kind, int64_t oid)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_NAMES);
	int col = rs ? rowset_col(rs, "oid") : -1;

	for (int i = 0; col >= 0 && i < rs->nrows; i++)
		if (cell_i64(rowset_cell(rs, i, col), -1) == oid &&
		    cell_is(rowset_get(rs, i, "kind"), kind))
			return rowset_get(rs, i, "name");
	return NULL;
}

double
lookup_num(const struct cell *c, double none)
{
	char text[32];
	char *end;
	double v;

	if (c->type != CELL_TEXT)
		return cell_num(c, none);
	if (c->len == 0 || c->len >= sizeof(text))
		return none;
	memcpy(text, c->s, c->len);
	text[c->len] = '\0';
	v = strtod(text, &end);
	return *end == '\0' ? v : none;
}
