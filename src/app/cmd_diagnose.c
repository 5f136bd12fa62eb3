/* diagnose: walk the way to a target that cannot be reached; in the console in a child, since it
 * waits. */
#include "config.h"

#include <string.h>

#include "app/commands.h"
#include "app/op_target.h"
#include "app/options.h"
#include "app/run.h"
#include "base/json.h"
#include "base/utf8.h"
#include "ops/connect.h"

/* The screen that everything fits on; a wider one is not told to the child. */
enum { SCREEN_COLS = 79 };

static void
member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

static void
write_json(struct strbuf *out, const struct target *target, const struct connect_report *r)
{
	const struct pg_where *w = &r->where;
	bool first = true;

	strbuf_addc(out, '{');
	member(out, &first, "target", target->name);
	if (w->nhosts) {
		member(out, &first, "host", w->hosts[0].host);
		member(out, &first, "port", w->hosts[0].port);
		member(out, &first, "user", w->user);
		member(out, &first, "database", w->database);
	}
	json_key(out, &first, "reached");
	strbuf_adds(out, r->is_reached ? "true" : "false");
	member(out, &first, "verdict", r->verdict);
	member(out, &first, "remedy", r->remedy);
	json_key(out, &first, "checks");
	checks_json(out, &r->checks, "area");
	strbuf_adds(out, "}\n");
}

static void
write_text(struct strbuf *out, const struct connect_report *r, int cols)
{
	strbuf_adds(out, r->is_reached ? "REACHED: " : "NOT REACHED: ");
	utf8_clean(out, r->verdict, strlen(r->verdict), true);
	strbuf_addc(out, '\n');
	if (*r->remedy) {
		strbuf_adds(out, "HINT: ");
		utf8_clean(out, r->remedy, strlen(r->remedy), true);
		strbuf_addc(out, '\n');
	}
	strbuf_addc(out, '\n');
	checks_text(out, &r->checks, cols);
}

static bool
connect_here(struct run_ctx *ctx, const char *from, struct error *err)
{
	struct arena arena = { 0 };
	const struct op_target *target = op_target_of(&arena, ctx->settings, ctx->target, err);
	struct connect_report report;

	if (!target) {
		arena_release(&arena);
		return false;
	}
	connect_walk(target, from, &report);
	if (ctx->opt->json)
		write_json(ctx->out, ctx->target, &report);
	else
		write_text(ctx->out, &report, ctx->opt->job ? SCREEN_COLS : 0);
	/* To the console a verdict is an answer like another. */
	if (!report.is_reached && !ctx->opt->job)
		ctx->exit_status = EXIT_UNREACHABLE;
	connect_report_release(&report);
	arena_release(&arena);
	return true;
}

static bool
run_diagnose(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const char *from = words->n == 4 ? words->w[3].text : "";
	struct acting *acting;

	if (strcmp(words->w[1].text, "connect") != 0 || words->n == 3 ||
	    (*from && strcmp(words->w[2].text, "from") != 0)) {
		error_set(
		    err, ERR_USAGE, "diagnose cannot '%s'", words->w[words->n > 2 ? 2 : 1].text);
		return error_hint(err, "Usage: diagnose connect [from ADDRESS]");
	}
	if (*from && !connect_is_address(from)) {
		error_set(err, ERR_USAGE, "'%s' is no address", from);
		return error_hint(err, "An IPv4 or IPv6 address, as AWS sees it.");
	}
	if (ctx->opt->verb == VERB_REPLAY)
		return error_set(
		    err, ERR_STATE, "there is no server to reach: this is a recording");
	if (!ctx->screen)
		return connect_here(ctx, from, err);
	acting = ctx->screen->acting(ctx->console);
	if (!acting) {
		error_set(err, ERR_STATE, "nothing can be reached in the past");
		return error_hint(err, "`seek live` goes back to the present.");
	}
	return acting_child(
	    acting, ctx->screen->target(ctx->console), ctx->target, ctx->settings, ctx->line, err);
}

const struct command cmd_diagnose = {
	.name = "diagnose",
	.usage = "diagnose connect [from ADDRESS]",
	.help =
	    "why the target cannot be reached: name, network, TLS, login, slots, with the remedy",
	.args = { ARG_WORD, ARG_NONE, ARG_NONE, ARG_NONE },
	.min_args = 1,
	.max_args = 3,
	.run = run_diagnose,
};
