/*
 * A pane: a const table entry with its columns, the probes it lives on, and a fill function that
 * turns a snapshot into a grid. Screen, --json, --csv, help and manual are made from the same
 * entry.
 */
#ifndef PGMEDIC_PANES_PANE_H
#define PGMEDIC_PANES_PANE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/grid.h"
#include "model/snapshot.h"

/* What keys toggle; a pane uses those that mean something to it. */
struct pane_opts {
	bool show_idle; /* activity: idle sessions (and background processes) too */
	bool totals;    /* statements, tables, databases …: totals since reset instead of rates */
	int mode;       /* variant of the pane, 0 = default; see pane->modes */
	int window_s;   /* waits: seconds looked back, 0 = all kept up to 900 */
	char drill[64]; /* waits: restrict to this class/event/…; "" = all */
	int64_t drill_id;
};

struct pane_ctx {
	const struct snapshot *snap;
	const struct pane_opts *opts;
	struct mono now;
	void *cache; /* the pane's own memory for this target (texts, hash tables); see
	                pane->cache_new */
	int cursor;  /* for head: the row the cursor is on, -1 none */
	const struct rowset
	    *look; /* for detail: the answer of pane->look for this row; NULL: none yet */
};

struct pane_mode { /* e.g. waits: event, statement, user, application, client */
	const char *name, *help;
};

struct draw; /* tui/draw.h: a rectangle to draw into */

struct pane_need { /* asked while the column, or a detail, is shown */
	int column;
	enum probe_id probe;
};

struct pane {
	const char *name; /* "activity": :activity, show activity, panes/activity.c */
	const char *title;
	const char *help; /* a line or two for help and manual */
	const struct column *columns;
	int ncolumns;
	const enum probe_id
	    *probes; /* it lives on these (beside server, activity, dbsum, which always run) */
	int nprobes;
	const struct pane_need *needs; /* probes that only some columns live on */
	int nneeds;
	const char *sort; /* column it is sorted by at first; NULL: as filled */
	bool sort_descending;
	bool needs_pair;     /* rates: `show` takes two samples */
	bool is_cloud;       /* its probes are the cloud's: `show` needs no server for it */
	bool needs_texts;    /* `show` waits for the statement texts */
	bool is_steady;      /* fill reads nothing but `probes` and `needs`: the screen keeps the
	                        grid until one of those answers */
	bool follows;        /* newest first: on the first row the cursor stays on what is newest */
	bool totals_in_show; /* `show --json` and --csv set opts->totals: scripts get what the
	                        catalog says, and rates beside it */
	const struct pane_mode *modes; /* NULL-name terminated, or NULL */
	/* Fill an initialised, empty grid. Must cope with every probe missing, denied, stale. */
	void (*fill)(const struct pane_ctx *ctx, struct grid *grid);
	/* The whole story of a row, for Enter; NULL: the framework shows each column in full. */
	void (*detail)(
	    const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc);
	/* Drilling into the activity: the filter there that keeps the sessions of a row. NULL: by
	 * the key columns. */
	void (*sessions)(
	    const struct pane_ctx *ctx, const struct grid *grid, int row, struct strbuf *filter);
	/* What a detail asks the server for by itself, once, when it opens: a query of src/pg, and
	 * the parameters for a row (texts in the arena, at most 4; returns how many, -1: nothing to
	 * ask). NULL: nothing. */
	const char *look;
	int (*look_params)(const struct pane_ctx *ctx, const struct grid *grid, int row,
	    struct arena *arena, const char **params);
	/* Lines above the table (0 = none): number for a screen of this size, and drawing. */
	int (*head_rows)(const struct pane_ctx *ctx, int width, int height);
	void (*head)(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw);
	void *(*cache_new)(void);
	void (*cache_free)(void *cache);
};

/* All panes, in the order users see, NULL-terminated. */
extern const struct pane *const panes[];
const struct pane *pane_by_name(const char *name);       /* exact name or unique prefix; NULL */
int pane_column(const struct pane *p, const char *name); /* -1 */
/* Probes of a pane that shows these columns (NULL: all); out holds PROBE_COUNT. Returns how many.
 */
int pane_probes(const struct pane *p, const int *cols, int ncols, enum probe_id *out);

/* For fills: add the notes that every pane owes its user about the state of a probe (denied,
 * unsupported, failed, late, no data) and return its rows, or NULL when there is nothing to show.
 */
const struct rowset *pane_rows(const struct pane_ctx *ctx, struct grid *grid, enum probe_id probe);
/* Counter deltas per second: NULL/NODATA without a pair; a counter that went down is a reset: NULL
 * + note once. */
struct cell pane_rate(const struct cell *cur, const struct cell *prev, double seconds);

#endif
