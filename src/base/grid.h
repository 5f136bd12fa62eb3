/*
 * A grid is what a pane shows: declared columns, rows of cells, a summary (name: value) and notes.
 * The screen, --json, --csv and plain text are all made from it, so they cannot disagree.
 * Everything lives in the grid's arena. Pure; one thread at a time.
 */
#ifndef PGMEDIC_BASE_GRID_H
#define PGMEDIC_BASE_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cell.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/role.h"
#include "base/strbuf.h"

enum column_kind {
	COL_TEXT,  /* as it is */
	COL_QUERY, /* statement text: takes the remaining width, one line, white space folded */
	COL_INT,   /* exact, no grouping (pids, ids) */
	COL_COUNT, /* 12.3k on the screen, exact in JSON */
	COL_RATE,  /* per second */
	COL_FLOAT,
	COL_PCT, /* 0..100 */
	COL_BYTES,
	COL_SECONDS,
	COL_MS,
	COL_TIME,  /* HH:MM:SSZ or date on the screen, RFC 3339 in JSON */
	COL_BOOL,  /* yes, no */
	COL_INTS,  /* list of integers: 12,34 */
	COL_LSN,   /* int64 shown as X/Y, in JSON a text "X/Y" */
	COL_TEXTS, /* list of texts or numbers: a text cell that holds a JSON array; a, b on the
	              screen, an array in JSON */
	COL_JSON, /* a text cell that holds any JSON: as it is in JSON, "3 entries" on the screen */
};

enum {
	COL_HIDDEN = 1 << 0, /* not shown unless chosen with :columns; always in JSON and CSV */
	COL_LEFT = 1 << 1,   /* left-aligned though numeric */
	COL_KEY = 1 << 2,    /* part of the row's identity: cursor and tags stay on it */
	COL_NOJSON = 1 << 3, /* a drawing only (sparkline): not in JSON or CSV */
	COL_FIXED = 1 << 4,  /* always shown: the frozen first column */
};

struct column {
	const char *name;  /* JSON, :sort, :columns, manual */
	const char *title; /* header on the screen, upper case */
	enum column_kind kind;
	int width; /* least width on the screen; 0: by its content up to max 24 */
	unsigned flags;
	const char *help; /* one line for the manual */
};

struct grid_note {
	const char *code;        /* "denied", "unsupported", "too_old", "no_data", "stale", "reset",
	                            "restart", "info" */
	const char *what, *hint; /* hint may be "": one GRANT or setting */
};

struct grid_fact { /* summary entry */
	const char *name;
	enum column_kind kind;
	struct cell value;
};

struct grid_row {
	struct cell *cells; /* one per column */
	uint64_t key;  /* identity across samples (hash of the COL_KEY cells, set by grid_seal) */
	uint8_t role;  /* enum role of the whole row */
	uint8_t depth; /* indentation in a tree (drawn in the first text column flagged COL_FIXED or
	                  COL_QUERY) */
	bool is_head;  /* drawn strong */
	uint32_t aux;  /* the pane's own: index into its derived data */
};

struct grid {
	struct arena arena;
	const struct column *cols;
	int ncols;
	struct grid_row *rows;
	int nrows, cap;
	struct grid_note *notes;
	int nnotes, cap_notes;
	struct grid_fact *facts;
	int nfacts, cap_facts;
	bool is_tree; /* order of rows is meaningful: sorting keeps children under their parent */
	int total;    /* rows before filter (set by grid_filter) */
};

void grid_init(struct grid *g, const struct column *cols, int ncols);
void grid_release(struct grid *g);
/* Forget rows, facts and notes; keep columns. */
void grid_reset(struct grid *g);
/* Append a row of NULLs. The pointer is valid until the next add; ->cells stays. */
struct grid_row *grid_add(struct grid *g);
void grid_note(struct grid *g, const char *code, const char *what, const char *hint);
void grid_notef(struct grid *g, const char *code, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void grid_fact(struct grid *g, const char *name, enum column_kind kind, struct cell value);
/* NULL when there is no such fact. */
const struct grid_fact *grid_fact_get(const struct grid *g, const char *name);
int grid_col(const struct grid *g, const char *name); /* -1: none */
/* Compute the row keys. Call once after filling. */
void grid_seal(struct grid *g);
/* Stable sort by column; NULLs last either way; trees sort siblings. */
void grid_sort(struct grid *g, int col, bool descending);

/* A word in lower case as a value of a kind of column: units by the kind (10s 5m 1h30m 3mb 2k),
 * times as RFC 3339, log positions as X/Y, yes and no. A bare number is in the unit of the cells.
 */
bool grid_value_read(const char *word, enum column_kind kind, struct cell *value);

struct grid_filter; /* compiled */
/*
 * Compile a filter: words that must all occur (case-blind) in any column's screen text; "!word"
 * must not; "col:word" and "col=value" and "col>number" ("<", ">=", "<=", "!=") look at one column;
 * "/re/" is a POSIX extended regex, also after "!" and "col:"; units are understood after numbers
 * by the column's kind (10s 5m 1h30m 3MB 2k), times as RFC 3339, log positions as X/Y. '…' and "…"
 * quote: a word that begins with a quote is always plain text. Unknown is "-" ("?" when denied),
 * and neither less nor greater than anything. NULL and *err set when it cannot be read; the empty
 * string matches all.
 */
struct grid_filter *grid_filter_new(
    const struct column *cols, int ncols, const char *text, struct error *err);
void grid_filter_free(struct grid_filter *f);
bool grid_filter_match(
    const struct grid_filter *f, const struct grid *g, const struct grid_row *row);
/* Keep matching rows (in a tree also their ancestors); sets g->total. */
void grid_filter(struct grid *g, const struct grid_filter *f);

/*
 * The time that COL_TIME is shown against: within 12 hours of it, or on its day, HH:MM:SSZ, else
 * the date. Set to the sample's time before showing, so that a replay shows what the live screen
 * did; 0: the wall clock. One thread.
 */
extern struct wall grid_now;
/* Screen text of a cell, clean for a terminal, no padding. Appends to out. Unknown is "-" ("?" when
 * denied). */
void grid_cell_text(struct strbuf *out, enum column_kind kind, const struct cell *c);
/* `rows` array, `summary` object and `notes` array as JSON text, compact. */
void grid_json_rows(struct strbuf *out, const struct grid *g);
void grid_json_summary(struct strbuf *out, const struct grid *g);
void grid_json_notes(struct strbuf *out, const struct grid *g);
/* RFC 4180 with a header line, but lines end in '\n' as psql --csv ends them; values as in JSON;
 * unknown is empty; texts that a spreadsheet would run as a formula are kept as they are (this is
 * data, not a sheet), and so are control bytes: clean the whole with utf8_clean for a terminal. */
void grid_csv(struct strbuf *out, const struct grid *g);
/* Aligned plain text: header, rows, notes; `width` 0 = unlimited. Shows the columns shown by
 * default. */
void grid_text(struct strbuf *out, const struct grid *g, int width);

#endif
