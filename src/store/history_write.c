/* Writing the history: a row of a target and minute in one short transaction, merged with what
 * others wrote of it. */
#include "config.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Elsewhere a lock belongs to the process, which has one handle. */
#ifndef F_OFD_SETLK
#define F_OFD_SETLK F_SETLK
#endif

#include "store/history_priv.h"

/* ------------------------------------------------------------------ figures as bytes */

static void
put_le(unsigned char *p, uint32_t v, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint32_t
get_le(const unsigned char *p, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

static void
put_float(unsigned char *p, float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	put_le(p, bits, 4);
}

static float
get_float(const unsigned char *p)
{
	uint32_t bits = get_le(p, 4);
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

void
figures_add(struct figures *f, struct figure figure)
{
	for (int i = 0; i < f->n; i++) {
		struct figure *to = &f->items[i];
		double n;

		if (to->id != figure.id)
			continue;
		n = (double)to->n + figure.n;
		to->avg = (float)(((double)to->avg * to->n + (double)figure.avg * figure.n) / n);
		to->min = fminf(to->min, figure.min);
		to->max = fmaxf(to->max, figure.max);
		to->n = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
		return;
	}
	if (f->n < FIGURES_MAX)
		f->items[f->n++] = figure;
}

void
figures_remove(struct figures *f, int id)
{
	for (int i = 0; i < f->n; i++)
		if (f->items[i].id == id)
			f->items[i--] = f->items[--f->n];
}

void
figures_decode(struct figures *f, const void *bytes, int size)
{
	const unsigned char *p = bytes;

	for (; size >= FIGURE_BYTES; size -= FIGURE_BYTES, p += FIGURE_BYTES) {
		struct figure figure = { .id = (int)get_le(p, 2),
			.n = get_le(p + 2, 4),
			.min = get_float(p + 6),
			.avg = get_float(p + 10),
			.max = get_float(p + 14) };

		if (figure.n > 0 && isfinite(figure.min) && isfinite(figure.avg) &&
		    isfinite(figure.max))
			figures_add(f, figure);
	}
}

int
figures_encode(const struct figures *f, unsigned char *buf)
{
	unsigned char *p = buf;

	for (int i = 0; i < f->n; i++, p += FIGURE_BYTES) {
		put_le(p, (uint32_t)f->items[i].id, 2);
		put_le(p + 2, f->items[i].n, 4);
		put_float(p + 6, f->items[i].min);
		put_float(p + 10, f->items[i].avg);
		put_float(p + 14, f->items[i].max);
	}
	return f->n * FIGURE_BYTES;
}

bool
figures_get(
    struct history *h, int64_t target, int step, int64_t t, struct figures *f, struct error *err)
{
	sqlite3_stmt *st = history_sql(h, SQL_FIGURES_GET, err);
	int rc;

	f->n = 0;
	f->wal_lsn = 0;
	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int(st, 2, step);
	sqlite3_bind_int64(st, 3, t);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		f->wal_lsn = sqlite3_column_int64(st, 0);
		figures_decode(f, sqlite3_column_blob(st, 1), sqlite3_column_bytes(st, 1));
	} else if (rc != SQLITE_DONE) {
		history_fail(h, err, "read");
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

bool
figures_put(struct history *h, int64_t target, int step, int64_t t, const struct figures *f,
    struct error *err)
{
	unsigned char buf[FIGURES_MAX * FIGURE_BYTES];
	sqlite3_stmt *st = history_sql(h, SQL_FIGURES_PUT, err);

	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, target);
	sqlite3_bind_int(st, 2, step);
	sqlite3_bind_int64(st, 3, t);
	if (f->wal_lsn)
		sqlite3_bind_int64(st, 4, f->wal_lsn);
	sqlite3_bind_blob(st, 5, buf, figures_encode(f, buf), SQLITE_TRANSIENT);
	return history_run(h, st, err);
}

/* ------------------------------------------------------------------ a row */

static bool
add_values(struct history *h, int64_t target, const struct history_row *row, struct error *err)
{
	int64_t t = bucket_of(row->at.us / 1000000, MINUTE);
	struct figures f;

	if (row->nvalues == 0 && !row->wal_lsn)
		return true;
	if (!figures_get(h, target, MINUTE, t, &f, err))
		return false;
	for (int i = 0; i < row->nvalues; i++) {
		const struct history_value *v = &row->values[i];
		int id;

		if (v->n <= 0 || !isfinite(v->min) || !isfinite(v->avg) || !isfinite(v->max))
			continue;
		id = history_metric_id(h, v->metric, true, err);
		if (!id)
			return false;
		figures_add(&f,
		    (struct figure){
		        id, (uint32_t)v->n, (float)v->min, (float)v->avg, (float)v->max });
	}
	if (row->wal_lsn)
		f.wal_lsn = row->wal_lsn;
	return figures_put(h, target, MINUTE, t, &f, err);
}

static bool
add_sizes(struct history *h, int64_t target, const struct history_row *row, struct error *err)
{
	for (int i = 0; i < row->nsizes; i++) {
		const struct history_size *s = &row->sizes[i];
		int64_t object;
		sqlite3_stmt *st;

		if (!(s->bytes >= 0) || s->bytes > 0x1p62)
			continue;
		object = history_object_id(h, s->object, err);
		st = object ? history_sql(h, SQL_SIZE_PUT, err) : NULL;
		if (!st)
			return false;
		sqlite3_bind_int64(st, 1, target);
		sqlite3_bind_int64(st, 2, object);
		sqlite3_bind_int64(st, 3, row->at.us / 1000000);
		sqlite3_bind_int64(st, 4, (int64_t)s->bytes);
		if (!history_run(h, st, err))
			return false;
	}
	return true;
}

/* Is this the program whose statements of the target are kept? A byte of the lock file for each. */
static bool
is_leader(struct history *h, int64_t target)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = target, .l_len = 1
	};
	char path[4200];

	if (h->lead_fd < 0) {
		snprintf(path, sizeof(path), "%s.lock", h->path);
		h->lead_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
	/* The lock belongs to this handle and goes with it, however the program ends. */
	return h->lead_fd >= 0 && fcntl(h->lead_fd, F_OFD_SETLK, &lock) == 0;
}

static bool
add_statements(struct history *h, int64_t target, const struct history_row *row, struct error *err)
{
	if (row->nstatements > 0 && !is_leader(h, target))
		return true;
	for (int i = 0; i < row->nstatements; i++) {
		const struct history_statement *s = &row->statements[i];
		sqlite3_stmt *st = history_sql(h, SQL_STATEMENT_ADD, err);

		if (!st)
			return false;
		sqlite3_bind_int64(st, 1, target);
		sqlite3_bind_int(st, 2, HOUR);
		sqlite3_bind_int64(st, 3, bucket_of(row->at.us / 1000000, HOUR));
		sqlite3_bind_int64(st, 4, s->queryid);
		sqlite3_bind_int64(st, 5, s->dbid);
		sqlite3_bind_int64(st, 6, s->userid);
		sqlite3_bind_double(st, 7, s->calls);
		sqlite3_bind_double(st, 8, s->total_ms);
		sqlite3_bind_double(st, 9, s->hit);
		sqlite3_bind_double(st, 10, s->read);
		if (!history_run(h, st, err))
			return false;
	}
	return true;
}

bool
history_add(struct history *h, const struct history_row *row, struct error *err)
{
	int64_t target;
	bool ok;

	if (!history_begin(h, err))
		return false;
	target = history_target_id(
	    h, row->target, row->system_identifier, row->at.us / 1000000, true, err);
	ok = target && add_values(h, target, row, err) && add_sizes(h, target, row, err) &&
	    add_statements(h, target, row, err);
	return history_end(h, ok, err);
}

/* ------------------------------------------------------------------ whole targets */

static bool
delete_target(struct history *h, int64_t id, struct error *err)
{
	static const char *const texts[] = {
		"DELETE FROM figures WHERE target = ?1",
		"DELETE FROM size WHERE target = ?1",
		"DELETE FROM statement WHERE target = ?1",
		"DELETE FROM target WHERE id = ?1",
	};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(texts) && ok; i++) {
		sqlite3_stmt *st = history_prepare(h, texts[i], err);

		ok = st != NULL;
		if (ok) {
			sqlite3_bind_int64(st, 1, id);
			ok = history_run(h, st, err);
		}
		sqlite3_finalize(st);
	}
	return ok;
}

bool
history_forget(struct history *h, const char *target, struct error *err)
{
	int64_t id = 0;
	int n = 0;
	bool ok;

	if (!history_begin(h, err))
		return false;
	while ((id = history_target_now(h, target, err)) > 0 && delete_target(h, id, err))
		n++;
	ok = id == 0 &&
	    (n > 0 || error_set(err, ERR_NOT_FOUND, "there is no history of \"%s\"", target));
	return history_end(h, ok, err);
}

/* Where both have something of a moment, the present server's stays. */
static bool
adopt(struct history *h, int64_t from, int64_t to, struct error *err)
{
	static const char *const texts[] = {
		"UPDATE OR IGNORE figures SET target = ?2 WHERE target = ?1",
		"UPDATE OR IGNORE size SET target = ?2 WHERE target = ?1",
		"UPDATE OR IGNORE statement SET target = ?2 WHERE target = ?1",
	};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(texts) && ok; i++) {
		sqlite3_stmt *st = history_prepare(h, texts[i], err);

		ok = st != NULL;
		if (ok) {
			sqlite3_bind_int64(st, 1, from);
			sqlite3_bind_int64(st, 2, to);
			ok = history_run(h, st, err);
		}
		sqlite3_finalize(st);
	}
	return ok && delete_target(h, from, err);
}

bool
history_continue(struct history *h, const char *target, struct error *err)
{
	int64_t ids[64];
	int n = 0, rc = SQLITE_DONE;
	sqlite3_stmt *st;
	bool ok;

	if (!history_begin(h, err))
		return false;
	st = history_sql(h, SQL_TARGET_FIND, err);
	if (st) {
		sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
		while (n < (int)ARRAY_LEN(ids) && (rc = sqlite3_step(st)) == SQLITE_ROW)
			ids[n++] = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	ok = st && (rc == SQLITE_DONE || rc == SQLITE_ROW || history_fail(h, err, "read"));
	if (ok && n < 2)
		ok = error_set(err, ERR_NOT_FOUND,
		    n ? "\"%s\" has been the same server all along" :
		        "there is no history of \"%s\"",
		    target);
	for (int i = 1; i < n && ok; i++)
		ok = adopt(h, ids[i], ids[0], err);
	return history_end(h, ok, err);
}
