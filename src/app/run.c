#include "config.h"

#include "app/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/act_sync.h"
#include "app/advise.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/op_plan.h"
#include "base/json.h"
#include "base/lexer.h"
#include "base/log.h"
#include "base/utf8.h"

enum { MAX_OUTPUT = 256 << 20 };

static const struct command *
by_exact_name(const char *word)
{
	for (int i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, word) == 0 ||
		    (commands[i]->alias && strcmp(commands[i]->alias, word) == 0))
			return commands[i];
	return NULL;
}

/* The only command or pane that begins so; NULL: none or several. Acts are never abbreviated. */
static const struct command *
by_prefix(const char *word)
{
	const struct command *found = NULL;
	size_t n = strlen(word);

	for (int i = 0; commands[i]; i++) {
		if (commands[i]->risk == RISK_ACTS || strncmp(commands[i]->name, word, n) != 0)
			continue;
		if (found)
			return NULL;
		found = commands[i];
	}
	return found;
}

static const char *
nearest_command(const char *word)
{
	const char *names[256];
	int n = 0;

	for (int i = 0; commands[i] && n < 200; i++)
		names[n++] = commands[i]->name;
	for (int i = 0; panes[i] && n < 255; i++)
		names[n++] = panes[i]->name;
	names[n] = NULL;
	return nearest_name(word, names);
}

const struct command *
command_find(const char *word, struct error *err)
{
	const struct command *cmd = by_exact_name(word);
	const char *near;

	if (!cmd && pane_by_name(word))
		cmd = by_exact_name("pane");
	if (!cmd)
		cmd = by_prefix(word);
	if (cmd)
		return cmd;
	near = nearest_command(word);
	error_set(err, ERR_USAGE, "there is no command '%s'", word);
	if (near)
		error_hint(err, "The nearest is %s.", near);
	else
		error_hint(err, "See help commands.");
	return NULL;
}

static bool
check_words(const struct command *cmd, const struct words *words, struct error *err)
{
	int nargs = words->n - 1;

	if (nargs >= cmd->min_args && (cmd->max_args < 0 || nargs <= cmd->max_args))
		return true;
	if (nargs < cmd->min_args)
		error_set(err, ERR_USAGE, "%s needs more words", cmd->name);
	else
		error_set(err, ERR_USAGE, "%s takes no further word: '%s'", cmd->name,
		    words->w[cmd->max_args + 1].text);
	return error_hint(err, "Usage: %s", cmd->usage);
}

/* The first word's end, without reading quotes of what follows. */
static size_t
first_word(const char *line, size_t *start)
{
	*start = strspn(line, " \t");
	return *start + strcspn(line + *start, " \t");
}

/* A line whose rest is one argument: SQL and filters have quotes of their own. */
static void
rest_as_word(struct arena *arena, const char *line, struct words *words)
{
	size_t start, end = first_word(line, &start);
	const char *rest = line + end + strspn(line + end, " \t");
	size_t len = strlen(rest);

	while (len && (rest[len - 1] == ' ' || rest[len - 1] == '\t' || rest[len - 1] == '\n'))
		len--;
	words->w = arena_zalloc(arena, 2, sizeof(*words->w));
	words->n = len ? 2 : 1;
	words->w[0].text = arena_strndup(arena, line + start, end - start);
	words->w[0].end = (int)end;
	words->w[1].text = arena_strndup(arena, rest, len);
	words->w[1].at = (int)(rest - line);
	words->w[1].end = (int)(rest - line + (long)len);
}

static bool
split(struct arena *arena, const char *line, const struct command **cmd, struct words *words,
    struct error *err)
{
	size_t start, end = first_word(line, &start);

	*cmd = NULL;
	memset(words, 0, sizeof(*words));
	if (end == start)
		return true;
	*cmd = command_find(arena_strndup(arena, line + start, end - start), err);
	if (!*cmd)
		return false;
	if ((*cmd)->rest_is_text)
		rest_as_word(arena, line, words);
	else if (!lex_line(arena, line, false, words, err))
		return false;
	/* A pane's name is short for "pane NAME". */
	if (strcmp((*cmd)->name, "pane") == 0 && !by_exact_name(words->w[0].text) &&
	    words->n >= 1 && pane_by_name(words->w[0].text)) {
		struct words pane = { .w = arena_zalloc(
			                  arena, (size_t)words->n + 1, sizeof(*pane.w)),
			.n = words->n + 1 };

		memcpy(pane.w + 1, words->w, (size_t)words->n * sizeof(*pane.w));
		pane.w[0] = words->w[0];
		pane.w[0].text = "pane";
		*words = pane;
	}
	return true;
}

/* One line becomes a message, several a document. */
static void
show_output(struct run_ctx *ctx, const struct command *cmd)
{
	const char *text = ctx->out->buf;
	size_t len = ctx->out->len;
	struct doc doc = { 0 };

	while (len && text[len - 1] == '\n')
		len--;
	if (len == 0)
		return;
	if (!memchr(text, '\n', len) && len < 160) {
		char *line = xstrndup(text, len);

		ctx->screen->say(ctx->console, ROLE_INFO, line);
		free(line);
		return;
	}
	doc_text(&doc, ROLE_NORMAL, text, len);
	ctx->screen->show_doc(ctx->console, cmd->name, &doc);
	doc_release(&doc);
}

bool
run_line(struct run_ctx *ctx, const char *line, struct error *err)
{
	struct arena arena = { 0 };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	struct strbuf *before = ctx->out;
	const struct command *cmd;
	struct words words;
	bool ok = split(&arena, line, &cmd, &words, err);

	if (ok && cmd) {
		ctx->line = line;
		if (ctx->screen)
			ctx->out = &out;
		if (cmd->needs_screen && !ctx->console) {
			ok = error_set(err, ERR_STATE, "%s needs the screen", cmd->name);
			error_hint(err, "Type it at the prompt of the console.");
		} else {
			ok = check_words(cmd, &words, err) && cmd->run(ctx, &words, err);
		}
		if (ok && ctx->screen)
			show_output(ctx, cmd);
	}
	ctx->out = before;
	strbuf_release(&out);
	arena_release(&arena);
	return ok;
}

/* ------------------------------------------------------------------ pgmedic run */

/* Standard output of a terminal must not carry what a server sent as it is. */
static void
print_output(const struct strbuf *out)
{
	struct strbuf clean = STRBUF_INIT(MAX_OUTPUT);

	if (isatty(STDOUT_FILENO) && !utf8_is_clean(out->buf, out->len))
		utf8_clean(&clean, out->buf, out->len, false);
	fwrite(clean.len ? clean.buf : out->buf, 1, clean.len ? clean.len : out->len, stdout);
	if (out->len && out->buf[out->len - 1] != '\n')
		fputc('\n', stdout);
	fflush(stdout);
	strbuf_release(&clean);
}

/* With --json every end is one object on standard output. */
static int
say_error(const struct options *opt, const struct error *err)
{
	struct strbuf out = STRBUF_INIT(64 << 10);

	if (opt->json) {
		act_sync_error_json(&out, err);
		print_output(&out);
	} else {
		error_report(err);
	}
	strbuf_release(&out);
	return options_exit_status(err);
}

static int
run_with(const struct options *opt, struct settings *settings, const struct targets *targets,
    const char *line)
{
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	struct error err = { 0 };
	struct run_ctx ctx = {
		.opt = opt,
		.settings = settings,
		.targets = targets,
		.target = &targets->items[0],
		.out = &out,
		.exit_status = EXIT_DONE,
	};
	bool ok = run_line(&ctx, line, &err);

	if (ok || !opt->json || out.len)
		print_output(&out);
	strbuf_release(&out);
	return ok ? ctx.exit_status : say_error(opt, &err);
}

/* What changes a server is not done to the first of several by chance. The lab's standby comes
 * along unasked. */
static bool
one_is_meant(const struct targets *targets, const char *line, struct error *err)
{
	struct error ignored = { 0 };
	size_t start, end = first_word(line, &start);
	char *word = xstrndup(line + start, end - start);
	const struct command *cmd = command_find(word, &ignored);

	free(word);
	/* A job knows its own. */
	if (!cmd || cmd->risk != RISK_ACTS || cmd == &cmd_job || targets->n == 1 ||
	    targets->items[0].is_lab)
		return true;
	error_set(err, ERR_USAGE, "%s needs the name of a target: %d are configured", cmd->name,
	    targets->n);
	return error_hint(
	    err, "The first of them: pgmedic run '%s' %s", line, targets->items[0].name);
}

int
run_journal_main(const struct options *opt, struct settings *settings)
{
	struct target none = { .name = "", .conninfo = "", .color = "" };
	struct targets targets = { .items = &none, .n = 1 };
	struct strbuf line = STRBUF_INIT(4096);
	int status;

	strbuf_adds(&line, verb_infos[opt->verb].name);
	for (int i = 0; i < opt->nargs; i++)
		strbuf_addf(&line, " %s", opt->args[i]);
	status = run_with(opt, settings, &targets, line.buf);
	strbuf_release(&line);
	return status;
}

int
run_main(const struct options *opt, struct settings *settings)
{
	struct targets targets = { 0 };
	struct error err = { 0 };
	int status;

	if (targets_resolve(&targets, opt, settings, opt->args + 1, opt->nargs - 1, &err) &&
	    one_is_meant(&targets, opt->args[0], &err))
		status = run_with(opt, settings, &targets, opt->args[0]);
	else
		status = say_error(opt, &err);
	targets_release(&targets);
	return status;
}

int
run_diagnose_main(const struct options *opt, struct settings *settings)
{
	struct targets targets = { 0 };
	struct error err = { 0 };
	struct strbuf line = STRBUF_INIT(4096);
	int status;

	strbuf_addf(&line, "diagnose %s%s%s", opt->args[0], opt->from ? " from " : "",
	    opt->from ? opt->from : "");
	if (targets_resolve(&targets, opt, settings, opt->args + 1, opt->nargs - 1, &err))
		status = run_with(opt, settings, &targets, line.buf);
	else
		status = say_error(opt, &err);
	targets_release(&targets);
	strbuf_release(&line);
	return status;
}

/* ------------------------------------------------------------------ the job side */

static struct json *
read_request(struct error *err)
{
	struct strbuf sb = STRBUF_INIT(8 << 20);
	char buf[8192];
	ssize_t n;
	struct json *json;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		strbuf_add(&sb, buf, (size_t)n);
	json = json_parse(sb.buf, sb.len, err);
	explicit_bzero(buf, sizeof(buf));
	strbuf_release(&sb);
	return json;
}

/* A child of the console: one command line, its output on standard output. */
static int
run_child(const struct options *opt, const struct json *request)
{
	struct settings settings;
	const char *line = json_text(json_get(request, "line"));
	const char *conninfo = json_text(json_get(request, "conninfo"));
	const char *name = json_text(json_get(request, "name"));
	struct target target = {
		.name = name ? name : "",
		.conninfo = conninfo ? conninfo : "",
		.password = json_text(json_get(request, "password")),
		.color = "",
		.refresh_ms = 1000,
	};
	struct targets targets = { .items = &target, .n = 1 };
	int status;

	if (json_get(request, "advise"))
		return advise_child(request, &target);
	if (json_get(request, "plan"))
		return op_plan_child(request);
	settings_read(&settings, json_text(json_get(request, "config")));
	status = run_with(opt, &settings, &targets, line ? line : "");
	settings_release(&settings);
	return status;
}

int
run_job_main(const struct options *opt)
{
	struct error err = { 0 };
	struct json *request = read_request(&err);
	int status = EXIT_FAILED;

	if (!request)
		error_report(&err);
	else if (strcmp(opt->job, "-") == 0)
		status = run_child(opt, request);
	else
		status = act_sync_job(strtoll(opt->job, NULL, 10), request);
	json_free(request);
	return status;
}
