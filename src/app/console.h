/*
 * The console: the screen, its panes and its prompt. Screen-only commands (cmd_screen.c) change it
 * through these functions; other commands see it through run_ctx.screen. UI thread.
 */
#ifndef PGMEDIC_APP_CONSOLE_H
#define PGMEDIC_APP_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/historian.h"
#include "app/options.h"
#include "app/run.h"
#include "app/settings.h"
#include "app/source.h"
#include "app/targets.h"
#include "base/doc.h"
#include "base/error.h"
#include "panes/view.h"

struct console;

/* ------------------------------------------------------------------------------------------- start
 */

struct console_conf {
	const struct options *opt;
	struct settings *settings;
	const struct targets *targets; /* as many as the source has, in its order */
	struct source source;
	struct collector *collector; /* for acts; NULL: nothing can be done here (a recording) */
	struct historian *historian; /* told which chart is looked at; NULL: none */
	struct alerting *alerting;   /* what becomes of alerts; NULL: nothing (a recording) */
	int wake_fd; /* read end: a byte when a snapshot or an outcome is ready; -1 none */
	int target;  /* shown first */
	const char *history_path; /* of the prompt; NULL: not kept */
	const char
	    *script; /* PGMEDIC_SCRIPT: file of keys and commands; then no terminal is needed */
};

/* Opens the screen, runs until quit, restores the terminal. Returns the exit status; *err is set
 * when the screen cannot be opened (status EXIT_FAILED). What conf points to must live as long. */
int console_main(const struct console_conf *conf, struct error *err);

/* What commands see of it as run_ctx.screen. */
extern const struct run_screen console_screen;

/* Names of the themes and keymaps there are (config folder, installed, built in), sorted,
 * NULL-terminated, in the arena. */
const char *const *console_theme_names(struct arena *arena);
const char *const *console_keymap_names(struct arena *arena);

/* -------------------------------------------------------------------------------------- what is
 * shown */

/* The snapshot on the screen (held while paused); borrowed until the loop turns. Never NULL. */
const struct snapshot *console_snapshot(struct console *c);
struct alerting *console_alerting(struct console *c); /* NULL: a recording */
const struct source *console_source(const struct console *c);
/* The shown pane's view with its grid up to date. */
struct view *console_view(struct console *c);
bool console_is_paused(const struct console *c);
int console_refresh_ms(const struct console *c);
/* Did the last key change the refresh interval? */
bool console_is_adjusting(const struct console *c);
const char *console_theme_name(const struct console *c);
const char *console_keymap_name(const struct console *c);
/* The pane that keys are looked up for: its name, or "view" while a document is shown. */
const char *console_context(const struct console *c);
/* The keys that mean something here, for help. */
void console_keys_doc(struct console *c, struct doc *doc);

/* -------------------------------------------------------------------------------------- changing
 * it */

bool console_pane(struct console *c, const char *name, struct error *err) MUST_CHECK;
/* Another pane with a filter of its own ("blocked_by:42"): L, drilling in. */
bool console_drill(
    struct console *c, const char *name, const char *filter, struct error *err) MUST_CHECK;
/* The view before this one ('-'). */
void console_previous(struct console *c);
/* A target's name, or "next", "previous". */
bool console_target(struct console *c, const char *name, struct error *err) MUST_CHECK;
bool console_theme(struct console *c, const char *name, struct error *err) MUST_CHECK;
bool console_keymap(struct console *c, const char *name, struct error *err) MUST_CHECK;
/* "bind any <F5> tree  # help" or "unbind …". */
bool console_bind(struct console *c, const char *line, struct error *err) MUST_CHECK;
void console_refresh(struct console *c, int ms);
/* Settings were changed: take those that the screen uses. */
void console_settings(struct console *c);
void console_now(struct console *c);
void console_reconnect(struct console *c);
void console_pause(struct console *c, bool paused);
void console_quit(struct console *c, int status);
/* Close a document, clear a filter: one level back; false at the top. */
bool console_back(struct console *c);
/* Close the document or chooser on top; false: there is none. */
bool console_close(struct console *c);
/* Open the prompt: ':' with a text already typed, or '/' for the live filter. */
void console_prompt(struct console *c, char kind, const char *text);
/* Find in the document, or walk the rows that match the filter. */
bool console_find(struct console *c, bool backwards);
void console_open_detail(struct console *c);
/* Long lines of the document, when one is shown, wrapped or cut: the other way. */
void console_wrap(struct console *c);
enum console_motion {
	MOVE_UP,
	MOVE_DOWN,
	MOVE_PAGE_UP,
	MOVE_PAGE_DOWN,
	MOVE_HALF_UP,
	MOVE_HALF_DOWN,
	MOVE_TOP,
	MOVE_BOTTOM,
	MOVE_LEFT,
	MOVE_RIGHT,
	MOVE_FIRST_COLUMN,
	MOVE_LAST_COLUMN,
};
/* The cursor, or the document; n times. */
void console_move(struct console *c, enum console_motion motion, int n);
/* What the mouse pointed at last: select the row (then true), sort by the header, show the pane. */
bool console_click(struct console *c);
void console_redraw(struct console *c);
void console_suspend(struct console *c);
void console_dump(struct console *c, struct strbuf *out);
/* For `save view`: the commands that bring the present screen back, one a line. */
void console_describe(struct console *c, struct strbuf *out);

/* -------------------------------------------------------------------------------------------
 * talking */

/* One line above the hints, until the next key. */
void console_message(struct console *c, enum role role, const char *fmt, ...) PRINTF_LIKE(3, 4);
void console_error(struct console *c, const struct error *err);
/* A document over the table (help, detail); the content is taken: *doc is empty afterwards. */
void console_doc(struct console *c, const char *title, struct doc *doc);
/* A list to choose columns from. */
void console_choose_columns(struct console *c);
/* To the terminal's clipboard; the text is cleaned. */
void console_copy(struct console *c, const char *text, size_t len);

#endif
