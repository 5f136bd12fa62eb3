/* Encoding of the events. Columns are written one after the other, which is what zstd likes best.
 */
#include "config.h"

#include "collect/recevent.h"

#include <stdlib.h>
#include <string.h>

#include "base/rowset.h"

/* Far above what a server sends, low enough that a hostile file cannot ask for much memory. */
enum { MAX_COLS = 512, MAX_TEXT = 64 << 20, MAX_CELLS = 1 << 24 };

/* ---- writing */

static void
put_u(struct strbuf *out, uint64_t v)
{
	char b[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		b[n++] = (char)(v | 0x80);
	b[n++] = (char)v;
	strbuf_add(out, b, n);
}

static void
put_i(struct strbuf *out, int64_t v)
{
	put_u(out, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void
put_f(struct strbuf *out, double v)
{
	char b[8];
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	for (int i = 0; i < 8; i++)
		b[i] = (char)(bits >> (8 * i));
	strbuf_add(out, b, sizeof(b));
}

static void
put_s(struct strbuf *out, const char *s, size_t len)
{
	put_u(out, len);
	strbuf_add(out, s, len);
}

static void
put_str(struct strbuf *out, const char *s)
{
	put_s(out, s, strlen(s));
}

static void
put_cell(struct strbuf *out, const struct cell *c, int64_t *above)
{
	/* type and why share a byte: 3 bits each */
	strbuf_addc(out, (char)(c->type | c->why << 4));
	switch ((enum cell_type)c->type) {
	case CELL_NULL:
		break;
	case CELL_BOOL:
	case CELL_INT:
	case CELL_TIME:
		put_i(out, (int64_t)((uint64_t)c->i - (uint64_t)*above));
		*above = c->i;
		break;
	case CELL_FLOAT:
		put_f(out, c->f);
		break;
	case CELL_TEXT:
		put_s(out, c->s, c->len);
		break;
	case CELL_INTS:
		put_u(out, c->len);
		for (uint32_t i = 0; i < c->len; i++)
			put_i(out, c->ints[i]);
		break;
	}
}

static void
put_sample(struct strbuf *out, const struct sample *s)
{
	const struct rowset *rs = s->rows;

	put_str(out, probe_infos[s->probe].name);
	put_u(out, s->state);
	put_i(out, s->server_at.us);
	put_i(out, s->elapsed_us);
	put_str(out, s->what);
	put_str(out, s->hint);
	put_u(out, (uint64_t)rs->ncols);
	put_u(out, (uint64_t)rs->nrows);
	for (int i = 0; i < rs->ncols; i++) {
		int64_t above = 0;
		put_str(out, rs->names[i]);
		put_u(out, rs->types[i]);
		for (int row = 0; row < rs->nrows; row++)
			put_cell(out, rowset_cell(rs, row, i), &above);
	}
}

/* One list of the server's fields serves writing and reading. A later version appends to it. */
/* clang-format off */
#define SERVER_INTS(X) \
	X(version_num) X(is_local) X(is_standby) X(is_pooled) X(is_superuser) \
	X(has_monitor) X(has_read_stats) X(has_signal) X(has_pgss) X(is_aurora) X(is_rds) \
	X(timeline) X(system_identifier) X(start_us) X(max_connections) \
	X(reserved_connections) X(block_size) X(cpus) X(wal_segment_size) X(own_pid) \
	X(action_pid)
/* clang-format on */
/* clang-format off */
#define SERVER_TEXTS(X) \
	X(version) X(host) X(port) X(database) X(user) X(data_directory)
/* clang-format on */

static void
put_server(struct strbuf *out, const struct server_info *s)
{
#define X(field) put_i(out, (int64_t)s->field);
	SERVER_INTS(X)
#undef X
#define X(field) put_str(out, s->field);
	SERVER_TEXTS(X)
#undef X
}

void
rec_put(struct strbuf *out, const struct rec_event *ev)
{
	struct strbuf body = STRBUF_INIT(out->max);

	put_u(&body, (uint64_t)ev->target);
	put_i(&body, ev->at.us);
	put_i(&body, ev->mono.us);
	switch (ev->kind) {
	case REC_TARGET:
		put_str(&body, ev->name);
		break;
	case REC_SERVER:
		put_server(&body, &ev->server);
		break;
	case REC_LINK:
		put_u(&body, ev->link);
		put_str(&body, ev->what);
		put_str(&body, ev->hint);
		break;
	case REC_SAMPLE:
		put_sample(&body, ev->sample);
		break;
	case REC_SEAL:
		put_f(&body, ev->cost.server_ms);
		put_f(&body, ev->cost.rtt_ms);
		put_f(&body, ev->cost.cpu_ms);
		put_i(&body, ev->cost.round_trips);
		put_i(&body, ev->cost.statements);
		put_i(&body, ev->cost.bytes);
		put_i(&body, ev->cost.interval_ms);
		put_i(&body, ev->cost.backoff);
		break;
	}
	strbuf_addc(out, (char)ev->kind);
	put_s(out, body.buf, body.len);
	strbuf_release(&body);
}

/* ---- reading: a reader that went past its end stays `bad` and yields zeros */

struct in {
	const unsigned char *p, *end;
	bool bad;
};

static uint64_t
get_u(struct in *in)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		unsigned char b;
		if (in->p == in->end)
			break;
		b = *in->p++;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	in->bad = true;
	return 0;
}

static int64_t
get_i(struct in *in)
{
	uint64_t v = get_u(in);
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static double
get_f(struct in *in)
{
	uint64_t bits = 0;
	double v;

	if (in->end - in->p < 8) {
		in->bad = true;
		return 0;
	}
	for (int i = 0; i < 8; i++)
		bits |= (uint64_t)*in->p++ << (8 * i);
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static const char *
get_s(struct in *in, size_t *len)
{
	uint64_t n = get_u(in);
	const char *s = (const char *)in->p;

	if (in->bad || n > MAX_TEXT || n > (uint64_t)(in->end - in->p)) {
		in->bad = true;
		*len = 0;
		return "";
	}
	in->p += n;
	*len = (size_t)n;
	return s;
}

static void
get_str(struct in *in, char *buf, size_t size)
{
	size_t len;
	const char *s = get_s(in, &len);

	if (len >= size)
		len = size - 1;
	memcpy(buf, s, len);
	buf[len] = '\0';
}

static struct cell
get_cell(struct in *in, struct arena *arena, int64_t *above)
{
	unsigned char tag;
	struct cell c = { 0 };
	size_t len;
	const char *s;
	int64_t *ints;

	if (in->p == in->end) {
		in->bad = true;
		return c;
	}
	tag = *in->p++;
	c.type = tag & 0x0f;
	c.why = (tag >> 4) & 0x07;
	switch (c.type) {
	case CELL_NULL:
		break;
	case CELL_BOOL:
	case CELL_INT:
	case CELL_TIME:
		c.i = *above = (int64_t)((uint64_t)*above + (uint64_t)get_i(in));
		break;
	case CELL_FLOAT:
		c.f = get_f(in);
		break;
	case CELL_TEXT:
		s = get_s(in, &len);
		c.s = arena_strndup(arena, s, len);
		c.len = (uint32_t)len;
		break;
	case CELL_INTS:
		len = (size_t)get_u(in);
		if (len > (size_t)(in->end - in->p)) {
			in->bad = true;
			return cell_null(WHY_NONE);
		}
		ints = arena_alloc(arena, (len + 1) * sizeof(*ints));
		for (size_t i = 0; i < len; i++)
			ints[i] = get_i(in);
		c.ints = ints;
		c.len = (uint32_t)len;
		break;
	default:
		in->bad = true;
	}
	return in->bad ? cell_null(WHY_NONE) : c;
}

static struct rowset *
get_rows(struct in *in)
{
	uint64_t ncols = get_u(in), nrows = get_u(in);
	struct arena names_arena = { 0 };
	struct rowset *rs = NULL;
	struct cell *cells = NULL;
	const char *names[MAX_COLS];
	uint8_t types[MAX_COLS];

	/* every cell takes a byte at least, so a claim of more than is left is a lie */
	if (in->bad || ncols > MAX_COLS || nrows > (uint64_t)(in->end - in->p) ||
	    nrows * ncols > (uint64_t)(in->end - in->p) || nrows * ncols > MAX_CELLS ||
	    (ncols == 0 && nrows > 0)) {
		in->bad = true;
		return NULL;
	}
	/* texts go into the row set's arena, which needs the names first: keep the cells aside */
	cells = xcalloc(nrows * ncols + 1, sizeof(*cells));
	for (uint64_t col = 0; col < ncols && !in->bad; col++) {
		int64_t above = 0;
		size_t len;
		const char *s = get_s(in, &len);
		names[col] = arena_strndup(&names_arena, s, len);
		types[col] = (uint8_t)get_u(in);
		for (uint64_t row = 0; row < nrows && !in->bad; row++)
			cells[row * ncols + col] = get_cell(in, &names_arena, &above);
	}
	if (!in->bad) {
		rs = rowset_new((int)ncols, names, types);
		for (uint64_t row = 0; row < nrows; row++)
			memcpy(rowset_add(rs), cells + row * ncols, ncols * sizeof(*cells));
		for (uint64_t i = 0; i < nrows * ncols; i++) {
			struct cell *c = &rs->cells[i];
			if (c->type == CELL_TEXT)
				c->s = arena_strndup(&rs->arena, c->s, c->len);
			else if (c->type == CELL_INTS)
				c->ints =
				    memcpy(arena_alloc(&rs->arena, (c->len + 1) * sizeof(int64_t)),
				        c->ints, c->len * sizeof(int64_t));
		}
	}
	free(cells);
	arena_release(&names_arena);
	return rs;
}

static enum probe_id
probe_named(const char *name)
{
	for (int i = 0; i < PROBE_COUNT; i++)
		if (strcmp(probe_infos[i].name, name) == 0)
			return (enum probe_id)i;
	return PROBE_COUNT;
}

static struct sample *
get_sample(struct in *in, const struct rec_event *ev)
{
	struct sample *s = xcalloc(1, sizeof(*s));
	char name[64];

	atomic_init(&s->refs, 1);
	get_str(in, name, sizeof(name));
	s->probe = probe_named(name);
	s->state = (enum sample_state)get_u(in);
	s->server_at.us = get_i(in);
	s->elapsed_us = get_i(in);
	s->at = ev->mono;
	get_str(in, s->what, sizeof(s->what));
	get_str(in, s->hint, sizeof(s->hint));
	s->rows = get_rows(in);
	if (in->bad || s->state > SAMPLE_TIMEOUT || s->probe == PROBE_COUNT) {
		in->bad = in->bad || s->state > SAMPLE_TIMEOUT;
		rowset_unref(s->rows);
		free(s);
		return NULL;
	}
	return s;
}

static void
get_server(struct in *in, struct server_info *s)
{
#define X(field) s->field = (__typeof__(s->field))get_i(in);
	SERVER_INTS(X)
#undef X
#define X(field) get_str(in, s->field, sizeof(s->field));
	SERVER_TEXTS(X)
#undef X
}

static void
get_body(struct in *in, struct rec_event *ev)
{
	switch (ev->kind) {
	case REC_TARGET:
		get_str(in, ev->name, sizeof(ev->name));
		break;
	case REC_SERVER:
		get_server(in, &ev->server);
		break;
	case REC_LINK:
		ev->link = (enum link_state)get_u(in);
		in->bad = in->bad || ev->link > LINK_REPLAY;
		get_str(in, ev->what, sizeof(ev->what));
		get_str(in, ev->hint, sizeof(ev->hint));
		break;
	case REC_SAMPLE:
		ev->sample = get_sample(in, ev);
		break;
	case REC_SEAL:
		ev->cost.server_ms = get_f(in);
		ev->cost.rtt_ms = get_f(in);
		ev->cost.cpu_ms = get_f(in);
		ev->cost.round_trips = (int)get_i(in);
		ev->cost.statements = (int)get_i(in);
		ev->cost.bytes = get_i(in);
		ev->cost.interval_ms = (int)get_i(in);
		ev->cost.backoff = (int)get_i(in);
		break;
	}
}

int
rec_get(struct rec_reader *r, struct rec_event *ev, struct error *err)
{
	for (;;) {
		struct in in = { r->p, r->end, false };
		size_t len;
		const char *body;
		unsigned char kind;

		memset(ev, 0, sizeof(*ev));
		if (r->p == r->end)
			return 0;
		kind = *in.p++;
		body = get_s(&in, &len);
		if (in.bad) {
			error_set(err, ERR_FORMAT, "an event of the recording is cut off");
			return -1;
		}
		r->p = in.p;
		in = (struct in){ (const unsigned char *)body, (const unsigned char *)body + len,
			false };
		ev->kind = (enum rec_kind)kind;
		ev->target = (int)(get_u(&in) & 0xffff);
		ev->at.us = get_i(&in);
		ev->mono.us = get_i(&in);
		get_body(&in, ev);
		if (in.bad) {
			sample_unref(ev->sample);
			ev->sample = NULL;
			error_set(err, ERR_FORMAT,
			    "an event of the recording cannot be read (kind %u)", kind);
			return -1;
		}
		if (kind < REC_TARGET || kind > REC_SEAL || (kind == REC_SAMPLE && !ev->sample))
			continue; /* written by a later version: skipped */
		return 1;
	}
}
