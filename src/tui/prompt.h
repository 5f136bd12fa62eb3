/*
 * The line at the bottom: readline inside the screen, driven key by key, so that the console goes
 * on refreshing. One prompt at a time. UI thread.
 */
#ifndef PGMEDIC_TUI_PROMPT_H
#define PGMEDIC_TUI_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tui/draw.h"

enum prompt_kind { PROMPT_COMMAND, PROMPT_FILTER, PROMPT_ANSWER, PROMPT_KINDS };

/*
 * Completions of the word that ends at `point` of `line`: call add(arg, text) for each candidate,
 * whole words that replace line[*start, point). Sets *start.
 */
struct prompt_completer {
	void (*complete)(void *ctx, const char *line, int point, int *start,
	    void (*add)(void *arg, const char *text), void *arg);
	void *ctx;
};

/* Once; history_path may be NULL (none kept). Needs no terminal. */
void prompt_setup(const char *history_path, struct prompt_completer completer);
void prompt_teardown(void);

/* Opens the prompt with a label (":" or "/" or "type 3 to terminate: ") and a first text. */
void prompt_open(enum prompt_kind kind, const char *label, const char *text);
void prompt_close(void);
bool prompt_is_open(void);
enum prompt_kind prompt_kind(void);
/* What is typed so far; borrowed until the next call. */
const char *prompt_text(void);

enum prompt_result { PROMPT_EDITING, PROMPT_ACCEPTED, PROMPT_CANCELLED };
/* Feed a key. PROMPT_ACCEPTED: *line (borrowed until the next prompt call) is what was typed; the
 * prompt is closed, and a command is in the history. PROMPT_CANCELLED: Esc, Ctrl-C, Ctrl-G, or
 * Backspace on an empty line. */
enum prompt_result prompt_key(uint32_t key, const char **line);
/* Pasted text: line breaks become blanks. */
void prompt_paste(const char *text, size_t len);

/* Draws into one row (the last of d) and, above it, the completions when there are several; *col is
 * where the cursor belongs. */
void prompt_draw(struct draw *d, int *col);
/* Rows that completions want above the prompt now, at most max. */
int prompt_extra_rows(int cols, int max);

#endif
