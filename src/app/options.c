#include "config.h"

#include "app/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "base/lexer.h"
#include "base/mem.h"

#define V(verb) (1u << VERB_##verb)
#define LIVE    (V(CONSOLE) | V(SHOW) | V(RUN) | V(RECORD) | V(HISTORY) | V(DOCTOR) | V(DIAGNOSE))
#define EVERY   ((1u << VERB_COUNT) - 1)
#define SCREEN  (V(CONSOLE) | V(REPLAY))

const struct verb_info verb_infos[VERB_COUNT] = {
	[VERB_CONSOLE] = { "", "pgmedic [OPTIONS] [TARGET...]",
	    "the console: the first TARGET shown, the others one key away", 0, -1 },
	[VERB_SHOW] = { "show", "pgmedic show PANE [TARGET]",
	    "one pane, once, to standard output: text, --json or --csv", 1, 2 },
	[VERB_RUN] = { "run", "pgmedic run 'COMMAND' [TARGET]",
	    "one prompt command without a screen", 1, 2 },
	[VERB_RECORD] = { "record", "pgmedic record FILE [TARGET]",
	    "sample until stopped, through errors, restarts and failovers", 1, 2 },
	[VERB_REPLAY] = { "replay", "pgmedic replay FILE", "the console over a recording", 1, 1 },
	[VERB_FORECAST] = { "forecast", "pgmedic forecast FILE.csv",
	    "the storage forecast of any series (time,bytes); - reads standard input", 1, 1 },
	[VERB_HISTORY] = { "history",
	    "pgmedic history [import FILE.csv | export NAME | forget | continue] [TARGET]",
	    "what this machine keeps of the targets; CSV into and out of it", 0, 3 },
	[VERB_JOBS] = { "jobs", "pgmedic jobs",
	    "jobs that are under way, lost, or have left something behind", 0, 0 },
	[VERB_JOURNAL] = { "journal", "pgmedic journal [NUMBER|verify]",
	    "what was done, newest first; one act in full; or check its chained lines", 0, 1 },
	[VERB_APPROVE] = { "approve", "pgmedic approve [HASH]",
	    "approve somebody else's plan (approve = two); without one, those that wait", 0, 1 },
	[VERB_DIAGNOSE] = { "diagnose", "pgmedic diagnose connect [TARGET]",
	    "why a target cannot be reached, layer by layer, with the remedy", 1, 2 },
	[VERB_LAB] = { "lab", "pgmedic lab up|down|status",
	    "a throw-away cluster on this machine with a load", 0, -1 },
	[VERB_DOCTOR] = { "doctor", "pgmedic doctor [TARGET]",
	    "what this role, server and terminal can and cannot do, with the remedy", 0, 1 },
	[VERB_HELP] = { "help", "pgmedic help [TOPIC]", "help on a topic; without one, the topics",
	    0, 2 },
	[VERB_VERSION] = { "version", "pgmedic --version", "the version", 0, 0 },
};

const struct option_info option_infos[] = {
	{ 'h', "host", "HOST", LIVE, "server host name or socket folder" },
	{ 'p', "port", "PORT", LIVE, "server port" },
	{ 'U', "username", "ROLE", LIVE, "role to log in as" },
	{ 'd', "dbname", "DATABASE", LIVE, "database, or a conninfo string or URI" },
	{ 'w', "no-password", NULL, LIVE, "never ask for a password" },
	{ 'W', "password", NULL, LIVE, "ask for the password before connecting" },
	{ 0, "pane", "NAME", SCREEN, "first pane (default overview)" },
	{ 0, "refresh", "SECONDS", SCREEN | V(SHOW) | V(RECORD),
	    "time between refreshes (default 1)" },
	{ 0, "theme", "NAME", SCREEN, "colours" },
	{ 0, "keymap", "NAME", SCREEN, "keys" },
	{ 0, "read-only", NULL, SCREEN | V(RUN), "refuse every command that changes a server" },
	{ 0, "no-color", NULL, SCREEN | V(SHOW) | V(HELP),
	    "no colours (also: NO_COLOR in the environment)" },
	{ 0, "ascii", NULL, EVERY, "draw with ASCII only" },
	{ 0, "bell", NULL, V(CONSOLE), "ring the bell when an alert becomes critical" },
	{ 0, "exec", "COMMAND", V(CONSOLE) | V(RECORD),
	    "run COMMAND when an alert is raised or cleared, with the alert as JSON on its input" },
	{ 0, "config", "FILE", EVERY, "configuration file to read" },
	{ 0, "log", "FILE", EVERY, "write a log to FILE" },
	{ 0, "json", NULL,
	    V(SHOW) | V(RUN) | V(JOBS) | V(JOURNAL) | V(DOCTOR) | V(DIAGNOSE) | V(LAB) |
	        V(FORECAST) | V(HISTORY),
	    "print JSON" },
	{ 0, "csv", NULL, V(SHOW), "print CSV" },
	{ 0, "filter", "FILTER", SCREEN | V(SHOW), "only rows that match, as / in the console" },
	{ 0, "sort", "COLUMN", V(SHOW), "order of the rows; -COLUMN or COLUMN:desc: descending" },
	{ 0, "columns", "NAMES", V(SHOW), "columns to print, comma separated; all: every one" },
	{ 0, "limit", "N", V(SHOW), "at most N rows" },
	{ 0, "all", NULL, V(SHOW),
	    "idle sessions and the like, too (as always with --json and --csv)" },
	{ 0, "totals", NULL, V(SHOW), "totals since the last reset instead of rates" },
	{ 0, "mode", "NAME", V(SHOW), "variant of the pane (see help PANE)" },
	{ 0, "window", "SPAN", V(SHOW),
	    "how far waits and history look back: 90s, 5m, 6h, 30d, 1y" },
	{ 0, "replay", "FILE", V(SHOW), "read a recording instead of a server" },
	{ 0, "at", "TIME", V(SHOW) | V(REPLAY),
	    "moment of the recording (RFC 3339; default its end, for replay its start)" },
	{ 0, "speed", "FACTOR", V(REPLAY), "speed of the replay (default 1)" },
	{ 0, "yes", NULL, V(RUN) | V(HISTORY) | V(APPROVE),
	    "confirm without asking (not enough for a protected target)" },
	{ 0, "dry-run", NULL, V(RUN), "print the plan, change nothing" },
	{ 0, "force", NULL, V(RUN),
	    "also act on WAL senders and on autovacuum against wraparound" },
	{ 0, "wait", NULL, V(RUN), "wait for the end of a job" },
	{ 0, "plan", "HASH", V(RUN),
	    "confirm an operation whose plan is still this one (plan_hash of --dry-run --json)" },
	{ 0, "from", "ADDRESS", V(DIAGNOSE),
	    "judge the rules of AWS for this address (an application's, or what a NAT makes of ours)" },
	{ 0, "capacity", "BYTES", V(FORECAST),
	    "what it may grow to, plain or with a unit (500GB): also says when it is full" },
	{ 0, "job", "ID", V(RUN), NULL },
	{ '?', "help", NULL, EVERY, "this help" },
	{ 'V', "version", NULL, EVERY, "the version" },
	{ 0, NULL, NULL, 0, NULL },
};

static const struct option_info *
find_letter(char letter)
{
	for (const struct option_info *o = option_infos; o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

/* The option of a long name of n bytes, or its only abbreviation. */
static const struct option_info *
find_name(const char *name, size_t n, struct error *err)
{
	const struct option_info *found = NULL;
	const char *names[ARRAY_LEN(option_infos)];
	int nnames = 0;

	for (const struct option_info *o = option_infos; o->name; o++) {
		if (strncmp(o->name, name, n) == 0 && strlen(o->name) == n)
			return o;
		if (o->help)
			names[nnames++] = o->name;
	}
	names[nnames] = NULL;
	for (const struct option_info *o = option_infos; o->name; o++) {
		if (n == 0 || !o->help || strncmp(o->name, name, n) != 0)
			continue;
		if (found) {
			error_set(err, ERR_USAGE, "option --%.*s is ambiguous", (int)n, name);
			error_hint(err, "It could be --%s or --%s.", found->name, o->name);
			return NULL;
		}
		found = o;
	}
	if (!found) {
		char *copy = xstrndup(name, n);
		const char *near = nearest_name(copy, names);

		error_set(err, ERR_USAGE, "there is no option --%s", copy);
		if (near)
			error_hint(err, "The nearest is --%s.", near);
		else
			error_hint(err, "See pgmedic --help.");
		free(copy);
	}
	return found;
}

static bool
parse_limit(const char *text, int *limit, struct error *err)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (end == text || *end || v < 0 || v > INT_MAX) {
		error_set(err, ERR_USAGE, "--limit %s is not a number of rows", text);
		return error_hint(err, "Give a whole number, 0 or more.");
	}
	*limit = (int)v;
	return true;
}

static bool
parse_port(const char *text, struct error *err)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (end == text || *end || v < 1 || v > 65535) {
		error_set(err, ERR_USAGE, "port %s is not a port number", text);
		return error_hint(err, "Ports are 1 to 65535.");
	}
	return true;
}

static bool
apply_text(struct options *opt, const char *name, const char *value, struct error *err)
{
	const struct {
		const char *name;
		const char **into;
	} texts[] = {
		{ "host", &opt->host },
		{ "port", &opt->port },
		{ "username", &opt->user },
		{ "dbname", &opt->database },
		{ "pane", &opt->pane },
		{ "theme", &opt->theme },
		{ "keymap", &opt->keymap },
		{ "config", &opt->config },
		{ "log", &opt->log },
		{ "filter", &opt->filter },
		{ "sort", &opt->sort },
		{ "columns", &opt->columns },
		{ "replay", &opt->replay },
		{ "at", &opt->at },
		{ "speed", &opt->speed },
		{ "exec", &opt->exec },
		{ "job", &opt->job },
		{ "mode", &opt->mode },
		{ "window", &opt->window },
		{ "capacity", &opt->capacity },
		{ "plan", &opt->plan },
		{ "from", &opt->from },
	};

	if (strcmp(name, "limit") == 0)
		return parse_limit(value, &opt->limit, err);
	if (strcmp(name, "port") == 0 && !parse_port(value, err))
		return false;
	if (strcmp(name, "refresh") == 0) {
		if (settings_parse_seconds(value, &opt->refresh_ms))
			return true;
		error_set(err, ERR_USAGE, "--refresh %s is not a time in seconds", value);
		return error_hint(err, "Give 0.25 to 3600.");
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(texts[i].name, name) == 0) {
			*texts[i].into = value;
			return true;
		}
	}
	fatal("option --%s is in the table but not read", name);
}

static void
apply_switch(struct options *opt, const char *name)
{
	const struct {
		const char *name;
		bool *into;
	} switches[] = {
		{ "no-password", &opt->no_password },
		{ "password", &opt->ask_password },
		{ "read-only", &opt->read_only },
		{ "no-color", &opt->no_color },
		{ "ascii", &opt->ascii },
		{ "bell", &opt->bell },
		{ "json", &opt->json },
		{ "csv", &opt->csv },
		{ "yes", &opt->yes },
		{ "dry-run", &opt->dry_run },
		{ "wait", &opt->wait },
		{ "force", &opt->force },
		{ "all", &opt->all },
		{ "totals", &opt->totals },
	};

	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		if (strcmp(switches[i].name, name) == 0) {
			*switches[i].into = true;
			return;
		}
	}
	fatal("option --%s is in the table but not read", name);
}

/* State of the walk over argv. */
struct walk {
	struct options *opt;
	char **argv;
	int argc, i;
	unsigned long long given; /* bit per entry of option_infos */
	bool only_words;          /* after "--" */
	bool want_help, want_version;
};

static bool
take_option(struct walk *w, const struct option_info *o, const char *attached, struct error *err)
{
	w->given |= 1ull << (o - option_infos);
	if (strcmp(o->name, "help") == 0)
		return w->want_help = true;
	if (strcmp(o->name, "version") == 0)
		return w->want_version = true;
	if (!o->value) {
		if (attached)
			return error_set(err, ERR_USAGE, "option --%s takes no value", o->name);
		apply_switch(w->opt, o->name);
		return true;
	}
	if (!attached) {
		if (w->i + 1 >= w->argc)
			return error_set(
			    err, ERR_USAGE, "option --%s needs a value: %s", o->name, o->value);
		attached = w->argv[++w->i];
	}
	return apply_text(w->opt, o->name, attached, err);
}

static bool
take_long(struct walk *w, const char *arg, struct error *err)
{
	const char *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct option_info *o = find_name(arg, n, err);

	return o && take_option(w, o, eq ? eq + 1 : NULL, err);
}

static bool
take_short(struct walk *w, const char *arg, struct error *err)
{
	for (; *arg; arg++) {
		const struct option_info *o = find_letter(*arg);

		if (!o) {
			error_set(err, ERR_USAGE, "there is no option -%c", *arg);
			return error_hint(err, "See pgmedic --help.");
		}
		if (o->value)
			return take_option(w, o, arg[1] ? arg + 1 : NULL, err);
		if (!take_option(w, o, NULL, err))
			return false;
	}
	return true;
}

/* The subcommand of a word; VERB_CONSOLE when it is none. */
static enum verb
verb_by_name(const char *word)
{
	for (int v = VERB_CONSOLE + 1; v < VERB_COUNT; v++)
		if (strcmp(verb_infos[v].name, word) == 0)
			return (enum verb)v;
	return VERB_CONSOLE;
}

static bool
take_word(struct walk *w, const char *word)
{
	struct options *opt = w->opt;

	if (opt->nargs == 0 && opt->verb == VERB_CONSOLE && !w->only_words) {
		opt->verb = verb_by_name(word);
		if (opt->verb != VERB_CONSOLE)
			return true;
	}
	opt->args[opt->nargs++] = word;
	return true;
}

static bool
take(struct walk *w, struct error *err)
{
	const char *arg = w->argv[w->i];

	/* The lab reads its own words, options included. */
	if (w->only_words || w->opt->verb == VERB_LAB || arg[0] != '-' || !arg[1])
		return take_word(w, arg);
	if (strcmp(arg, "--") == 0)
		return w->only_words = true;
	return arg[1] == '-' ? take_long(w, arg + 2, err) : take_short(w, arg + 1, err);
}

/* Options that mean nothing to the subcommand are a mistake worth hearing of. */
static bool
check_given(const struct walk *w, struct error *err)
{
	const struct options *opt = w->opt;
	const struct verb_info *v = &verb_infos[opt->verb];

	for (int i = 0; option_infos[i].name; i++) {
		if (!(w->given >> i & 1) || option_infos[i].verbs >> opt->verb & 1)
			continue;
		error_set(err, ERR_USAGE, "option --%s means nothing to %s", option_infos[i].name,
		    *v->name ? v->name : "the console");
		return error_hint(err, "See pgmedic help %s.", *v->name ? v->name : "options");
	}
	if (opt->job)
		return true;
	if (opt->nargs < v->min_args || (v->max_args >= 0 && opt->nargs > v->max_args)) {
		if (opt->nargs < v->min_args)
			error_set(err, ERR_USAGE, "%s needs more words", v->name);
		else
			error_set(err, ERR_USAGE, "%s takes no further word: %s", v->name,
			    opt->args[v->max_args]);
		return error_hint(err, "Usage: %s", v->usage);
	}
	if (opt->json && opt->csv)
		return error_set(err, ERR_USAGE, "--json and --csv exclude each other");
	if (opt->at && opt->verb == VERB_SHOW && !opt->replay)
		return error_set(err, ERR_USAGE, "--at needs --replay FILE");
	return true;
}

bool
options_parse(struct options *opt, int argc, char **argv, struct error *err)
{
	struct walk w = { .opt = opt, .argv = argv, .argc = argc };

	*opt = (struct options){ .verb = VERB_CONSOLE, .limit = -1 };
	opt->args = xcalloc((size_t)argc + 1, sizeof(*opt->args));
	for (w.i = 1; w.i < argc; w.i++)
		if (!take(&w, err))
			return false;
	if (w.want_help || w.want_version) {
		/* "pgmedic show --help" is help on show. */
		if (w.want_help && opt->verb != VERB_CONSOLE && opt->verb != VERB_HELP)
			opt->args[0] = verb_infos[opt->verb].name, opt->nargs = 1;
		else
			opt->nargs = 0;
		opt->verb = w.want_help ? VERB_HELP : VERB_VERSION;
		return true;
	}
	return check_given(&w, err);
}

void
options_release(struct options *opt)
{
	free(opt->args);
	opt->args = NULL;
	opt->nargs = 0;
}

int
options_exit_status(const struct error *err)
{
	switch (err->code) {
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_CONNECT:
	case ERR_AUTH:
		return EXIT_UNREACHABLE;
	default:
		return EXIT_FAILED;
	}
}
