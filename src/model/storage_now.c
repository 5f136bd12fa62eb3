/* What fills the disk at this moment, put together from the slow probes. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/storage.h"

const struct storage_kind_info storage_kind_infos[STORAGE_KIND_COUNT] = {
#define X(sym, name, text) { name, text },
	STORAGE_KINDS(X)
#undef X
};

const char *const storage_known_names[] = { "", "measured", "history", "rebuilt", "counted" };

struct reading {
	const struct snapshot *snap;
	struct arena *arena;
	struct storage *out;
};

static struct storage_item *
add(struct reading *r, enum storage_kind kind, const char *name, const char *object, double bytes)
{
	struct storage *s = r->out;
	struct storage_item *item;

	if (s->n == s->cap) {
		struct storage_item *grown;

		s->cap = s->cap ? 2 * s->cap : 64;
		grown = arena_alloc(r->arena, (size_t)s->cap * sizeof(*grown));
		if (s->n)
			memcpy(grown, s->items, (size_t)s->n * sizeof(*grown));
		s->items = grown;
	}
	item = &s->items[s->n++];
	*item = (struct storage_item){ .kind = kind,
		.name = name ? name : storage_kind_infos[kind].name,
		.object = object,
		.bytes = bytes,
		.row = -1,
		.rate = NAN,
		.in_30 = NAN,
		.in_90 = NAN };
	return item;
}

static enum sample_state
state_of(const struct snapshot *snap, enum probe_id probe)
{
	return snap->cur[probe] ? snap->cur[probe]->state : SAMPLE_NONE;
}

static const char *
text_of(struct arena *arena, const struct cell *c)
{
	return c->type == CELL_TEXT ? arena_strndup(arena, c->s, c->len) : "";
}

static double
number(const struct rowset *rs, int row, const char *column)
{
	return cell_num(rowset_get(rs, row, column), NAN);
}

/* ------------------------------------------------------------------ databases */

static void
add_parts(struct reading *r, const struct rowset *kinds, const char *db, double size)
{
	static const struct {
		enum storage_kind kind;
		const char *column;
		bool is_kept;
	} parts[] = {
		{ STORAGE_TABLES, "table_bytes", true },
		{ STORAGE_INDEXES, "index_bytes", true },
		{ STORAGE_TOAST, "toast_bytes", true },
		{ STORAGE_SYSTEM, "system_bytes", false },
	};
	double counted = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		double bytes = number(kinds, 0, parts[i].column);
		const char *object = parts[i].is_kept ?
		    arena_printf(r->arena, "%s:%s", storage_kind_infos[parts[i].kind].name, db) :
		    NULL;

		add(r, parts[i].kind, NULL, object, bytes)->depth = 1;
		counted += bytes;
	}
	if (!isnan(size))
		add(r, STORAGE_UNCOUNTED, NULL, NULL, fmax(0, size - counted))->depth = 1;
}

/* The connected database, then the others by size. The provider's own is left out: nobody may look
 * into it. */
static int
order_databases(const struct rowset *sizes, const char *own, int *order)
{
	int n = 0;

	for (int i = 0; i < sizes->nrows; i++) {
		const struct cell *name = rowset_get(sizes, i, "datname");
		double bytes = number(sizes, i, "size_bytes");
		int at = n;

		if (cell_is(name, "rdsadmin"))
			continue;
		for (; at > 0 && !cell_is(rowset_get(sizes, order[at - 1], "datname"), own) &&
		     (cell_is(name, own) || !(number(sizes, order[at - 1], "size_bytes") >= bytes));
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
		n++;
	}
	return n;
}

/* Databases, the connected one with its parts. Returns the sum, NAN when one is hidden. */
static double
read_databases(struct reading *r)
{
	const struct rowset *sizes = snapshot_rows(r->snap, PROBE_SIZES);
	const struct rowset *kinds = snapshot_rows(r->snap, PROBE_STORAGE_KINDS);
	const char *own = kinds && kinds->nrows ?
	    text_of(r->arena, rowset_get(kinds, 0, "datname")) :
	    arena_strdup(r->arena, r->snap->server.database);
	double sum = 0;

	if (!sizes) {
		add(r, STORAGE_DATABASE, own, NULL, NAN)->state = state_of(r->snap, PROBE_SIZES);
		if (kinds && kinds->nrows)
			add_parts(r, kinds, own, NAN);
		return NAN;
	}
	int *order = arena_alloc(r->arena, (size_t)(sizes->nrows + 1) * sizeof(*order));
	int n = order_databases(sizes, own, order);
	for (int i = 0; i < n; i++) {
		const char *name = text_of(r->arena, rowset_get(sizes, order[i], "datname"));
		double bytes = number(sizes, order[i], "size_bytes");
		struct storage_item *item = add(
		    r, STORAGE_DATABASE, name, arena_printf(r->arena, "database:%s", name), bytes);

		if (isnan(bytes))
			item->state = SAMPLE_DENIED;
		sum += bytes;
		if (i == 0 && strcmp(name, own) == 0 && kinds && kinds->nrows)
			add_parts(r, kinds, own, bytes);
	}
	return sum;
}

/* ------------------------------------------------------------------ files */

/* Bytes that one of the directory probes tells; adds 0 where the server has none of that kind. */
static double
read_files(struct reading *r, enum storage_kind kind, enum probe_id probe, const char *object)
{
	const struct rowset *rs = snapshot_rows(r->snap, probe);
	double bytes = rs && rs->nrows ? number(rs, 0, "bytes") : NAN;
	struct storage_item *item = add(r, kind, NULL, object, bytes);

	item->state = state_of(r->snap, probe);
	/* Denied or too old is unknown; a server that keeps no such files is not. */
	return rs && rs->nrows && isnan(bytes) ? 0 : bytes;
}

static void
read_slots(struct reading *r)
{
	const struct rowset *rs = snapshot_rows(r->snap, PROBE_SLOTS);

	for (int i = 0; rs && i < rs->nrows; i++) {
		double kept = number(rs, i, "current_lsn") - number(rs, i, "restart_lsn");
		struct storage_item *item =
		    add(r, STORAGE_SLOT, text_of(r->arena, rowset_get(rs, i, "slot_name")), NULL,
		        isnan(kept) ? NAN : fmax(0, kept));

		item->depth = 1;
		item->row = i;
	}
}

/* Partitioned tables weigh what their partitions do. */
static void
read_parents(struct reading *r)
{
	const struct rowset *rs = snapshot_rows(r->snap, PROBE_STORAGE_PARTITIONS);

	for (int i = 0; rs && i < rs->nrows;) {
		int64_t parent = cell_i64(rowset_get(rs, i, "parent"), 0);
		const char *name =
		    arena_printf(r->arena, "%s.%s", text_of(r->arena, rowset_get(rs, i, "schema")),
		        text_of(r->arena, rowset_get(rs, i, "table")));
		double bytes = 0;

		for (; i < rs->nrows && cell_i64(rowset_get(rs, i, "parent"), 0) == parent; i++)
			bytes += number(rs, i, "size_bytes");
		add(r, STORAGE_TABLE, name,
		    arena_printf(r->arena, "table:%s.%s", r->snap->server.database, name), bytes);
	}
}

static int
by_size(const void *a, const void *b)
{
	double x = ((const struct storage_item *)a)->bytes,
	       y = ((const struct storage_item *)b)->bytes;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void
read_tables(struct reading *r)
{
	const struct rowset *rs = snapshot_rows(r->snap, PROBE_STORAGE_TABLES);
	const char *db = r->snap->server.database;
	int first = r->out->n;

	read_parents(r);

	for (int i = 0; rs && i < rs->nrows; i++) {
		const char *name =
		    arena_printf(r->arena, "%s.%s", text_of(r->arena, rowset_get(rs, i, "schema")),
		        text_of(r->arena, rowset_get(rs, i, "table")));

		add(r, STORAGE_TABLE, name, arena_printf(r->arena, "table:%s.%s", db, name),
		    number(rs, i, "size_bytes"))
		    ->row = i;
	}
	qsort(r->out->items + first, (size_t)(r->out->n - first), sizeof(*r->out->items), by_size);
}

/* ------------------------------------------------------------------ room */

static void
read_room(const struct snapshot *snap, double used, struct storage_room *room)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_CAPACITY);
	double statvfs_capacity = NAN, statvfs_free = NAN;

	*room = (struct storage_room){ .capacity = NAN, .free = NAN, .wal_free = NAN, .max = NAN };
	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *what = rowset_get(rs, i, "what");

		if (cell_is(what, "configured")) {
			room->capacity = number(rs, i, "total_bytes");
			room->max = number(rs, i, "max_bytes");
			room->is_autoscaling = cell_i64(rowset_get(rs, i, "autoscaling"), 0) != 0;
			room->is_configured = !isnan(room->capacity);
		} else if (cell_is(what, "data directory")) {
			statvfs_capacity = number(rs, i, "total_bytes");
			statvfs_free = number(rs, i, "free_bytes");
		} else if (cell_is(what, "pg_wal")) {
			room->wal_free = number(rs, i, "free_bytes");
		}
	}
	if (!room->is_configured) {
		room->capacity = statvfs_capacity;
		room->free = statvfs_free;
	} else if (!isnan(used)) {
		/* What is configured may be less than the disk, a quota; never more than is free.
		 */
		room->free = fmin(
		    fmax(0, room->capacity - used), isnan(statvfs_free) ? INFINITY : statvfs_free);
	}
	if (isnan(room->wal_free))
		room->wal_free = room->free;
}

static struct wall
newest(const struct snapshot *snap)
{
	struct wall at = { 0 };

	if (snap->good[PROBE_SIZES])
		at = snap->good[PROBE_SIZES]->server_at;
	else if (snap->good[PROBE_STORAGE_KINDS])
		at = snap->good[PROBE_STORAGE_KINDS]->server_at;
	return at;
}

void
storage_read(const struct snapshot *snap, struct arena *arena, struct storage *out)
{
	static const enum probe_id summed[] = { PROBE_SIZES, PROBE_STORAGE_WAL, PROBE_STORAGE_TEMP,
		PROBE_STORAGE_LOG };
	struct reading r = { snap, arena, out };
	double sum, files = 0;

	*out = (struct storage){ .at = newest(snap) };
	add(&r, STORAGE_TOTAL, NULL, "total", NAN);
	sum = read_databases(&r);
	files += read_files(&r, STORAGE_WAL, PROBE_STORAGE_WAL, "wal");
	read_slots(&r);
	files += read_files(&r, STORAGE_TEMP, PROBE_STORAGE_TEMP, "temp");
	files += read_files(&r, STORAGE_LOG, PROBE_STORAGE_LOG, "log");
	out->is_complete = !isnan(sum + files);
	for (size_t i = 0; i < ARRAY_LEN(summed); i++)
		out->is_waiting = out->is_waiting || state_of(snap, summed[i]) == SAMPLE_NONE;
	/* Without the privilege for the files the databases alone are still worth a forecast; what
	 * has not been asked yet would look like a fall. */
	out->items[0].bytes = out->is_waiting ? NAN : isnan(files) ? sum : sum + files;
	out->items[0].state = state_of(snap, PROBE_SIZES);
	read_room(snap, out->items[0].bytes, &out->room);
	add(&r, STORAGE_FREE, NULL, NULL, out->room.free)->state = state_of(snap, PROBE_CAPACITY);
	read_tables(&r);
}

struct storage_item *
storage_item(const struct storage *s, enum storage_kind kind, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (s->items[i].kind == kind && (!name || strcmp(s->items[i].name, name) == 0))
			return &s->items[i];
	return NULL;
}

int
storage_objects(const struct snapshot *snap, struct arena *arena, struct storage_object **out)
{
	struct storage s;
	double slots = NAN;
	int n = 0;

	storage_read(snap, arena, &s);
	*out = arena_alloc(arena, (size_t)(s.n + 3) * sizeof(**out));
	for (int i = 0; i < s.n; i++) {
		if (s.items[i].kind == STORAGE_SLOT && !isnan(s.items[i].bytes))
			slots = fmax(slots, s.items[i].bytes);
		if (s.items[i].object && !isnan(s.items[i].bytes))
			(*out)[n++] =
			    (struct storage_object){ s.items[i].object, s.items[i].bytes };
	}
	if (!isnan(slots))
		(*out)[n++] = (struct storage_object){ "slots", slots };
	if (!isnan(s.room.free))
		(*out)[n++] = (struct storage_object){ "free", s.room.free };
	if (!isnan(s.room.capacity))
		(*out)[n++] = (struct storage_object){ "capacity", s.room.capacity };
	return n;
}
