/*
 * readline inside the screen. It is fed key by key through its callback interface, reads from a
 * small byte queue instead of the terminal, draws nothing itself, and is kept from signals,
 * terminal modes and the environment. All state is the UI thread's, as readline's own is.
 */
#include "config.h"

#include "tui/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tui/key.h"

enum {
	HISTORY_KEEP = 1000, /* lines */
	HISTORY_TRIM = 2000, /* the file is rewritten when it has more */
	LINE_MAX_BYTES = 64 * 1024,
	MAX_CANDIDATES = 500,
};

static struct {
	bool is_ready, is_open;
	enum prompt_kind kind;
	char label[80];
	struct prompt_completer completer;
	char *history_path;
	HISTORY_STATE *histories[PROMPT_KINDS];

	unsigned char queue[64]; /* bytes for readline */
	size_t queue_from, queue_to;

	bool is_done;       /* a line was accepted */
	struct strbuf line; /* that line, or what prompt_text returns */
	char **candidates;  /* completions on display, NULL-terminated; [0] is the common part */
	int ncandidates;
	FILE *null_in, *null_out;
} prompt = { .line = STRBUF_INIT(LINE_MAX_BYTES) };

/* ------------------------------------------------------------------------------------ history */

static bool
has_secret(const char *line)
{
	struct strbuf clean = STRBUF_INIT(2 * LINE_MAX_BYTES);
	bool differs;

	redact(&clean, line);
	differs = strcmp(clean.buf, line) != 0;
	strbuf_release(&clean);
	return differs;
}

/* One write(2) of a whole line in append mode: lines of several consoles never mix. What holds a
 * password is remembered as long as the program runs, and not written. */
static void
history_append(const char *line)
{
	if (!prompt.history_path || has_secret(line))
		return;
	int fd = open(prompt.history_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	char *text = xasprintf("%s\n", line);
	ssize_t n = write(fd, text, strlen(text));
	(void)n; /* a full disk costs the history line, not the command */
	free(text);
	close(fd);
}

/* Keeps the newest lines; the old file stays whole until the new one is complete. */
static void
history_trim(void)
{
	if (history_length <= HISTORY_TRIM)
		return;
	stifle_history(HISTORY_KEEP);
	unstifle_history();
	char *new_path = xasprintf("%s.new", prompt.history_path);
	mode_t old = umask(077);
	if (write_history(new_path) == 0 && rename(new_path, prompt.history_path) != 0)
		unlink(new_path);
	umask(old);
	free(new_path);
}

static void
history_switch(enum prompt_kind kind)
{
	static HISTORY_STATE empty;

	free(prompt.histories[prompt.kind]);
	prompt.histories[prompt.kind] = history_get_history_state();
	history_set_history_state(prompt.histories[kind] ? prompt.histories[kind] : &empty);
	prompt.kind = kind;
	using_history();
}

static void
history_remember(const char *line)
{
	HIST_ENTRY *last =
	    history_length > 0 ? history_get(history_base + history_length - 1) : NULL;

	if (prompt.kind == PROMPT_ANSWER || !*line || (last && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	if (prompt.kind == PROMPT_COMMAND)
		history_append(line);
}

/* ------------------------------------------------------------------------------------ completion
 */

static void
candidates_clear(void)
{
	for (int i = 0; i < prompt.ncandidates; i++)
		free(prompt.candidates[i]);
	free(prompt.candidates);
	prompt.candidates = NULL;
	prompt.ncandidates = 0;
}

struct gathered {
	char **items;
	int n, cap;
};

static void
gather(void *arg, const char *text)
{
	struct gathered *g = arg;
	if (g->n >= MAX_CANDIDATES)
		return;
	GROW(g->items, g->n, g->cap);
	g->items[g->n++] = xstrdup(text);
}

static size_t
common_length(const struct gathered *g)
{
	size_t len = strlen(g->items[0]);
	for (int i = 1; i < g->n; i++) {
		size_t same = 0;
		while (same < len && g->items[i][same] == g->items[0][same])
			same++;
		len = same;
	}
	/* Not in the middle of a character. */
	while (len > 0 && ((unsigned char)g->items[0][len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void
replace_word(int start, const char *text, size_t len, bool add_blank)
{
	char *word = xstrndup(text, len);

	rl_begin_undo_group();
	rl_delete_text(start, rl_point);
	rl_point = start;
	rl_insert_text(word);
	if (add_blank && rl_line_buffer[rl_point] != ' ')
		rl_insert_text(" ");
	rl_end_undo_group();
	free(word);
}

/* Tab. Our completer knows the whole line, so readline's word breaking is left aside. */
static int
complete(int count, int key)
{
	(void)count;
	(void)key;
	struct gathered g = { 0 };
	int start = rl_point;

	candidates_clear();
	if (prompt.kind == PROMPT_COMMAND && prompt.completer.complete)
		prompt.completer.complete(
		    prompt.completer.ctx, rl_line_buffer, rl_point, &start, gather, &g);
	if (g.n == 0 || start > rl_point || start < 0) {
		for (int i = 0; i < g.n; i++)
			free(g.items[i]);
		free(g.items);
		return 0;
	}
	size_t len = common_length(&g);
	bool is_only = g.n == 1, is_longer = len > (size_t)(rl_point - start);
	bool is_folder = is_only && len > 0 && g.items[0][len - 1] == '/';
	if (is_only || is_longer)
		replace_word(start, g.items[0], len, is_only && !is_folder);
	prompt.candidates = g.items;
	prompt.ncandidates = g.n;
	if (is_only)
		candidates_clear();
	return 0;
}

/* ------------------------------------------------------------------------------------ hooks */

static int
next_byte(FILE *file)
{
	(void)file;
	return prompt.queue_from < prompt.queue_to ? prompt.queue[prompt.queue_from++] : EOF;
}

static int
has_byte(void)
{
	return prompt.queue_from < prompt.queue_to;
}

static void
redisplay(void)
{
}

static void
prep_nothing(int meta)
{
	(void)meta;
}

static void
deprep_nothing(void)
{
}

static void
on_line(char *line)
{
	strbuf_clear(&prompt.line);
	strbuf_adds(&prompt.line, line ? line : "");
	free(line);
	prompt.is_done = true;
	rl_callback_handler_remove();
}

static void
readline_setup(void)
{
	prompt.null_in = fopen("/dev/null", "re");
	prompt.null_out = fopen("/dev/null", "we");
	rl_readline_name = "pgmedic";
	rl_terminal_name = "dumb";
	rl_instream = prompt.null_in;
	rl_outstream = prompt.null_out;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_getc_function = next_byte;
	rl_input_available_hook = has_byte;
	rl_redisplay_function = redisplay;
	rl_prep_term_function = prep_nothing;
	rl_deprep_term_function = deprep_nothing;
	rl_bind_key('\t', complete);
	rl_initialize();
	rl_bind_key('\t', complete);
	/* Alt-Enter and the like must not start programs or write files. */
	rl_variable_bind("bell-style", "none");
	rl_variable_bind("enable-bracketed-paste", "off");
	rl_unbind_command_in_map("edit-and-execute-command", emacs_standard_keymap);
	rl_unbind_command_in_map("edit-and-execute-command", emacs_ctlx_keymap);
	rl_unbind_command_in_map("vi-edit-and-execute-command", vi_movement_keymap);
	rl_set_keyboard_input_timeout(0);
}

void
prompt_setup(const char *history_path, struct prompt_completer completer)
{
	prompt.completer = completer;
	if (prompt.is_ready)
		return;
	readline_setup();
	using_history();
	prompt.kind = PROMPT_COMMAND;
	if (history_path) {
		prompt.history_path = xstrdup(history_path);
		read_history(history_path);
		history_trim();
		using_history();
	}
	prompt.is_ready = true;
}

void
prompt_teardown(void)
{
	if (!prompt.is_ready)
		return;
	prompt_close();
	for (int i = 0; i < PROMPT_KINDS; i++) {
		static HISTORY_STATE empty;
		history_switch((enum prompt_kind)i);
		clear_history();
		HISTORY_STATE *state = history_get_history_state();
		free(state->entries);
		free(state);
		history_set_history_state(&empty);
	}
	for (int i = 0; i < PROMPT_KINDS; i++) {
		free(prompt.histories[i]);
		prompt.histories[i] = NULL;
	}
	prompt.kind = PROMPT_COMMAND;
	free(prompt.history_path);
	strbuf_release(&prompt.line);
	if (prompt.null_in)
		fclose(prompt.null_in);
	if (prompt.null_out)
		fclose(prompt.null_out);
	prompt.history_path = NULL;
	prompt.null_in = prompt.null_out = NULL;
	prompt.is_ready = false;
}

/* ------------------------------------------------------------------------------------ the line */

void
prompt_open(enum prompt_kind kind, const char *label, const char *text)
{
	prompt_close();
	if (kind != prompt.kind)
		history_switch(kind);
	snprintf(prompt.label, sizeof(prompt.label), "%s", label);
	prompt.queue_from = prompt.queue_to = 0;
	prompt.is_done = false;
	prompt.is_open = true;
	rl_callback_handler_install(prompt.label, on_line);
	if (text && *text) {
		rl_insert_text(text);
		rl_point = rl_end;
	}
}

void
prompt_close(void)
{
	candidates_clear();
	if (!prompt.is_open)
		return;
	if (!prompt.is_done) {
		rl_free_line_state();
		rl_callback_sigcleanup();
		rl_callback_handler_remove();
	}
	prompt.is_open = false;
}

bool
prompt_is_open(void)
{
	return prompt.is_open;
}

enum prompt_kind
prompt_kind(void)
{
	return prompt.kind;
}

const char *
prompt_text(void)
{
	return prompt.is_open && !prompt.is_done ? rl_line_buffer : prompt.line.buf;
}

static void
queue_add(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && prompt.queue_to < sizeof(prompt.queue); i++)
		prompt.queue[prompt.queue_to++] = (unsigned char)bytes[i];
}

static const char *
named_sequence(uint32_t key)
{
	switch (key) {
	case TK_ENTER:
		return "\r";
	case TK_ESC:
		return "\033";
	case TK_TAB:
		return "\t";
	case TK_BACKSPACE:
		return "\x7f";
	case TK_UP:
		return "\033[A";
	case TK_DOWN:
		return "\033[B";
	case TK_RIGHT:
		return "\033[C";
	case TK_LEFT:
		return "\033[D";
	case TK_HOME:
		return "\001";
	case TK_END:
		return "\005";
	case TK_DELETE:
		return "\033[3~";
	case TK_LEFT | TK_CTRL:
		return "\033b";
	case TK_RIGHT | TK_CTRL:
		return "\033f";
	}
	return NULL;
}

/* The bytes a terminal would send for this key, in the locale's encoding. */
static void
queue_key(uint32_t key)
{
	const char *named = named_sequence(key & ~TK_ALT);
	uint32_t code = TK_CODE(key);

	prompt.queue_from = prompt.queue_to = 0;
	if (key & TK_ALT)
		queue_add("\033", 1);
	if (named) {
		queue_add(named, strlen(named));
	} else if (code >= TK_FIRST) {
		prompt.queue_to = 0;
	} else if (key & TK_CTRL) {
		char c = code == ' ' ? 0 : (char)(code & 0x1f);
		queue_add(&c, 1);
	} else {
		char bytes[MB_LEN_MAX];
		mbstate_t state = { 0 };
		size_t n = wcrtomb(bytes, (wchar_t)code, &state);
		if (n != (size_t)-1)
			queue_add(bytes, n);
	}
}

static bool
is_cancel(uint32_t key)
{
	if (key == ('c' | TK_CTRL))
		return true;
	if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH))
		return false;
	if (key == ('g' | TK_CTRL))
		return true;
	if (key == TK_ESC)
		return rl_editing_mode == 1;
	return rl_end == 0 && (key == TK_BACKSPACE || key == ('d' | TK_CTRL));
}

enum prompt_result
prompt_key(uint32_t key, const char **line)
{
	*line = "";
	if (!prompt.is_open)
		return PROMPT_CANCELLED;
	if (key != TK_TAB)
		candidates_clear();
	if (is_cancel(key)) {
		prompt_close();
		return PROMPT_CANCELLED;
	}
	if (rl_end > LINE_MAX_BYTES / 2 && TK_CODE(key) < TK_FIRST && key == TK_CODE(key))
		return PROMPT_EDITING;
	queue_key(key);
	while (has_byte() && !prompt.is_done)
		rl_callback_read_char();
	if (!prompt.is_done)
		return PROMPT_EDITING;
	history_remember(prompt.line.buf);
	prompt_close();
	*line = prompt.line.buf;
	return PROMPT_ACCEPTED;
}

void
prompt_paste(const char *text, size_t len)
{
	struct strbuf clean = STRBUF_INIT(LINE_MAX_BYTES / 2);

	if (!prompt.is_open)
		return;
	candidates_clear();
	utf8_clean(&clean, text, len, true);
	rl_insert_text(clean.buf);
	strbuf_release(&clean);
}

/* ------------------------------------------------------------------------------------ drawing */

static int
candidate_width(int cols)
{
	int widest = 1;
	for (int i = 0; i < prompt.ncandidates; i++) {
		int w = utf8_width(prompt.candidates[i], strlen(prompt.candidates[i]));
		if (w > widest)
			widest = w;
	}
	widest += 2;
	return widest < cols ? widest : cols;
}

int
prompt_extra_rows(int cols, int max)
{
	if (!prompt.is_open || prompt.ncandidates == 0 || cols <= 0)
		return 0;
	int per_row = cols / candidate_width(cols);
	if (per_row < 1)
		per_row = 1;
	int rows = (prompt.ncandidates + per_row - 1) / per_row;
	return rows < max ? rows : max;
}

static void
draw_candidates(struct draw *d)
{
	int rows = d->rows - 1, width = candidate_width(d->cols);
	int per_row = d->cols / width > 0 ? d->cols / width : 1;

	for (int i = 0; i < prompt.ncandidates && i / per_row < rows; i++) {
		bool is_last = i == rows * per_row - 1 && i + 1 < prompt.ncandidates;
		struct draw cell = { d->y + i / per_row, d->x + i % per_row * width, 1, width };
		if (is_last)
			draw_printf(&cell, 0, 0, ROLE_DIM, "%d more", prompt.ncandidates - i);
		else
			draw_text(&cell, 0, 0, ROLE_HINT, prompt.candidates[i]);
	}
}

void
prompt_draw(struct draw *d, int *col)
{
	struct strbuf before = STRBUF_INIT(2 * LINE_MAX_BYTES),
	              after = STRBUF_INIT(2 * LINE_MAX_BYTES);
	int row = d->rows - 1;

	if (d->rows > 1)
		draw_candidates(d);
	const char *label = RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG) &&
	        rl_display_prompt ?
	    rl_display_prompt :
	    prompt.label;
	utf8_clean(&before, label, strlen(label), true);
	/* utf8_clean trims and folds blanks, which a label's last blank and typed blanks must
	 * survive. */
	if (*label && label[strlen(label) - 1] == ' ' && before.len > 0 &&
	    before.buf[before.len - 1] != ' ')
		strbuf_addc(&before, ' ');
	int used = draw_textn(d, row, 0, ROLE_PROMPT, before.buf, before.len);
	strbuf_clear(&before);
	utf8_clean(&before, rl_line_buffer, (size_t)rl_point, false);
	utf8_clean(&after, rl_line_buffer + rl_point, (size_t)(rl_end - rl_point), false);
	/* Scroll sideways so that the cursor and a little of what follows stay visible. */
	int room = d->cols - used - 1;
	const char *text = before.buf;
	size_t len = before.len;
	while (len > 0 && utf8_width(text, len) > (room > 0 ? room : 0)) {
		uint32_t cp;
		size_t n = utf8_decode(text, len, &cp);
		text += n;
		len -= n;
	}
	used += draw_textn(d, row, used, ROLE_PROMPT, text, len);
	*col = used;
	used += draw_textn(d, row, used, ROLE_PROMPT, after.buf, after.len);
	draw_clear(d, row, used, ROLE_PROMPT);
	strbuf_release(&before);
	strbuf_release(&after);
}
