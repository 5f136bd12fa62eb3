/*
 * Row filters. A filter is a list of terms that must all hold. A term without a column is looked
 * for in every column's screen text; each cell is put into text at most once for all terms, texts
 * are searched where they lie, and a column of numbers is not put into text for a word that no
 * number can contain.
 */
#include "config.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "base/grid.h"
#include "base/json.h"
#include "base/lexer.h"
#include "base/utf8.h"

enum {
	MAX_TERMS = 32,
	MAX_FILTER = 4096,
	MAX_CELL = 1 << 20, /* bytes of one cell's text that are looked at */
	MAX_REGEX_CELL =
	    8192, /* the same for expressions, whose time may grow faster than the text */
};

enum term_op { OP_HAS, OP_REGEX, OP_EQ, OP_LT, OP_LE, OP_GT, OP_GE };

struct term {
	enum term_op op;
	bool is_negated;
	bool has_space;     /* the word may match only what folding of white space makes */
	bool may_be_number; /* all its characters occur in numbers as the screen shows them */
	bool has_value;     /* `value` is the word as a number of the column's kind */
	int col;            /* -1: any */
	char *word;         /* folded */
	size_t len;
	struct cell value;
	regex_t regex;
};

struct grid_filter {
	struct arena arena;
	const struct column *cols;
	int ncols, n;
	bool any_wants_numbers; /* a term over all columns that numbers may satisfy */
	struct term terms[MAX_TERMS];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Can the (folded) word be part of a number, truth value or log position as the screen shows it?
 * There letters stand alone, but for hexadecimal digits and a few whole words. */
static bool
may_be_number(const char *s)
{
	static const char *const words[] = { "yes", "no", "infinity", "huge" };

	if (s[strspn(s, "0123456789.,:+-/?abcdefghikmnopstuyz")])
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(words[i], s))
			return true;
	for (; *s; s++)
		if (*s >= 'a' && s[1] >= 'a' && (*s > 'f' || s[1] > 'f') &&
		    strncmp(s, "inf", 3) != 0 && strncmp(s, "nf", 2) != 0)
			return false;
	return true;
}

/* Folded copy of a word of len bytes. */
static void
set_word(struct grid_filter *f, struct term *t, const char *s, size_t len)
{
	struct strbuf out = STRBUF_INIT(2 * MAX_FILTER);
	char buf[4];
	uint32_t cp;
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_decode(s, len, &cp);
		if (n == 1 && cp == 0xfffd)
			strbuf_addc(&out, *s);
		else
			strbuf_add(&out, buf, utf8_encode(utf8_cp_fold(cp), buf));
	}
	t->word = arena_strndup(&f->arena, out.buf, out.len);
	t->len = out.len;
	t->has_space = strpbrk(t->word, " \t\n") != NULL;
	t->may_be_number = may_be_number(t->word);
	strbuf_release(&out);
}

static int
find_col(const struct grid_filter *f, const char *name, size_t len)
{
	for (int i = 0; i < f->ncols; i++)
		if (strlen(f->cols[i].name) == len && memcmp(f->cols[i].name, name, len) == 0)
			return i;
	return -1;
}

static bool
no_such_col(const struct grid_filter *f, const char *name, size_t len, struct error *err)
{
	const char **names = xcalloc((size_t)f->ncols + 1, sizeof(*names)), *near;
	char *word = xstrndup(name, len);

	for (int i = 0; i < f->ncols; i++)
		names[i] = f->cols[i].name;
	near = nearest_name(word, names);
	error_set(err, ERR_USAGE, "no column \"%s\" to filter by", word);
	if (near)
		error_hint(
		    err, "Did you mean \"%s\"? Quote the whole word to look for it as text.", near);
	else
		error_hint(err, "Quote the whole word to look for it as text.");
	free(word);
	free(names);
	return false;
}

/* "col:", "col>=" and so on at *p: sets column and operation and moves on. A word that starts so
 * but names no column is text before ':' ("10.0.0.1:5432") and an error before the others. */
static bool
read_column(struct grid_filter *f, struct term *t, const char **p, struct error *err)
{
	static const struct {
		const char *sign;
		enum term_op op;
		bool is_negated;
	} ops[] = { { ">=", OP_GE, false }, { "<=", OP_LE, false }, { "!=", OP_EQ, true },
		{ "=", OP_EQ, false }, { ">", OP_GT, false }, { "<", OP_LT, false },
		{ ":", OP_HAS, false } };
	const char *s = *p;
	size_t len = 0, i;

	while ((s[len] >= 'a' && s[len] <= 'z') || s[len] == '_' ||
	    (len && s[len] >= '0' && s[len] <= '9'))
		len++;
	if (!len)
		return true;
	for (i = 0; i < ARRAY_LEN(ops); i++)
		if (strncmp(s + len, ops[i].sign, strlen(ops[i].sign)) == 0)
			break;
	if (i == ARRAY_LEN(ops))
		return true;
	t->col = find_col(f, s, len);
	if (t->col < 0)
		return ops[i].op == OP_HAS || no_such_col(f, s, len, err);
	t->op = ops[i].op;
	t->is_negated ^= ops[i].is_negated;
	*p = s + len + strlen(ops[i].sign);
	return true;
}

/* "/re/" at *p, which moves behind it. */
static bool
read_regex(struct grid_filter *f, struct term *t, const char **p, struct error *err)
{
	char *re = arena_alloc(&f->arena, strlen(*p) + 1), *out = re, why[128];
	const char *s = *p + 1;
	int code;

	for (; *s && !(*s == '/' && (!s[1] || is_blank(s[1]))); s++) {
		if (*s == '\\' && s[1] == '/')
			s++;
		else if (*s == '\\' && s[1])
			*out++ = *s++;
		*out++ = *s;
	}
	*out = '\0';
	if (!*s) {
		error_set(err, ERR_USAGE, "the expression %s is not closed", *p);
		return error_hint(err, "Write /%s/, or quote the word to look for it as text.", re);
	}
	code = regcomp(&t->regex, re, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (code) {
		regerror(code, &t->regex, why, sizeof(why));
		return error_set(err, ERR_USAGE, "expression /%s/: %s", re, why);
	}
	t->op = OP_REGEX;
	t->word = re;
	t->may_be_number = true;
	*p = s + 1;
	return true;
}

/* The word at *p with its quotes and escapes taken off. */
static bool
read_word(struct grid_filter *f, struct term *t, const char **p, struct error *err)
{
	char *text = arena_alloc(&f->arena, strlen(*p) + 1), *out = text, quote = '\0';
	const char *s = *p;

	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote && *s == quote)
			quote = '\0';
		else if (!quote && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (*s == '\\' && s[1] && quote != '\'')
			*out++ = *++s;
		else
			*out++ = *s;
	}
	if (quote)
		return error_set(err, ERR_USAGE, "quote %c in the filter is not closed", quote);
	*p = s;
	set_word(f, t, text, (size_t)(out - text));
	return true;
}

static bool
is_text_kind(enum column_kind kind)
{
	return kind == COL_TEXT || kind == COL_QUERY || kind == COL_TEXTS || kind == COL_JSON;
}

/* What compares with a number must be one, unless the column is text. */
static bool
check_value(const struct grid_filter *f, struct term *t, struct error *err)
{
	const struct column *col;

	if (t->op == OP_HAS || t->op == OP_REGEX)
		return true;
	col = &f->cols[t->col];
	t->has_value = grid_value_read(t->word, col->kind, &t->value);
	if (t->has_value || t->op == OP_EQ || is_text_kind(col->kind))
		return true;
	error_set(
	    err, ERR_USAGE, "\"%s\" is no value to compare column \"%s\" with", t->word, col->name);
	switch (col->kind) {
	case COL_SECONDS:
	case COL_MS:
		return error_hint(err, "Write a number with a unit: 500ms, 10s, 5m, 1h30m, 2d.");
	case COL_BYTES:
		return error_hint(err, "Write a number with a unit: 8kB, 3MB, 1.5GB.");
	case COL_TIME:
		return error_hint(err, "Write a time: 2026-11-21 or 2026-11-21T07:27:12Z.");
	case COL_LSN:
		return error_hint(err, "Write a log position: 16/B374D848.");
	default:
		return error_hint(err, "Write a number: 12, 1.5, 3k.");
	}
}

static bool
read_term(struct grid_filter *f, const char **p, struct error *err)
{
	struct term *t = &f->terms[f->n];

	*t = (struct term){ .op = OP_HAS, .col = -1 };
	if (**p == '!' && (*p)[1] && !is_blank((*p)[1])) {
		t->is_negated = true;
		(*p)++;
	}
	if (!read_column(f, t, p, err))
		return false;
	if (**p == '/' && (*p)[1] && !is_blank((*p)[1]) && t->op == OP_HAS) {
		if (!read_regex(f, t, p, err))
			return false;
		f->n++;
	} else {
		if (!read_word(f, t, p, err) || !check_value(f, t, err))
			return false;
		/* A word of nothing, as "col:" while it is typed, matches all. */
		f->n += t->len > 0 || t->op == OP_EQ;
	}
	if (f->n && t->col < 0 && t->may_be_number)
		f->any_wants_numbers = true;
	return true;
}

struct grid_filter *
grid_filter_new(const struct column *cols, int ncols, const char *text, struct error *err)
{
	struct grid_filter *f;

	if (strlen(text) > MAX_FILTER) {
		error_set(err, ERR_USAGE, "the filter is longer than %d bytes", MAX_FILTER);
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	f->cols = cols;
	f->ncols = ncols;
	for (;;) {
		while (is_blank(*text))
			text++;
		if (!*text)
			return f;
		if (f->n == MAX_TERMS) {
			error_set(err, ERR_USAGE, "the filter has more than %d words", MAX_TERMS);
			break;
		}
		if (!read_term(f, &text, err))
			break;
	}
	grid_filter_free(f);
	return NULL;
}

void
grid_filter_free(struct grid_filter *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->n; i++)
		if (f->terms[i].op == OP_REGEX)
			regfree(&f->terms[i].regex);
	arena_release(&f->arena);
	free(f);
}

/* A cell's text for all terms that ask for it. */
struct cell_view {
	const struct cell *cell;
	enum column_kind kind;
	struct strbuf *buf; /* the screen text, once `is_made` */
	bool is_made;
};

static const struct strbuf *
screen_text(struct cell_view *v)
{
	if (!v->is_made) {
		strbuf_clear(v->buf);
		grid_cell_text(v->buf, v->kind, v->cell);
		v->is_made = true;
	}
	return v->buf;
}

static bool
has_word(const struct term *t, struct cell_view *v)
{
	const struct cell *c = v->cell;
	const struct strbuf *text;
	size_t len;

	/* Searched as the server sent it, which differs from the screen in white space and
	 * stand-ins only. */
	if (c->type == CELL_TEXT) {
		len = c->len < MAX_CELL ? c->len : MAX_CELL;
		if (utf8_find_fold(c->s, len, t->word, t->len))
			return true;
		if (!t->has_space)
			return false;
	} else if (!t->may_be_number) {
		return false;
	}
	text = screen_text(v);
	return utf8_find_fold(text->buf, text->len, t->word, t->len);
}

static bool
matches_regex(const struct term *t, struct cell_view *v)
{
	const struct strbuf *text = screen_text(v);
	size_t len = text->len;
	char keep;
	bool found;

	if (len <= MAX_REGEX_CELL)
		return regexec(&t->regex, text->buf, 0, NULL, 0) == 0;
	len = MAX_REGEX_CELL;
	keep = text->buf[len];
	v->buf->buf[len] = '\0';
	found = regexec(&t->regex, text->buf, 0, NULL, 0) == 0;
	v->buf->buf[len] = keep;
	return found;
}

/* Is one of the texts of a list the word? */
static bool
has_element(const struct term *t, const struct cell *c)
{
	struct json_list list = { c->s, c->s + c->len, 0 };
	struct strbuf item = STRBUF_INIT(MAX_CELL);
	bool found = false;

	while (!found && json_list_next(&list, &item))
		found = utf8_equal_fold(item.buf, item.len, t->word, t->len);
	strbuf_release(&item);
	return found;
}

static bool
equals(const struct term *t, struct cell_view *v)
{
	const struct cell *c = v->cell;
	const struct strbuf *text;

	if (c->type == CELL_INTS && t->has_value)
		for (uint32_t i = 0; i < c->len; i++)
			if (cell_i64(&t->value, 0) == c->ints[i])
				return true;
	if (cell_is_number(c) && t->has_value && cell_cmp(c, &t->value) == 0)
		return true;
	if (v->kind == COL_TEXTS && c->type == CELL_TEXT && has_element(t, c))
		return true;
	if (c->type == CELL_TEXT && utf8_equal_fold(c->s, c->len, t->word, t->len))
		return true;
	text = screen_text(v);
	return utf8_equal_fold(text->buf, text->len, t->word, t->len);
}

/* Numbers by value, also every element of a list; texts by the alphabet, case-blind. */
static bool
compares(const struct term *t, struct cell_view *v)
{
	const struct cell *c = v->cell;
	struct cell other = t->value, element;
	bool is_hit = false;
	int r;

	if (c->type == CELL_INTS) {
		for (uint32_t i = 0; i < c->len && !is_hit && t->has_value; i++) {
			struct cell_view one = { &element, COL_INT, v->buf, false };

			element = cell_int(c->ints[i]);
			is_hit = compares(t, &one);
		}
		return is_hit;
	}
	if (c->type == CELL_TEXT)
		other = cell_textn(t->word, t->len);
	else if (!cell_is_number(c) || !t->has_value)
		return false;
	r = cell_cmp(c, &other);
	switch (t->op) {
	case OP_LT:
		return r < 0;
	case OP_LE:
		return r <= 0;
	case OP_GT:
		return r > 0;
	default:
		return r >= 0;
	}
}

static bool
holds(const struct term *t, struct cell_view *v)
{
	switch (t->op) {
	case OP_HAS:
		return has_word(t, v);
	case OP_REGEX:
		return matches_regex(t, v);
	case OP_EQ:
		return equals(t, v);
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		break;
	}
	return compares(t, v);
}

/* Terms of one column: cheap, so they go first. */
static bool
match_columns(const struct grid_filter *f, const struct grid_row *row, struct strbuf *buf)
{
	const struct term *t;

	for (int i = 0; i < f->n; i++) {
		t = &f->terms[i];
		if (t->col < 0)
			continue;
		struct cell_view v = { &row->cells[t->col], f->cols[t->col].kind, buf, false };

		if (holds(t, &v) == t->is_negated)
			return false;
	}
	return true;
}

/* Terms over all columns: `open` holds a bit for each that is still to be found, `banned` for each
 * that must not be. */
static bool
match_any(const struct grid_filter *f, const struct grid_row *row, struct strbuf *buf)
{
	uint32_t open = 0, banned = 0, bit;

	for (int i = 0; i < f->n; i++)
		if (f->terms[i].col < 0)
			*(f->terms[i].is_negated ? &banned : &open) |= UINT32_C(1) << i;
	for (int c = 0; c < f->ncols && (open | banned); c++) {
		struct cell_view v = { &row->cells[c], f->cols[c].kind, buf, false };

		if (f->cols[c].flags & COL_NOJSON)
			continue;
		if (v.cell->type != CELL_TEXT && !f->any_wants_numbers)
			continue;
		for (int i = 0; i < f->n; i++) {
			bit = UINT32_C(1) << i;
			if (!((open | banned) & bit) || !holds(&f->terms[i], &v))
				continue;
			if (banned & bit)
				return false;
			open &= ~bit;
		}
		if (!open && !banned)
			return true;
	}
	return !open;
}

static bool
match_row(const struct grid_filter *f, const struct grid_row *row, struct strbuf *buf)
{
	return match_columns(f, row, buf) && match_any(f, row, buf);
}

bool
grid_filter_match(const struct grid_filter *f, const struct grid *g, const struct grid_row *row)
{
	struct strbuf buf = STRBUF_INIT(MAX_CELL);
	bool is_match;

	if (!f || g->ncols < f->ncols)
		return !f;
	is_match = match_row(f, row, &buf);
	strbuf_release(&buf);
	return is_match;
}

void
grid_filter(struct grid *g, const struct grid_filter *f)
{
	struct strbuf buf = STRBUF_INIT(MAX_CELL);
	int depth = 0, kept = 0;
	bool *keep;

	g->total = g->nrows;
	if (!f || !f->n || g->ncols < f->ncols)
		return;
	keep = xcalloc((size_t)g->nrows, sizeof(*keep));
	/* Backwards: in a tree, what is less deep than a kept row below it is its ancestor. */
	for (int r = g->nrows - 1; r >= 0; r--) {
		struct grid_row *row = &g->rows[r];

		keep[r] = (g->is_tree && row->depth < depth) || match_row(f, row, &buf);
		if (keep[r] || row->depth < depth)
			depth = row->depth;
	}
	for (int r = 0; r < g->nrows; r++)
		if (keep[r])
			g->rows[kept++] = g->rows[r];
	g->nrows = kept;
	free(keep);
	strbuf_release(&buf);
}
