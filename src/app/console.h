/*
 * The console: the screen, its panes and its prompt. Commands reach it through these functions; a command that runs without
 * a screen gets no console (NULL). UI thread.
 */
#ifndef PGMEDIC_APP_CONSOLE_H
#define PGMEDIC_APP_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/source.h"
#include "base/doc.h"
#include "base/error.h"
#include "panes/view.h"

struct console;
struct run_ctx;

/* ------------------------------------------------------------------------------------------- start */

struct console_target {
	const char *name;
	const char *color;	/* environment colour: red yellow green blue magenta, NULL none */
	const char *pane;	/* first pane, NULL: the console's */
	bool is_protected, is_read_only;
};

struct console_columns {	/* columns.PANE of the configuration */
	const char *pane, *columns;	/* blank- or comma-separated */
};

struct console_conf {
	struct source source;
	int wake_fd;			/* read end: a byte when a snapshot or an outcome is ready */
	const struct console_target *targets;	/* as many as the source has */
	int ntargets;
	int target;			/* shown first */
	const char *pane;		/* NULL: overview */
	const char *theme, *keymap;	/* NULL: dark, default */
	int refresh_ms;
	const struct console_columns *columns;
	int ncolumns;
	bool is_read_only, no_color, ascii, no_mouse;
	const char *history_path;	/* of the prompt; NULL: not kept */
	const char *script;		/* PGMEDIC_SCRIPT: file of keys and commands; then no terminal is needed */
	const struct doc *problems;	/* of the configuration, shown at the start; may be NULL */
	struct run_ctx *run;		/* given to commands */
	/* Runs one command line. */
	bool (*command)(struct run_ctx *run, const char *line, struct error *err);
	/* Completes a command line, as prompt_completer. May be NULL. */
	void (*complete)(struct run_ctx *run, const char *line, int point, int *start,
	    void (*add)(void *arg, const char *text), void *arg);
};

/* Opens the screen. What conf points to must outlive the console. */
struct console *console_new(const struct console_conf *conf, struct error *err);
/* Runs until quit; returns the exit status. */
int console_loop(struct console *c);
void console_free(struct console *c);

/* -------------------------------------------------------------------------------------- what is shown */

int console_target_index(const struct console *c);
const struct console_target *console_target_conf(const struct console *c);
/* The snapshot on the screen (held while paused); borrowed until the loop turns. Never NULL. */
const struct snapshot *console_snapshot(struct console *c);
/* The newest one, also while paused. Borrowed. */
const struct snapshot *console_live_snapshot(struct console *c);
/* The shown pane's view with its grid up to date. */
struct view *console_view(struct console *c);
bool console_is_read_only(const struct console *c);
bool console_is_paused(const struct console *c);
/* Pids that an action is meant for: the tagged ones, else that under the cursor. Returns how many. */
int console_pids(struct console *c, int64_t *pids, int max);

/* -------------------------------------------------------------------------------------- changing it */

bool console_pane(struct console *c, const char *name, struct error *err) MUST_CHECK;
/* To the view before this one ('-'). */
void console_previous(struct console *c);
bool console_target(struct console *c, const char *name, struct error *err) MUST_CHECK;	/* also "next", "prev" */
bool console_theme(struct console *c, const char *name, struct error *err) MUST_CHECK;
bool console_keymap(struct console *c, const char *name, struct error *err) MUST_CHECK;
/* "bind any <F5> tree  # help" or "unbind …". */
bool console_bind(struct console *c, const char *line, struct error *err) MUST_CHECK;
void console_refresh(struct console *c, int ms);
int console_refresh_ms(const struct console *c);
void console_pause(struct console *c, bool paused);
void console_quit(struct console *c, int status);
/* Leave documents, filter, drill-down: one level; false at the top. */
bool console_back(struct console *c);
/* Open the prompt with a text already typed. */
void console_prompt(struct console *c, const char *text);

/* ------------------------------------------------------------------------------------------- talking */

/* One line above the hints until the next key that does something. */
void console_message(struct console *c, enum role role, const char *fmt, ...) PRINTF_LIKE(3, 4);
void console_error(struct console *c, const struct error *err);
/* A document over the table (plan, help, detail); the content is taken from *doc, which is empty afterwards. */
void console_doc(struct console *c, const char *title, struct doc *doc);
/* Sends text to the terminal's clipboard; the text is cleaned. */
void console_copy(struct console *c, const char *text, size_t len);

enum confirm_kind {
	CONFIRM_YES,	/* y */
	CONFIRM_WORD,	/* type `word`: the count for many, the target's name where it is protected */
};

struct confirm {
	const char *title;	/* "terminate 3 sessions" */
	struct doc *plan;	/* shown in full; taken, may be NULL */
	enum confirm_kind kind;
	const char *word;
	int timeout_s;		/* 0: 60 */
	/* Called once: given, or not (no, Esc, expired; err says which). */
	void (*done)(void *arg, bool is_given, const struct error *err);
	void *arg;
};
/* Asks; returns at once. A confirmation that is open already is answered with no. */
void console_confirm(struct console *c, const struct confirm *confirm);

/* Run a named query on the action connection of the shown target; `done` is called with its outcome (and need not unref the rows).
 * False and *err: the queue is full, or the source has no server. */
bool console_run_query(struct console *c, const struct run_request *req,
    void (*done)(void *arg, const struct run_outcome *outcome), void *arg, struct error *err) MUST_CHECK;
/* Call `fn` in `ms` milliseconds from the loop, once. */
void console_after(struct console *c, int ms, void (*fn)(void *arg), void *arg);
/* Something is under way ("terminating 3 sessions"): shown, and Ctrl-C calls `cancel`. NULL: no longer. */
void console_busy(struct console *c, const char *what, void (*cancel)(void *arg), void *arg);
/* Leave the screen, run a program with the terminal, come back. argv is NULL-terminated; env entries "NAME=value" are added. */
bool console_spawn(struct console *c, const char *const *argv, const char *const *env, struct error *err) MUST_CHECK;

#endif
