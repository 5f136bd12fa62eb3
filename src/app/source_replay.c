#include "config.h"

#include "app/source_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/run.h"
#include "collect/replay.h"

struct source_replay {
	struct replay *replay;
	char label[96];
	struct error error;	/* of a block that could not be read */
};

/* The one that the console plays, for its commands; set at the start, before the loop runs. */
static struct source_replay *current;

static int
count(void *self)
{
	struct source_replay *r = self;

	return replay_targets(r->replay);
}

static const struct snapshot *
snapshot(void *self, int i)
{
	struct source_replay *r = self;

	return replay_snapshot(r->replay, i);
}

static bool
ignore_show(void *self, int target, const enum probe_id *probes, int n)
{
	(void)self, (void)target, (void)probes, (void)n;
	return true;
}

static bool
ignore_refresh(void *self, int target, int ms)
{
	(void)self, (void)target, (void)ms;
	return true;
}

static bool
ignore_now(void *self, int target)
{
	(void)self, (void)target;
	return true;
}

static bool
ignore_reconnect(void *self, int target, const char *password)
{
	(void)self, (void)target, (void)password;
	return true;
}

static int
due_ms(void *self)
{
	struct source_replay *r = self;

	return replay_due_ms(r->replay, mono_now());
}

static void
tick(void *self)
{
	struct source_replay *r = self;

	(void)replay_tick(r->replay, mono_now(), &r->error);
}

static bool
step(void *self, int n)
{
	struct source_replay *r = self;

	replay_pause(r->replay, true);
	return replay_step(r->replay, n, &r->error);
}

static const char *
label(void *self)
{
	struct source_replay *r = self;
	struct wall first, last, at;
	char buf[40];
	const char *state = "";

	replay_span(r->replay, &first, &last, &at);
	if (*r->error.what)
		return r->error.what;
	if (replay_at_end(r->replay))
		state = ", end";
	else if (replay_is_paused(r->replay))
		state = ", paused";
	snprintf(r->label, sizeof(r->label), "replay %s, %gx%s", wall_hms(at, buf, sizeof(buf)), replay_speed(r->replay), state);
	return r->label;
}

static const struct source_ops ops = {
	.name = "replay",
	.count = count,
	.snapshot = snapshot,
	.show = ignore_show,
	.refresh_ms = ignore_refresh,
	.now = ignore_now,
	.reconnect = ignore_reconnect,
	.due_ms = due_ms,
	.tick = tick,
	.step = step,
	.label = label,
};

struct source
source_replay(struct source_replay *r)
{
	return (struct source){ .ops = &ops, .self = r };
}

static bool
seek_text(struct replay *r, const char *text, struct error *err)
{
	struct wall at;

	if (!wall_parse(text, &at)) {
		error_set(err, ERR_USAGE, "'%s' is no time", text);
		return error_hint(err, "Write it as 2026-11-21T07:30:00Z.");
	}
	return replay_seek(r, at, err);
}

static bool
set_speed(struct replay *r, const char *text, struct error *err)
{
	char *end;
	double speed = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "x") != 0) || !(speed >= 0.1 && speed <= 1000)) {
		error_set(err, ERR_USAGE, "'%s' is no speed", text);
		return error_hint(err, "Give 0.1 to 1000.");
	}
	replay_set_speed(r, speed);
	return true;
}

struct source_replay *
source_replay_open(const struct options *opt, struct error *err)
{
	struct source_replay *r = xcalloc(1, sizeof(*r));
	struct recfile *file = recfile_open(opt->args[0], err);
	bool ok;

	r->replay = file ? replay_new(file, err) : NULL;
	ok = r->replay && (!opt->at || seek_text(r->replay, opt->at, err)) &&
	    (!opt->speed || set_speed(r->replay, opt->speed, err));
	if (!ok) {
		source_replay_close(r);
		return NULL;
	}
	/* A script steps by itself. */
	replay_pause(r->replay, getenv("PGMEDIC_SCRIPT") != NULL);
	current = r;
	return r;
}

void
source_replay_close(struct source_replay *r)
{
	if (!r)
		return;
	replay_free(r->replay);
	if (current == r)
		current = NULL;
	free(r);
}

void
source_replay_targets(struct source_replay *r, struct targets *targets)
{
	*targets = (struct targets){ 0 };
	for (int i = 0; i < replay_targets(r->replay); i++) {
		GROW(targets->items, targets->n, targets->cap);
		targets->items[targets->n++] = (struct target){
			.name = arena_strdup(&targets->arena, replay_target_name(r->replay, i)),
			.conninfo = "",
			.color = "",
			.refresh_ms = 1000,
			.is_read_only = true,
			.read_only_why = "this is a recording",
		};
	}
}

/* -------------------------------------------------------------------------------------------- the command */

static bool
move(struct replay *r, const char *how, const char *value, struct error *err)
{
	static const char *const ways[] = { "pause", "play", "toggle", "start", "end", "step", "seek", "speed", NULL };
	struct wall first, last, at;

	replay_span(r, &first, &last, &at);
	if (strcmp(how, "pause") == 0 || strcmp(how, "play") == 0 || strcmp(how, "toggle") == 0) {
		replay_pause(r, how[1] == 'a' || (*how == 't' && !replay_is_paused(r)));
		return true;
	}
	if (strcmp(how, "start") == 0)
		return replay_seek(r, first, err);
	if (strcmp(how, "end") == 0)
		return replay_seek(r, last, err);
	if (strcmp(how, "step") == 0) {
		long n = value ? strtol(value, NULL, 10) : 1;

		replay_pause(r, true);
		return replay_step(r, n ? (int)n : 1, err) || *err->what == '\0';
	}
	if (strcmp(how, "seek") == 0 && value)
		return seek_text(r, value, err);
	if (strcmp(how, "speed") == 0 && value)
		return set_speed(r, value, err);
	error_set(err, ERR_USAGE, "replay cannot '%s'%s", how, value ? "" : " without a value");
	if (nearest_name(how, ways))
		return error_hint(err, "The nearest is %s.", nearest_name(how, ways));
	return false;
}

static bool
run_replay(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)ctx;
	if (!current)
		return error_set(err, ERR_STATE, "this is no recording");
	return move(current->replay, words->w[1].text, words->n > 2 ? words->w[2].text : NULL, err);
}

const struct command cmd_replay = {
	.name = "replay",
	.usage = "replay pause|play|toggle|start|end|step [N]|seek TIME|speed FACTOR",
	.help = "move in a recording; step takes a negative number, too",
	.args = { ARG_OPTION, ARG_TEXT, ARG_NONE, ARG_NONE },
	.min_args = 1,
	.max_args = 2,
	.needs_screen = true,
	.run = run_replay,
};
