/* Commands that move in time: over a recording, or back from the present. */
#include "config.h"

#include "app/cmd_time.h"

#include <stdlib.h>

#include "app/console.h"

static bool
cannot_move(struct error *err)
{
	error_set(err, ERR_STATE, "this source does not move in time");
	return error_hint(
	    err, "Open a recording (pgmedic replay FILE), or set rewind in the [console] section.");
}

static bool
seek_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct source *s = console_source(ctx->console);
	return s->ops->seek ? s->ops->seek(s->self, words->w[1].text, err) : cannot_move(err);
}

static bool
number(const char *word, double *value, struct error *err)
{
	char *end;

	*value = strtod(word, &end);
	if (end != word && *end == '\0' && *value > -1e6 && *value < 1e6)
		return true;
	return error_set(err, ERR_USAGE, "\"%s\" is no number", word);
}

static bool
step_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct source *s = console_source(ctx->console);
	double n = 1;

	if (words->n > 1 && !number(words->w[1].text, &n, err))
		return false;
	return s->ops->move ? s->ops->move(s->self, (int)n, err) : cannot_move(err);
}

static bool
speed_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct source *s = console_source(ctx->console);
	double factor;

	if (!number(words->w[1].text, &factor, err))
		return false;
	if (factor < 0.1 || factor > 1000)
		return error_set(
		    err, ERR_USAGE, "speed is a factor from 0.1 to 1000, not %s", words->w[1].text);
	return s->ops->speed ? s->ops->speed(s->self, factor, err) : cannot_move(err);
}

static bool
record_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct source *s = console_source(ctx->console);
	const char *path = words->w[1].text;

	if (!s->ops->save)
		return cannot_move(err);
	if (!s->ops->save(s->self, path, err))
		return false;
	strbuf_addf(ctx->out, "saved; open it with: pgmedic replay %s", path);
	return true;
}

const struct command cmd_seek = {
	.name = "seek",
	.usage = "seek -5m | +30s | HH:MM[:SS] | TIME | start | end | live",
	.help =
	    "go to another moment of a recording, or back from the present; `live` returns to it",
	.args = { ARG_TEXT },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = seek_run,
};

const struct command cmd_step = {
	.name = "step",
	.usage = "step [N]",
	.help = "N refreshes forward, or back when N is negative",
	.args = { ARG_NUMBER },
	.min_args = 0,
	.max_args = 1,
	.needs_screen = true,
	.run = step_run,
};

const struct command cmd_speed = {
	.name = "speed",
	.usage = "speed FACTOR",
	.help = "play a recording faster or slower (0.1 to 1000)",
	.args = { ARG_NUMBER },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = speed_run,
};

const struct command cmd_record = {
	.name = "record",
	.usage = "record FILE",
	.help = "save what is kept of the past in memory as a recording",
	.risk = RISK_FILE,
	.args = { ARG_FILE },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = record_run,
};
