#include "config.h"

#include "app/help.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "app/manual.h"
#include "base/conf.h"
#include "base/error.h"
#include "base/lexer.h"
#include "cloud/policy.h"
#include "model/rules.h"
#include "panes/pane.h"
#include "tui/keymap.h"

static bool topic_topics(struct doc *d, const char *word, const char *keymap, struct error *err);

static void
pair(struct doc *d, const char *name, const char *text)
{
	if (strlen(name) < 22) {
		doc_pair(d, name, ROLE_NORMAL, "%s", text);
		return;
	}
	doc_add(d, ROLE_STRONG, "%s", name);
	doc_pair(d, "", ROLE_NORMAL, "%s", text);
}

static void
usage_lines(struct doc *d)
{
	for (int v = 0; v < VERB_COUNT; v++) {
		if (v == VERB_VERSION)
			continue;
		doc_add(d, ROLE_STRONG, "%s", verb_infos[v].usage);
		doc_add(d, ROLE_NORMAL, "    %s", verb_infos[v].help);
	}
}

static void
option_line(struct doc *d, const struct option_info *o)
{
	char name[64], letter[8] = "";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(name, sizeof(name), "%s--%s%s%s", letter, o->name, o->value ? "=" : "",
	    o->value ? o->value : "");
	pair(d, name, o->help);
}

/* Those of one subcommand, or all when verb is VERB_COUNT. */
static void
options_of(struct doc *d, int verb)
{
	for (const struct option_info *o = option_infos; o->name; o++)
		if (o->help && (verb == VERB_COUNT || o->verbs >> verb & 1))
			option_line(d, o);
}

static bool
topic_options(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Options");
	options_of(d, VERB_COUNT);
	return true;
}

static bool
topic_usage(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "pgmedic %s: the incident console for PostgreSQL", PACKAGE_VERSION);
	doc_add(d, ROLE_NORMAL, " ");
	usage_lines(d);
	doc_add(d, ROLE_NORMAL, " ");
	doc_add(d, ROLE_NORMAL,
	    "TARGET: a name from the configuration, a postgresql:// URI, a conninfo string, or service=NAME; without one, libpq's");
	doc_add(d, ROLE_NORMAL,
	    "environment decides, as for psql; then the configuration's targets; then the lab, when it is up.");
	doc_add(d, ROLE_NORMAL, " ");
	options_of(d, VERB_CONSOLE);
	doc_add(d, ROLE_NORMAL, " ");
	doc_add(d, ROLE_NORMAL,
	    "Exit status: 0 done, 1 failed or unhealthy, 2 wrong usage, 3 the target cannot be reached.");
	doc_add(d, ROLE_NORMAL, "More: pgmedic help TOPIC, with TOPIC one of");
	return topic_topics(d, NULL, NULL, err);
}

static bool
topic_commands(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Commands of the prompt (:) and of pgmedic run");
	for (int i = 0; commands[i]; i++) {
		doc_add(d, ROLE_STRONG, "%s", commands[i]->usage);
		doc_add(d, ROLE_NORMAL, "    %s%s", commands[i]->help,
		    commands[i]->risk == RISK_ACTS ? " [changes the server]" :
		        commands[i]->needs_screen  ? " [screen only]" :
		                                     "");
	}
	doc_add(d, ROLE_NORMAL,
	    "A pane's name is a command, too. Beginnings that are unique suffice, but for what changes the server.");
	return true;
}

static bool
topic_panes(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Panes");
	for (int i = 0; panes[i]; i++)
		pair(d, panes[i]->name, panes[i]->help);
	return true;
}

static bool
find_pane(const char *word, const struct pane **pane, struct error *err)
{
	const char *names[64];
	int n = 0;

	*pane = pane_by_name(word);
	if (*pane)
		return true;
	for (; panes[n] && n < 63; n++)
		names[n] = panes[n]->name;
	names[n] = NULL;
	error_set(err, ERR_USAGE, "there is no pane '%s'", word);
	if (nearest_name(word, names))
		return error_hint(err, "The nearest is %s.", nearest_name(word, names));
	return error_hint(err, "See help panes.");
}

static void
pane_columns(struct doc *d, const struct pane *p)
{
	for (int i = 0; i < p->ncolumns; i++) {
		const struct column *c = &p->columns[i];
		char text[512];

		snprintf(text, sizeof(text), "%s%s", c->help ? c->help : "",
		    c->flags & COL_HIDDEN ? " (hidden at first)" : "");
		pair(d, c->name, text);
	}
}

static bool
topic_columns(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	const struct pane *pane;

	(void)keymap;
	if (word && !find_pane(word, &pane, err))
		return false;
	for (int i = 0; panes[i]; i++) {
		if (word && panes[i] != pane)
			continue;
		doc_add(d, ROLE_TITLE, "Columns of %s", panes[i]->name);
		pane_columns(d, panes[i]);
	}
	return true;
}

static bool
topic_settings(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	struct arena arena = { 0 };
	const char *section = "";

	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Settings, in %s", path_config(&arena, "pgmedic.conf"));
	for (const struct setting_info *s = setting_infos; s->section; s++) {
		char text[512];

		if (strcmp(section, s->section) != 0)
			doc_add(d, ROLE_STRONG, "[%s]",
			    strcmp(s->section, "target") == 0 ? "target NAME" : s->section);
		section = s->section;
		snprintf(text, sizeof(text), "%s%s%s%s", s->help, *s->value ? " (default " : "",
		    s->value, *s->value ? ")" : "");
		pair(d, s->name, text);
	}
	arena_release(&arena);
	return true;
}

static const char *
context_title(const char *pane)
{
	if (strcmp(pane, "any") == 0)
		return "everywhere";
	return strcmp(pane, "view") == 0 ? "in documents (help, details, plans)" : pane;
}

static bool
topic_keys(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	struct keymap map = { 0 };
	struct doc problems = { 0 };
	bool ok = keymap_load(&map,
	    word                  ? word :
	        keymap && *keymap ? keymap :
	                            "default",
	    &problems, err);
	const char *context = "";

	if (ok)
		doc_add(d, ROLE_TITLE, "Keys of the keymap %s", map.name);
	for (int i = 0; ok && i < map.n; i++) {
		const struct binding *b = &map.bindings[i];
		char keys[96], text[512];

		if (!b->command || !keymap_is_live(&map, b, b->pane))
			continue;
		if (strcmp(context, b->pane) != 0)
			doc_add(d, ROLE_STRONG, "%s", context_title(b->pane));
		context = b->pane;
		snprintf(text, sizeof(text), "%s%s%s", b->help, *b->help ? "  :" : ":", b->command);
		pair(d, binding_keys(b, keys, sizeof(keys)), text);
	}
	doc_release(&problems);
	keymap_release(&map);
	return ok;
}

static bool
topic_roles(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Roles: what a theme gives colours to");
	for (int i = 0; i < ROLE_COUNT; i++)
		pair(d, role_infos[i].name, role_infos[i].text);
	return true;
}

static bool
topic_themes(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	struct arena arena = { 0 };

	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Themes");
	doc_add(d, ROLE_NORMAL,
	    "A theme is a text file NAME.theme in %s or in the installed themes folder:",
	    path_config(&arena, "themes"));
	doc_add(d, ROLE_NORMAL, "    inherit THEME");
	doc_add(d, ROLE_NORMAL, "    role ROLE FOREGROUND BACKGROUND [ATTRIBUTE ...]");
	doc_add(d, ROLE_NORMAL,
	    "Colours are default, a name (black red green yellow blue magenta cyan white, bright-…), 0 to 255, or #rrggbb.");
	doc_add(d, ROLE_NORMAL,
	    "Attributes are bold dim underline reverse italic blink; mono-… counts without colours only.");
	doc_add(d, ROLE_NORMAL,
	    "Roles: see help roles. At the prompt: theme NAME; Tab lists the names.");
	arena_release(&arena);
	return true;
}

static bool
topic_errors(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Errors");
#define X(num, name, text) pair(d, #name, text);
	ERR_LIST(X)
#undef X
	return true;
}

static bool
topic_rules(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Alert rules: alert.RULE = WARNING[,CRITICAL[,FOR]] or off");
	for (int i = 0; i < RULE_COUNT; i++) {
		struct strbuf sb = STRBUF_INIT(1000);
		const struct rule *r = &rules[i];

		strbuf_addf(&sb, "%s (", r->help);
		if (!isnan(r->warning))
			rule_value_text(&sb, (enum rule_id)i, r->warning);
		strbuf_adds(&sb, isnan(r->warning) || isnan(r->critical) ? "" : ", ");
		if (!isnan(r->critical))
			rule_value_text(&sb, (enum rule_id)i, r->critical);
		strbuf_addf(&sb, " for %d s)", r->for_s);
		pair(d, r->id, sb.buf);
		strbuf_release(&sb);
	}
	return true;
}

static bool
topic_files(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	struct arena arena = { 0 };

	(void)word, (void)keymap, (void)err;
	doc_add(d, ROLE_TITLE, "Files");
	pair(d, path_config(&arena, "pgmedic.conf"), "configuration");
	pair(d, path_config(&arena, "themes"), "themes of your own, NAME.theme");
	pair(d, path_config(&arena, "keymaps"), "keymaps of your own, NAME.keys");
	pair(d, path_state(&arena, "journal.db"), "the journal of what was done");
	pair(d, path_state(&arena, "alerts.db"), "alerts of the past, mutes, what the rules know");
	pair(d, path_state(&arena, "history"), "lines typed at the prompt");
	arena_release(&arena);
	return true;
}

/* Of AWS; nothing but the documents, so that they can be cut out. */
static bool
topic_policy(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	static const char *const titles[] = {
		[POLICY_READ] = "Policy to read: panes, `snapshots`, `cloud check`",
		[POLICY_OPERATE] = "Policy to operate: narrow its resources to your own",
	};

	(void)word, (void)keymap, (void)err;
	for (int i = POLICY_READ; i <= POLICY_OPERATE; i++) {
		struct strbuf sb = STRBUF_INIT(16384);

		doc_add(d, ROLE_TITLE, "%s", titles[i]);
		policy_write(&sb, (enum policy)i);
		doc_add(d, ROLE_NORMAL, "%s", sb.buf);
		strbuf_release(&sb);
	}
	return true;
}

static const struct {
	struct help_topic_info info;
	bool (*write)(struct doc *d, const char *word, const char *keymap, struct error *err);
} topics[] = {
	{ { "usage", "the command line" }, topic_usage },
	{ { "options", "all options" }, topic_options },
	{ { "commands", "what the prompt and pgmedic run understand" }, topic_commands },
	{ { "panes", "what can be shown" }, topic_panes },
	{ { "columns", "columns of a pane, or of all: columns [PANE]" }, topic_columns },
	{ { "keys", "keys: keys [KEYMAP]" }, topic_keys },
	{ { "settings", "keys of the configuration file" }, topic_settings },
	{ { "rules", "what the alerts pane judges, with thresholds" }, topic_rules },
	{ { "themes", "how to write a theme" }, topic_themes },
	{ { "roles", "what a theme gives colours to" }, topic_roles },
	{ { "errors", "codes of errors" }, topic_errors },
	{ { "policy", "AWS: the policies that reading and operating need" }, topic_policy },
	{ { "files", "where things are" }, topic_files },
};

const struct help_topic_info help_topics[] = {
	{ "usage", "" },
	{ "options", "" },
	{ "commands", "" },
	{ "panes", "" },
	{ "columns", "" },
	{ "keys", "" },
	{ "settings", "" },
	{ "rules", "" },
	{ "themes", "" },
	{ "roles", "" },
	{ "errors", "" },
	{ "policy", "" },
	{ "files", "" },
	{ NULL, NULL },
};

static bool
topic_topics(struct doc *d, const char *word, const char *keymap, struct error *err)
{
	(void)word, (void)keymap, (void)err;
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		pair(d, topics[i].info.name, topics[i].info.help);
	pair(d, "COMMAND or PANE", "one of them in full");
	return true;
}

static void
help_pane(struct doc *d, const struct pane *p)
{
	doc_add(d, ROLE_TITLE, "%s", p->title);
	doc_add(d, ROLE_NORMAL, "%s", p->help);
	for (int i = 0; p->modes && p->modes[i].name; i++)
		pair(d, p->modes[i].name, p->modes[i].help);
	doc_add(d, ROLE_STRONG, "columns");
	pane_columns(d, p);
}

static void
help_command(struct doc *d, const struct command *c)
{
	doc_add(d, ROLE_TITLE, "%s", c->usage);
	doc_add(d, ROLE_NORMAL, "%s", c->help);
	if (c->alias)
		doc_pair(d, "short", ROLE_NORMAL, "%s", c->alias);
	if (c->risk == RISK_ACTS)
		doc_add(d, ROLE_WARN,
		    "Changes the server: planned, shown, confirmed, journaled, verified; off when read-only.");
	if (c->needs_screen)
		doc_add(d, ROLE_DIM, "Needs the screen.");
}

static bool
help_verb(struct doc *d, const char *name)
{
	for (int v = VERB_CONSOLE + 1; v < VERB_COUNT; v++) {
		if (strcmp(verb_infos[v].name, name) != 0)
			continue;
		doc_add(d, ROLE_TITLE, "%s", verb_infos[v].usage);
		doc_add(d, ROLE_NORMAL, "%s", verb_infos[v].help);
		options_of(d, v);
		return true;
	}
	return false;
}

static bool
unknown_topic(const char *topic, struct error *err)
{
	const char *names[256];
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		names[n++] = topics[i].info.name;
	for (int i = 0; panes[i] && n < 100; i++)
		names[n++] = panes[i]->name;
	for (int i = 0; commands[i] && n < 240; i++)
		names[n++] = commands[i]->name;
	names[n] = NULL;
	error_set(err, ERR_USAGE, "there is no help on '%s'", topic);
	if (nearest_name(topic, names))
		return error_hint(err, "The nearest is %s.", nearest_name(topic, names));
	return error_hint(err, "See pgmedic help.");
}

bool
help_topic(
    struct doc *doc, const char *topic, const char *word, const char *keymap, struct error *err)
{
	if (!topic)
		return topic_usage(doc, NULL, keymap, err);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		if (strcmp(topics[i].info.name, topic) == 0)
			return topics[i].write(doc, word, keymap, err);
	for (int i = 0; panes[i]; i++) {
		if (strcmp(panes[i]->name, topic) == 0) {
			help_pane(doc, panes[i]);
			return true;
		}
	}
	for (int i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, topic) == 0) {
			help_command(doc, commands[i]);
			return true;
		}
	}
	return help_verb(doc, topic) || unknown_topic(topic, err);
}

int
help_main(const struct options *opt, const struct settings *settings)
{
	const char *topic = opt->nargs ? opt->args[0] : NULL;
	struct doc doc = { 0 };
	struct error err = { 0 };
	bool ok;

	if (topic && strcmp(topic, "manual") == 0)
		return manual_print(stdout) ? EXIT_DONE : EXIT_FAILED;
	/* "pgmedic show --help" is about the subcommand. */
	ok = (topic && help_verb(&doc, topic)) ||
	    help_topic(&doc, topic, opt->nargs > 1 ? opt->args[1] : NULL,
	        settings_get(settings, "keymap"), &err);
	for (int i = 0; ok && i < doc.n; i++)
		printf("%s\n", doc.lines[i].text);
	doc_release(&doc);
	if (!ok)
		error_report(&err);
	return ok ? EXIT_DONE : options_exit_status(&err);
}
