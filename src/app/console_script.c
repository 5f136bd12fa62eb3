/*
 * A script drives the console in place of a terminal: lines that begin with ':' are typed at the
 * prompt and end with Enter, other lines are keys as keymaps write them ("jj<Enter>"), '#' begins a
 * comment. ":wait sample N" runs the next line after N more snapshots. At its end the console
 * quits; a wait that takes too long fails it.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/mem.h"
#include "base/utf8.h"

enum {
	SCRIPT_MAX = 1 << 20,
	WATCHDOG_MS = 20000, /* a wait that takes longer fails the script */
	LOOK_AGAIN_MS = 50,
};

bool
script_open(struct script *s, const char *path, struct error *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return error_set(
		    err, ERR_FILE, "cannot read the script %s: %s", path, strerror(errno));
	s->text = xcalloc(1, SCRIPT_MAX + 1);
	size_t n = fread(s->text, 1, SCRIPT_MAX, f);
	fclose(f);
	s->text[n] = '\0';
	s->next = s->text;
	return true;
}

void
script_release(struct script *s)
{
	free(s->text);
	s->text = s->next = NULL;
}

static void
script_fail(struct console *c, const char *why, const char *word)
{
	fprintf(stderr, "%s:%d: %s%s%s\n", c->conf->script, c->script.line, why, *word ? ": " : "",
	    word);
	c->script.failed = true;
}

/* Typed key by key, so that live filtering and history are tested too. */
static void
type_line(struct console *c, const char *line)
{
	console_prompt(c, ':', "");
	for (const char *p = line; *p;) {
		uint32_t cp;
		p += utf8_decode(p, strlen(p), &cp);
		console_key(c, cp);
	}
	console_key(c, TK_ENTER);
}

static void
press_keys(struct console *c, const char *line)
{
	while (*line) {
		uint32_t key;
		size_t n = key_parse(line, &key);
		if (n == 0) {
			script_fail(c, "unknown key", line);
			return;
		}
		console_key(c, key);
		line += n;
	}
}

/* The next line without its line break; NULL at the end. */
static char *
next_line(struct script *s)
{
	while (s->next && *s->next) {
		char *line = s->next;
		size_t len = strcspn(line, "\n");
		s->next = line + len + (line[len] == '\n');
		line[len] = '\0';
		s->line++;
		line += strspn(line, " \t");
		if (*line && *line != '#')
			return line;
	}
	return NULL;
}

/* Nothing to show yet: the first answer is still to come. */
static bool
is_loading(struct console *c)
{
	const struct snapshot *s = console_state(c)->snap;
	return s->link == LINK_CONNECTING && !*s->link_what;
}

static bool
is_waiting(struct console *c)
{
	struct script *s = &c->script;
	const struct source *source = &c->conf->source;

	if (s->wait_samples > 0 &&
	    console_state(c)->snap->seq >= s->wait_from + (uint64_t)s->wait_samples)
		s->wait_samples = 0;
	bool acts = c->acting &&
	    (acting_state(c->acting) == ACTING_LOOKING ||
	        acting_state(c->acting) == ACTING_RUNNING);
	if (!is_loading(c) && s->wait_samples == 0 && !acts)
		return false;
	if (s->wait_samples > 0 && source->ops->step && source->ops->step(source->self, 1))
		return true;
	if (s->since.us == 0)
		s->since = mono_now();
	if (mono_since_ms(mono_now(), s->since) > WATCHDOG_MS)
		script_fail(c, "nothing came within 20 s", "");
	return true;
}

int
script_step(struct console *c)
{
	struct script *s = &c->script;

	if (c->is_dirty)
		console_draw(c);
	if (is_waiting(c))
		return s->failed ? -1 : LOOK_AGAIN_MS;
	s->since = (struct mono){ 0 };
	char *line = next_line(s);
	if (!line || s->failed)
		return -1;
	int n;
	if (sscanf(line, ":wait sample %d", &n) == 1 && n > 0) {
		s->wait_samples = n;
		s->wait_from = console_state(c)->snap->seq;
	} else if (strncmp(line, ":save-display ", 14) == 0) {
		/* Not typed, which would wipe the message that is to be seen. */
		console_execute(c, line + 1);
	} else if (*line == ':') {
		type_line(c, line + 1);
	} else {
		press_keys(c, line);
	}
	c->is_dirty = true;
	return s->failed ? -1 : 0;
}
