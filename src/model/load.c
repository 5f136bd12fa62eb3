/* Active sessions of one activity sample as load entries. */
#include "config.h"

#include "model/load.h"

#include <stdio.h>
#include <string.h>

struct columns {
	int pid, datid, usesysid, application, client, state, wait_type, wait_event, backend_type,
	    query_id;
};

static struct columns
find_columns(const struct rowset *rs)
{
	static const char *const names[] = {
		"pid",
		"datid",
		"usesysid",
		"application",
		"client",
		"state",
		"wait_type",
		"wait_event",
		"backend_type",
		"query_id",
	};
	int at[ARRAY_LEN(names)];
	rowset_cols(rs, names, (int)ARRAY_LEN(names), at);
	return (
	    struct columns){ at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8], at[9] };
}

enum wait_class
wait_class_of(const struct cell *wait_type)
{
	if (cell_is_null(wait_type))
		return WAIT_CPU;
	for (int i = WAIT_IO; i < WAIT_CLASS_COUNT; i++)
		if (cell_is(wait_type, wait_class_infos[i].name))
			return (enum wait_class)i;
	return WAIT_EXTENSION; /* InjectionPoint, and what later servers may add */
}

/* Is this process at work? */
static bool
is_load(const struct cell *state, const struct cell *type, const struct cell *wait_type,
    enum wait_class class)
{
	if (class == WAIT_ACTIVITY)
		return false;
	if (cell_is(state, "active") || cell_is(state, "fastpath function call"))
		return !(cell_is(type, "walsender") && class == WAIT_CLIENT);
	if (!cell_is_null(state) || cell_is(type, "client backend") || cell_is_null(type))
		return false;
	/* Without a state: known to be busy only by what it waits for. Pauses are no load. */
	return !cell_is_null(wait_type) && class != WAIT_CLIENT && class != WAIT_TIMEOUT &&
	    class != WAIT_EXTENSION;
}

static uint32_t
intern_cell(struct series *series, const struct cell *c)
{
	return c->type == CELL_TEXT ? series_intern(series, c->s, c->len) : 0;
}

static uint32_t
intern_name(struct series *series, const struct hmap *names, const struct cell *oid, bool is_role)
{
	uint64_t id;
	char buf[24];
	if (cell_is_null(oid) || oid->i == 0)
		return 0;
	if (hmap_get(names, is_role ? load_key_role(oid->i) : load_key_database(oid->i), &id))
		return (uint32_t)id;
	int n = snprintf(buf, sizeof(buf), "%lld", (long long)oid->i);
	return series_intern(series, buf, (size_t)n);
}

static bool
is_alike(const struct load *a, const struct load *b)
{
	return a->wait_class == b->wait_class && a->event == b->event && a->user == b->user &&
	    a->application == b->application && a->client == b->client &&
	    a->database == b->database && a->query_id == b->query_id;
}

static struct load
load_of(struct series *series, const struct rowset *rs, const struct columns *c, int row,
    const struct hmap *names, enum wait_class class)
{
	const struct cell *application = rowset_cell(rs, row, c->application);
	if (application->type != CELL_TEXT || application->len == 0)
		application = rowset_cell(rs, row, c->backend_type);
	if (cell_is(application, "client backend"))
		application = rowset_cell(rs, row, -1);
	return (struct load){
		.count = 1,
		.wait_class = (uint8_t) class,
		.event = class == WAIT_CPU ?
		    series_intern(series, "CPU", 3) :
		    intern_cell(series, rowset_cell(rs, row, c->wait_event)),
		.user = intern_name(series, names, rowset_cell(rs, row, c->usesysid), true),
		.application = intern_cell(series, application),
		.client = intern_cell(series, rowset_cell(rs, row, c->client)),
		.database = intern_name(series, names, rowset_cell(rs, row, c->datid), false),
		.query_id = cell_i64(rowset_cell(rs, row, c->query_id), 0),
	};
}

int
load_sample(struct series *series, const struct rowset *rs, const struct hmap *names,
    const int *own, int nown, struct load *loads)
{
	struct columns c = find_columns(rs);
	int n = 0;
	for (int row = 0; row < rs->nrows && n < LOAD_MAX; row++) {
		const struct cell *wait_type = rowset_cell(rs, row, c.wait_type);
		enum wait_class class = wait_class_of(wait_type);
		if (!is_load(rowset_cell(rs, row, c.state), rowset_cell(rs, row, c.backend_type),
		        wait_type, class))
			continue;
		int64_t pid = cell_i64(rowset_cell(rs, row, c.pid), 0);
		bool is_own = false;
		for (int i = 0; i < nown; i++)
			is_own |= pid == own[i];
		if (is_own)
			continue;
		struct load load = load_of(series, rs, &c, row, names, class);
		/* Sessions that wait in line for the same thing are neighbours more often than not.
		 */
		int k = n - 1;
		for (int looked = 0; k >= 0 && looked < 64 && !is_alike(&loads[k], &load); looked++)
			k--;
		if (k >= 0 && k >= n - 64 && is_alike(&loads[k], &load) &&
		    loads[k].count < UINT16_MAX)
			loads[k].count++;
		else
			loads[n++] = load;
	}
	return n;
}
