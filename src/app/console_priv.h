/* The console's inside, shared by the console_*.c files alone. */
#ifndef PGMEDIC_APP_CONSOLE_PRIV_H
#define PGMEDIC_APP_CONSOLE_PRIV_H

#include "app/acting.h"
#include "app/advising.h"
#include "app/console.h"
#include "app/jobwatch.h"
#include "base/clock.h"
#include "tui/docview.h"
#include "tui/keymap.h"
#include "tui/screen.h"
#include "tui/table.h"
#include "tui/theme.h"

enum { CONSOLE_PAGES = 8, CONSOLE_MESSAGE = 512 };

/* A pane of a target: what the user did to it, and how its table lies on the screen. */
struct pane_view {
	struct view view;
	struct table table;
	struct arena match_arena; /* words of the filter, for highlighting */
	const char *match[TABLE_MAX_MATCH];
};

struct target_state {
	const struct snapshot *snap; /* newest, with a reference */
	const struct snapshot *held; /* while paused */
	int pane, previous_pane;     /* indices of panes[]; previous -1 */
	struct pane_view **views;    /* by pane, made when first shown */
	int refresh_ms;
};

/* A document over the table. */
struct page {
	char title[160];
	struct doc doc;
	struct docview view;
	/* Detail of a row: made anew with each snapshot while the row exists. */
	bool is_detail, is_gone;
	int pane;
	uint64_t key;
	unsigned long fills; /* of the view when it was made */
	/* What the pane asks the server for its detail: asked again while the detail is open. */
	const struct rowset *look;
	uint64_t look_ticket; /* 0: not out */
	struct mono looked_at;
};

/* The column chooser. */
struct chooser {
	bool is_open;
	int order[VIEW_MAX_COLS];  /* columns in the order offered */
	bool shown[VIEW_MAX_COLS]; /* by place in order */
	int n, cursor, top;
};

/* Figures of the title line, held still so that they do not flicker. */
struct calm {
	double shown;
	struct mono at;
};

struct script {
	char *text;
	char *next; /* rest to run */
	int line;
	int wait_samples; /* > 0: until the snapshot has this many more */
	uint64_t wait_from;
	struct mono since; /* of the wait, for the watchdog */
	bool failed;
};

struct probe_set {
	bool has[PROBE_COUNT];
};

struct console {
	const struct console_conf *conf;
	struct target_state *targets;
	int ntargets, target;
	struct acting *acting;     /* NULL: nothing can be done here */
	struct advising *advising; /* likewise */
	struct jobwatch *jobs;     /* likewise */
	const char **target_names; /* for it */

	struct theme theme;
	struct keymap keymap;
	uint32_t keys[KEYMAP_SEQ]; /* typed so far of a sequence */
	int nkeys;

	struct page pages[CONSOLE_PAGES];
	int npages;
	struct chooser chooser;
	bool is_prompt_filter; /* the prompt is the live filter … */
	char *filter_before;   /* … and this was in force before */
	bool is_prompt_find;   /* the prompt looks for a text in the document */
	char find[128];

	bool is_paused;
	struct mono paused_at;
	bool is_adjusting; /* the last key changed the refresh rate */
	bool no_hints;     /* setting: the bottom line is the table's */
	char message[CONSOLE_MESSAGE];
	enum role message_role;
	bool confirm_is_open; /* an act asks */
	bool confirm_is_seen; /* it was drawn */
	struct mono confirm_since;
	struct docview confirm_view;

	struct calm cost, lag;
	bool was_away;          /* the next frame says nothing about the screen's lag */
	uint64_t drawn_seq;     /* snapshot of the last frame */
	bool late_shown;        /* the title says that data is late */
	struct draw table_area; /* of the last frame, for the mouse */
	int mouse_row, mouse_col;
	int tab_from[32], tab_to[32]; /* columns of the tabs drawn, by pane; -1 none */

	struct probe_set asked; /* that the source was told of */
	struct script script;
	bool is_dirty, is_quitting;
	int status;
};

/* console.c */
int pane_index(const struct pane *pane);
struct target_state *console_state(struct console *c);
const struct snapshot *state_snapshot(const struct console *c, const struct target_state *t);
struct pane_view *console_pane_view(struct console *c);
/* Tell the source which probes the screen lives on. */
void console_hurry(struct console *c);
/* The same when columns or a detail now live on others than it was told of. */
void console_hurry_changed(struct console *c);
bool console_run_line(struct console *c, const char *line, struct error *err) MUST_CHECK;
/* As a key or the prompt does: errors go to the message line. */
void console_execute(struct console *c, const char *line);

void console_take_snapshots(struct console *c);

/* console_start.c */
bool console_open_screen(struct console *c, struct error *err) MUST_CHECK;
/* Theme and keymap; what cannot be found is replaced by the default, and said. */
void console_load_looks(struct console *c, struct doc *problems);
int console_first_pane(struct console *c, struct doc *problems);
void console_make_targets(struct console *c, int pane);
void console_show_problems(struct console *c, struct doc *problems);
void console_greet(struct console *c);
void console_release(struct console *c);

/* console_signal.c */
bool console_signals_open(struct error *err) MUST_CHECK;
void console_signals_close(void);
int console_signals_fd(void);
/* Acts on what came in. */
void console_signals(struct console *c);

/* console_title.c */
void console_draw_title(struct console *c, struct draw *screen, struct mono now);
void console_draw_tabs(struct console *c, struct draw *screen);

/* Takes the answer to a detail's own query; false when it is none. */
bool console_page_outcome(struct console *c, struct run_outcome *outcome);

/* console_draw.c */
void console_draw(struct console *c);
/* Why the shown data is late: "" when it is not. *next_ms: when to look again, -1 not before the
 * next snapshot. */
const char *console_late(struct console *c, struct mono now, char *buf, size_t size, int *next_ms);

/* console_keys.c */
void console_key(struct console *c, uint32_t key);
void console_paste(struct console *c, const char *text, size_t len);
void console_complete(void *ctx, const char *line, int point, int *start,
    void (*add)(void *arg, const char *text), void *arg);

/* console_doc.c */
struct page *console_page(struct console *c); /* on top, or NULL */
void console_close_page(struct console *c);
void console_update_detail(struct console *c);
void row_doc(const struct view *v, int row, struct doc *doc);

/* console_columns.c */
bool chooser_key(struct console *c, uint32_t key);
void chooser_draw(struct console *c, struct draw *d);

/* console_script.c */
bool script_open(struct script *s, const char *path, struct error *err) MUST_CHECK;
void script_release(struct script *s);
/* Runs the next step when nothing is loading. Milliseconds until it wants to look again; -1: the
 * script has ended. */
int script_step(struct console *c);

#endif
