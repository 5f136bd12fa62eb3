/*
 * The terminal: opened once, restored on every way out. Drawing is tui/draw.h. UI thread, but for
 * screen_restore.
 */
#ifndef PGMEDIC_TUI_SCREEN_H
#define PGMEDIC_TUI_SCREEN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "tui/draw.h"
#include "tui/theme.h"

struct screen_options {
	bool no_color; /* --no-color; NO_COLOR in the environment does the same */
	bool ascii;    /* --ascii; a locale without UTF-8 does the same */
	bool mouse;
	bool headless;  /* no terminal: output goes nowhere, for tests */
	int rows, cols; /* of a headless screen */
	int colors;     /* of a headless screen: 0, 8, 16, 256 */
};

/* Opens the terminal on standard input and output. Fails without one, or with a TERM that cannot
 * position the cursor. Registers the fatal() hook and handlers for deadly signals that restore the
 * terminal. */
bool screen_open(const struct screen_options *options, struct error *err) MUST_CHECK;
/* Back to the shell's screen. Harmless when not open. */
void screen_close(void);
/* Puts the terminal back with nothing but write and tcsetattr: from signal handlers, fatal() and
 * other threads. */
void screen_restore(void);

int screen_rows(void);
int screen_cols(void);
int screen_colors(void);
bool screen_is_headless(void);
void screen_theme(const struct theme *theme);

/* The whole screen as a rectangle. */
struct draw screen_area(void);
/* Start a frame with an empty screen. */
void screen_begin(void);
/* Show what was drawn: only cells that differ go out. The cursor is shown at (row, col), or hidden
 * when row < 0. */
void screen_show(int row, int col);
/* Ctrl-L: everything goes out again with the next screen_show. */
void screen_repaint(void);
/* After SIGWINCH: take the terminal's new size. True when it differs. */
bool screen_resize(void);
/* Ctrl-Z: restore the terminal, stop the process group, and take the screen again when continued.
 */
void screen_suspend(void);
/* Leave and re-enter the screen around an external program. */
void screen_leave(void);
void screen_enter(void);
/* Clipboard of the user's terminal (OSC 52); `text` of any bytes, at most 74,000 are sent. False:
 * no terminal. */
bool screen_copy(const char *text, size_t len);
void screen_beep(void);

/* Text of the screen row by row, trailing blanks removed, then per row its runs of roles ("3: 0-9
 * title 10-79 status"). Rows wholly in role normal are left out of the second part. */
void screen_dump(struct strbuf *out);

#endif
