/* Commands about the console itself: refresh, pause, target, colours, keys, the cursor, leaving. */
#include "config.h"

#include "app/cmd_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd_op.h"
#include "app/console.h"
#include "base/strbuf.h"

static const char *
rest_of(const struct run_ctx *ctx, const struct words *words, int from)
{
	return words->n > from ? ctx->line + words->w[from].at : "";
}

static bool
wrong_word(struct error *err, const char *what, const char *word, const char *const *right)
{
	error_set(err, ERR_USAGE, "%s \"%s\" is not known", what, word);
	const char *near = nearest_name(word, right);
	return near ? error_hint(err, "The nearest is \"%s\".", near) : false;
}

/* ------------------------------------------------------------------------------------ time */

/* The intervals that + and - step through, in ms. */
static const int steps[] = { 250, 500, 1000, 2000, 3000, 5000, 10000, 15000, 30000, 60000, 120000,
	300000 };

static int
step_refresh(int ms, bool slower)
{
	int n = (int)ARRAY_LEN(steps);

	if (slower) {
		for (int i = 0; i < n; i++)
			if (steps[i] > ms)
				return steps[i];
		return ms;
	}
	for (int i = n - 1; i >= 0; i--)
		if (steps[i] < ms)
			return steps[i];
	return ms;
}

static bool
refresh_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct console *c = ctx->console;
	const char *word = words->n > 1 ? words->w[1].text : "now";
	int ms;

	if (strcmp(word, "now") == 0) {
		console_now(c);
		return true;
	}
	if (strcmp(word, "slower") == 0 || strcmp(word, "faster") == 0) {
		console_refresh(c, step_refresh(console_refresh_ms(c), *word == 's'));
		return true;
	}
	if (!settings_parse_seconds(word, &ms)) {
		error_set(err, ERR_USAGE, "\"%s\" is no refresh interval", word);
		return error_hint(err, "Give seconds (0.25 to 3600), slower, faster or now.");
	}
	console_refresh(c, ms);
	return true;
}

/* '-' is two conventions: the view before, and a shorter interval after '+'. */
static bool
minus_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	if (console_is_adjusting(ctx->console))
		console_refresh(
		    ctx->console, step_refresh(console_refresh_ms(ctx->console), false));
	else
		console_previous(ctx->console);
	return true;
}

static bool
pause_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	bool paused = !console_is_paused(ctx->console);

	if (words->n > 1 && !settings_parse_bool(words->w[1].text, &paused))
		return error_set(
		    err, ERR_USAGE, "pause is on or off, not \"%s\"", words->w[1].text);
	console_pause(ctx->console, paused);
	return true;
}

static bool
target_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	if (words->n > 1)
		return console_target(ctx->console, words->w[1].text, err);
	for (int i = 0; i < ctx->targets->n; i++)
		strbuf_addf(ctx->out, "%s %s\n", &ctx->targets->items[i] == ctx->target ? "*" : " ",
		    ctx->targets->items[i].name);
	return true;
}

static bool
reconnect_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_reconnect(ctx->console);
	console_message(ctx->console, ROLE_INFO, "connecting anew");
	return true;
}

/* ------------------------------------------------------------------------------------ looks and
 * keys */

static void
list_names(struct strbuf *out, const char *const *names, const char *current)
{
	for (int i = 0; names[i]; i++)
		strbuf_addf(out, "%s %s\n", strcmp(names[i], current) == 0 ? "*" : " ", names[i]);
}

static bool
theme_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };

	if (words->n > 1)
		return console_theme(ctx->console, words->w[1].text, err);
	list_names(ctx->out, console_theme_names(&arena), console_theme_name(ctx->console));
	arena_release(&arena);
	return true;
}

static bool
keymap_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };

	if (words->n > 1)
		return console_keymap(ctx->console, words->w[1].text, err);
	list_names(ctx->out, console_keymap_names(&arena), console_keymap_name(ctx->console));
	arena_release(&arena);
	return true;
}

/* Both read their line themselves: a key may be a quote. */
static bool
bind_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	return console_bind(ctx->console, ctx->line + strspn(ctx->line, " \t"), err);
}

static bool
keys_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct doc doc = { 0 };

	(void)words;
	(void)err;
	console_keys_doc(ctx->console, &doc);
	console_doc(ctx->console, "keys", &doc);
	return true;
}

/* Settings of the console keep their names, of which no server has one; all else is the server's.
 */
static bool
is_of_server(const struct words *words)
{
	const char *name = words->n > 2 ? words->w[1].text : "theme";

	return !setting_by_name("console", name);
}

static bool
set_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct console *c = ctx->console;

	if (!ctx->screen || is_of_server(words))
		return cmd_op_run(ctx, words, err);
	if (words->n < 2) {
		for (const struct setting_info *s = setting_infos; s->section; s++)
			if (strcmp(s->section, "console") == 0)
				strbuf_addf(ctx->out, "%-14s %-12s %s\n", s->name,
				    settings_get(ctx->settings, s->name), s->help);
		return true;
	}
	const char *name = words->w[1].text;
	if (words->n < 3) {
		if (!setting_by_name("console", name))
			return settings_set(ctx->settings, name, "", err);
		strbuf_addf(ctx->out, "%s = %s\n", name, settings_get(ctx->settings, name));
		return true;
	}
	const char *value =
	    words->w[2].text[0] == '=' && words->n > 3 ? words->w[3].text : words->w[2].text;
	if (!settings_set(ctx->settings, name, value, err))
		return false;
	int ms;
	if (strcmp(name, "theme") == 0)
		return console_theme(c, value, err);
	if (strcmp(name, "keymap") == 0)
		return console_keymap(c, value, err);
	if (strcmp(name, "refresh") == 0 && settings_parse_seconds(value, &ms))
		console_refresh(c, ms);
	console_settings(c);
	return true;
}

/* ------------------------------------------------------------------------------------ cursor,
 * prompt, mouse */

static const char *const motions[] = { "up", "down", "page-up", "page-down", "half-up", "half-down",
	"top", "bottom", "left", "right", "first-column", "last-column", NULL };

static bool
cursor_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	int n = words->n > 2 ? (int)strtol(words->w[2].text, NULL, 10) : 1;

	for (int i = 0; motions[i]; i++)
		if (strcmp(motions[i], words->w[1].text) == 0) {
			console_move(
			    ctx->console, (enum console_motion)i, n > 0 && n < 10000 ? n : 1);
			return true;
		}
	return wrong_word(err, "motion", words->w[1].text, motions);
}

static bool
prompt_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const char *kind = words->n > 1 ? words->w[1].text : ":";
	static const char *const kinds[] = { ":", "/", NULL };

	if (strcmp(kind, ":") != 0 && strcmp(kind, "/") != 0)
		return wrong_word(err, "kind of prompt", kind, kinds);
	/* The text may end in a blank ("refresh "), which only quotes keep. */
	console_prompt(
	    ctx->console, *kind, words->n == 3 ? words->w[2].text : rest_of(ctx, words, 2));
	return true;
}

static bool
click_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)err;
	if (console_click(ctx->console) && words->n > 1)
		console_open_detail(ctx->console);
	return true;
}

static bool
redraw_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_redraw(ctx->console);
	return true;
}

static bool
suspend_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_suspend(ctx->console);
	return true;
}

static bool
back_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_back(ctx->console);
	return true;
}

static bool
leave_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	if (!console_close(ctx->console))
		console_quit(ctx->console, EXIT_DONE);
	return true;
}

static bool
quit_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_quit(ctx->console, EXIT_DONE);
	return true;
}

/* ------------------------------------------------------------------------------------ files */

/* A whole file or none: written beside it and renamed. */
static bool
write_file(const char *path, const struct strbuf *text, struct error *err)
{
	char *temporary = xasprintf("%s.new", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool is_ok = fd >= 0;

	for (size_t done = 0; is_ok && done < text->len;) {
		ssize_t n = write(fd, text->buf + done, text->len - done);
		is_ok = n > 0;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && close(fd) != 0)
		is_ok = false;
	if (is_ok && rename(temporary, path) != 0)
		is_ok = false;
	if (!is_ok) {
		error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
	}
	free(temporary);
	return is_ok;
}

static bool
save_display_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct strbuf text = STRBUF_INIT(8u << 20);

	console_dump(ctx->console, &text);
	bool is_ok = write_file(words->w[1].text, &text, err);
	strbuf_release(&text);
	return is_ok;
}

static bool
save_view_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct strbuf text = STRBUF_INIT(1u << 20);

	console_describe(ctx->console, &text);
	bool is_ok = write_file(words->w[1].text, &text, err);
	if (is_ok)
		console_message(ctx->console, ROLE_INFO, "view saved: its commands are in %s",
		    words->w[1].text);
	strbuf_release(&text);
	return is_ok;
}

/* ------------------------------------------------------------------------------------ the table */

const struct command cmd_refresh = {
	.name = "refresh",
	.usage = "refresh [SECONDS | slower | faster | now]",
	.help = "set the interval between refreshes, or refresh now",
	.args = { ARG_NUMBER },
	.max_args = 1,
	.needs_screen = true,
	.run = refresh_run,
};
const struct command cmd_minus = {
	.name = "previous-or-faster",
	.usage = "previous-or-faster",
	.help = "back to the previous view; right after a change of the interval: refresh faster",
	.needs_screen = true,
	.run = minus_run,
};
const struct command cmd_pause = {
	.name = "pause",
	.usage = "pause [on|off]",
	.help = "hold the screen still; collecting goes on",
	.args = { ARG_OPTION },
	.max_args = 1,
	.needs_screen = true,
	.run = pause_run,
};
const struct command cmd_target = {
	.name = "target",
	.usage = "target [NAME | next | previous]",
	.help = "watch another target; without a name list them",
	.args = { ARG_TARGET },
	.max_args = 1,
	.needs_screen = true,
	.run = target_run,
};
const struct command cmd_reconnect = {
	.name = "reconnect",
	.usage = "reconnect",
	.help = "connect to the target anew",
	.needs_screen = true,
	.run = reconnect_run,
};
const struct command cmd_theme = {
	.name = "theme",
	.usage = "theme [NAME]",
	.help = "change the colours; without a name list the themes",
	.args = { ARG_THEME },
	.max_args = 1,
	.needs_screen = true,
	.run = theme_run,
};
const struct command cmd_keymap = {
	.name = "keymap",
	.usage = "keymap [NAME]",
	.help = "change the keys; without a name list the keymaps",
	.args = { ARG_KEYMAP },
	.max_args = 1,
	.needs_screen = true,
	.run = keymap_run,
};
const struct command cmd_bind = {
	.name = "bind",
	.usage = "bind PANE|any|view KEY COMMAND",
	.help = "make a key run a command",
	.args = { ARG_PANE, ARG_KEY, ARG_COMMAND },
	.min_args = 1,
	.max_args = -1,
	.needs_screen = true,
	.rest_is_text = true,
	.run = bind_run,
};
const struct command cmd_unbind = {
	.name = "unbind",
	.usage = "unbind PANE|any|view KEY",
	.help = "make a key do nothing",
	.args = { ARG_PANE, ARG_KEY },
	.min_args = 1,
	.max_args = -1,
	.needs_screen = true,
	.rest_is_text = true,
	.run = bind_run,
};
const struct command cmd_keys = {
	.name = "keys",
	.usage = "keys",
	.help = "the keys that mean something here",
	.needs_screen = true,
	.run = keys_run,
};
const struct command cmd_set = {
	.name = "set",
	.usage = "set [NAME [VALUE]] | set PARAM VALUE|DEFAULT",
	.help =
	    "a setting of the console until it ends; any other name is a parameter of the server: ALTER SYSTEM, or a parameter group",
	.args = { ARG_OPTION, ARG_WORD },
	.max_args = -1,
	.run = set_run,
};
const struct command cmd_cursor = {
	.name = "cursor",
	.usage =
	    "cursor up|down|page-up|page-down|half-up|half-down|top|bottom|left|right|first-column|last-column [N]",
	.help = "move the cursor, or the columns",
	.args = { ARG_OPTION, ARG_NUMBER },
	.min_args = 1,
	.max_args = 2,
	.needs_screen = true,
	.run = cursor_run,
};
const struct command cmd_prompt = {
	.name = "prompt",
	.usage = "prompt [: | /] [TEXT]",
	.help = "open the command line, or the live filter",
	.args = { ARG_OPTION, ARG_TEXT },
	.max_args = -1,
	.needs_screen = true,
	.run = prompt_run,
};
const struct command cmd_click = {
	.name = "click",
	.usage = "click [open]",
	.help =
	    "select what the mouse points at: a row (and open it), a header to sort by, a pane's name",
	.args = { ARG_OPTION },
	.max_args = 1,
	.needs_screen = true,
	.run = click_run,
};
const struct command cmd_redraw = {
	.name = "redraw",
	.usage = "redraw",
	.help = "draw the whole screen anew",
	.needs_screen = true,
	.run = redraw_run,
};
const struct command cmd_suspend = {
	.name = "suspend",
	.usage = "suspend",
	.help = "stop the program; fg brings it back",
	.needs_screen = true,
	.run = suspend_run,
};
const struct command cmd_back = {
	.name = "back",
	.usage = "back",
	.help = "one level back: close a document, the expanded row, a filter",
	.needs_screen = true,
	.run = back_run,
};
const struct command cmd_leave = {
	.name = "leave",
	.usage = "leave",
	.help = "close the document; without one quit",
	.needs_screen = true,
	.run = leave_run,
};
const struct command cmd_quit = {
	.name = "quit",
	.alias = "q",
	.usage = "quit",
	.help = "end the console",
	.needs_screen = true,
	.run = quit_run,
};
const struct command cmd_save_display = {
	.name = "save-display",
	.usage = "save-display FILE",
	.help = "write the screen as text, and which roles its cells have",
	.risk = RISK_FILE,
	.args = { ARG_FILE },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = save_display_run,
};
const struct command cmd_save_view = {
	.name = "save-view",
	.usage = "save-view FILE",
	.help = "write the commands that bring this view back",
	.risk = RISK_FILE,
	.args = { ARG_FILE },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = save_view_run,
};
