/* A grid as text, JSON and CSV. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compat.h"
#include "base/fmt.h"
#include "base/grid.h"
#include "base/json.h"
#include "base/utf8.h"

#define HALF_DAY_US INT64_C(43200000000)
#define DAY_US      (2 * HALF_DAY_US)

enum { MAX_ITEM = 2 << 20 }; /* bytes of one element of a list of texts */

struct wall grid_now;

static void
put_time(struct strbuf *out, int64_t us)
{
	struct wall now = grid_now.us ? grid_now : wall_now();
	char buf[64];
	int64_t away;

	if (__builtin_sub_overflow(us, now.us, &away))
		away = INT64_MAX;
	/* The same day; both are after 1970 when that matters, so that the division may round to 0.
	 */
	if ((away < HALF_DAY_US && away > -HALF_DAY_US) || us / DAY_US == now.us / DAY_US) {
		strbuf_adds(out, wall_hms((struct wall){ us }, buf, sizeof(buf)));
		return;
	}
	wall_rfc3339((struct wall){ us }, buf, sizeof(buf));
	strbuf_add(out, buf, strcspn(buf, "T"));
}

static void
put_float(struct strbuf *out, double v)
{
	char buf[64];

	strbuf_adds(out, fmt_float(buf, sizeof(buf), v));
}

/* A number of a column without a kind of its own, by its type. */
static void
put_plain(struct strbuf *out, const struct cell *c)
{
	char buf[64];

	if (c->type == CELL_FLOAT)
		put_float(out, c->f);
	else if (c->type == CELL_BOOL)
		strbuf_adds(out, c->i ? "yes" : "no");
	else if (c->type == CELL_TIME)
		put_time(out, c->i);
	else
		strbuf_adds(out, fmt_int(buf, sizeof(buf), c->i));
}

static void
put_number(struct strbuf *out, enum column_kind kind, const struct cell *c)
{
	char buf[64];
	double v = cell_num(c, 0);

	switch (kind) {
	case COL_TEXT:
	case COL_QUERY:
	case COL_INT:
	case COL_INTS:
	case COL_TEXTS:
	case COL_JSON:
		put_plain(out, c);
		break;
	case COL_COUNT:
		strbuf_adds(out, fmt_count(buf, sizeof(buf), v));
		break;
	case COL_RATE:
		strbuf_adds(out, fmt_rate(buf, sizeof(buf), v));
		break;
	case COL_FLOAT:
		put_float(out, v);
		break;
	case COL_PCT:
		strbuf_adds(out, fmt_pct(buf, sizeof(buf), v));
		break;
	case COL_BYTES:
		strbuf_adds(out, fmt_bytes(buf, sizeof(buf), v));
		break;
	case COL_SECONDS:
		strbuf_adds(out, fmt_seconds(buf, sizeof(buf), v));
		break;
	case COL_MS:
		strbuf_adds(out, fmt_ms(buf, sizeof(buf), v));
		break;
	case COL_TIME:
		if (c->type == CELL_FLOAT)
			put_float(out, c->f);
		else
			put_time(out, c->i);
		break;
	case COL_BOOL:
		strbuf_adds(out, v != 0 ? "yes" : "no");
		break;
	case COL_LSN:
		if (c->type == CELL_FLOAT)
			put_float(out, c->f);
		else
			strbuf_adds(out, fmt_lsn(buf, sizeof(buf), c->i));
		break;
	}
}

/* "a, b" of a JSON array; what is none, as it is. */
static void
put_texts(struct strbuf *out, const struct cell *c)
{
	struct json_list list = { c->s, c->s + c->len, 0 };
	struct strbuf item = STRBUF_INIT(MAX_ITEM);

	while (json_list_next(&list, &item)) {
		if (list.n > 1)
			strbuf_adds(out, ", ");
		utf8_clean(out, item.buf, item.len, true);
	}
	strbuf_release(&item);
	if (list.n == 0 && (c->len < 2 || c->s[0] != '['))
		utf8_clean(out, c->s, c->len, true);
}

/* "3 entries" of a JSON array: in full it is for programs. The rest as it is. */
static void
put_any_json(struct strbuf *out, const struct cell *c)
{
	struct json_list list = { c->s, c->s + c->len, 0 };
	struct strbuf item = STRBUF_INIT(MAX_ITEM);

	while (json_list_next(&list, &item))
		;
	strbuf_release(&item);
	if (list.n > 0)
		strbuf_addf(out, "%d entr%s", list.n, list.n == 1 ? "y" : "ies");
	else if (c->len == 2 && memcmp(c->s, "[]", 2) == 0)
		strbuf_adds(out, "none");
	else
		utf8_clean(out, c->s, c->len, true);
}

void
grid_cell_text(struct strbuf *out, enum column_kind kind, const struct cell *c)
{
	char buf[64];

	switch ((enum cell_type)c->type) {
	case CELL_NULL:
		strbuf_addc(out, c->why == WHY_DENIED ? '?' : '-');
		break;
	case CELL_TEXT:
		if (kind == COL_TEXTS)
			put_texts(out, c);
		else if (kind == COL_JSON)
			put_any_json(out, c);
		else
			utf8_clean(out, c->s, c->len, true);
		break;
	case CELL_INTS:
		for (uint32_t i = 0; i < c->len; i++) {
			if (i)
				strbuf_addc(out, ',');
			strbuf_adds(out, fmt_int(buf, sizeof(buf), c->ints[i]));
		}
		break;
	case CELL_BOOL:
	case CELL_INT:
	case CELL_FLOAT:
	case CELL_TIME:
		put_number(out, kind, c);
		break;
	}
}

/* The value as data: what kind and type say together, without rounding. */
static void
put_json(struct strbuf *out, enum column_kind kind, const struct cell *c)
{
	struct cell typed = *c;
	char buf[64];

	if ((kind == COL_TEXTS || kind == COL_JSON) && c->type == CELL_TEXT &&
	    json_copy(out, c->s, c->len))
		return;
	if (kind == COL_LSN && c->type == CELL_INT) {
		strbuf_addc(out, '"');
		strbuf_adds(out, fmt_lsn(buf, sizeof(buf), c->i));
		strbuf_addc(out, '"');
		return;
	}
	if (kind == COL_TIME && c->type == CELL_INT)
		typed.type = CELL_TIME;
	else if (kind == COL_BOOL && c->type == CELL_INT)
		typed.type = CELL_BOOL;
	json_cell(out, &typed);
}

void
grid_json_rows(struct strbuf *out, const struct grid *g)
{
	strbuf_addc(out, '[');
	for (int r = 0; r < g->nrows; r++) {
		bool first = true;

		strbuf_adds(out, r ? ",{" : "{");
		for (int c = 0; c < g->ncols; c++) {
			if (g->cols[c].flags & COL_NOJSON)
				continue;
			json_key(out, &first, g->cols[c].name);
			put_json(out, g->cols[c].kind, &g->rows[r].cells[c]);
		}
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

void
grid_json_summary(struct strbuf *out, const struct grid *g)
{
	bool first = true;

	strbuf_addc(out, '{');
	for (int i = 0; i < g->nfacts; i++) {
		json_key(out, &first, g->facts[i].name);
		put_json(out, g->facts[i].kind, &g->facts[i].value);
	}
	strbuf_addc(out, '}');
}

void
grid_json_notes(struct strbuf *out, const struct grid *g)
{
	const struct grid_note *n;
	bool first;

	strbuf_addc(out, '[');
	for (int i = 0; i < g->nnotes; i++) {
		n = &g->notes[i];
		first = true;
		strbuf_adds(out, i ? ",{" : "{");
		json_key(out, &first, "code");
		json_str(out, n->code, strlen(n->code));
		json_key(out, &first, "what");
		json_str(out, n->what, strlen(n->what));
		json_key(out, &first, "hint");
		json_str(out, n->hint, strlen(n->hint));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

/* A text field: quoted when it must be, and an empty text always, since nothing means unknown. */
static void
put_csv_text(struct strbuf *out, const char *s, size_t len)
{
	bool is_quoted = !len || s[0] == ' ' || s[len - 1] == ' ';
	uint32_t cp;
	size_t n;

	for (size_t i = 0; i < len && !is_quoted; i++)
		is_quoted = s[i] == ',' || s[i] == '"' || s[i] == '\n' || s[i] == '\r';
	if (is_quoted)
		strbuf_addc(out, '"');
	for (; len; s += n, len -= n) {
		for (n = 0; n < len && s[n] > 0 && s[n] != '"'; n++)
			;
		if (n) {
			strbuf_add(out, s, n);
			continue;
		}
		n = utf8_decode(s, len, &cp);
		if (*s == '"')
			strbuf_adds(out, "\"\"");
		else if (n == 1 && cp)
			strbuf_add(out, "\xef\xbf\xbd", 3);
		else
			strbuf_add(out, s, n);
	}
	if (is_quoted)
		strbuf_addc(out, '"');
}

static void
put_csv(struct strbuf *out, enum column_kind kind, const struct cell *c)
{
	struct strbuf json = STRBUF_INIT(1 << 20);

	if (c->type == CELL_TEXT && kind == COL_TEXTS) {
		put_texts(&json, c);
		put_csv_text(out, json.buf, json.len);
	} else if (c->type == CELL_TEXT) {
		put_csv_text(out, c->s, c->len);
	} else if (c->type == CELL_INTS) {
		grid_cell_text(&json, COL_INTS, c);
		put_csv_text(out, json.buf, json.len);
	} else if (c->type == CELL_FLOAT && !isfinite(c->f)) {
		strbuf_adds(out, isnan(c->f) ? "NaN" : c->f > 0 ? "Infinity" : "-Infinity");
	} else if (c->type != CELL_NULL) {
		put_json(&json, kind, c);
		/* Times and positions are JSON strings of plain characters. */
		if (json.buf[0] == '"')
			strbuf_add(out, json.buf + 1, json.len - 2);
		else
			strbuf_add(out, json.buf, json.len);
	}
	strbuf_release(&json);
}

void
grid_csv(struct strbuf *out, const struct grid *g)
{
	for (int r = -1; r < g->nrows; r++) {
		bool first = true;

		for (int c = 0; c < g->ncols; c++) {
			if (g->cols[c].flags & COL_NOJSON)
				continue;
			if (!first)
				strbuf_addc(out, ',');
			first = false;
			if (r < 0)
				put_csv_text(out, g->cols[c].name, strlen(g->cols[c].name));
			else
				put_csv(out, g->cols[c].kind, &g->rows[r].cells[c]);
		}
		strbuf_addc(out, '\n');
	}
}
