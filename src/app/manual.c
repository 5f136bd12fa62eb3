#include "config.h"

#include "app/manual.h"

#include <math.h>
#include <string.h>

#include "app/command.h"
#include "app/options.h"
#include "app/settings.h"
#include "base/error.h"
#include "base/fmt.h"
#include "base/role.h"
#include "base/strbuf.h"
#include "model/rules.h"
#include "panes/pane.h"
#include "tui/keymap.h"

/* Text as scdoc prints it: its marks taken literally. */
static void
text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("\\*_`[]#|~", *s))
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void
entry(FILE *out, const char *term, const char *rest, const char *help, const char *tail)
{
	fputs("*", out);
	text(out, term);
	fputs("*", out);
	text(out, rest);
	fputs("\n\t", out);
	text(out, help && *help ? help : "-");
	text(out, tail);
	fputs("\n\n", out);
}

static void
part_synopsis(FILE *out)
{
	for (int v = 0; v < VERB_COUNT; v++) {
		const char *usage = verb_infos[v].usage;
		size_t n = strcspn(usage, " ");

		fputs("*pgmedic*", out);
		text(out, usage + n);
		fputs(v + 1 < VERB_COUNT ? "++\n" : "\n", out);
	}
}

static void
part_verbs(FILE *out)
{
	for (int v = 0; v < VERB_COUNT; v++)
		entry(out, verb_infos[v].usage, "", verb_infos[v].help, "");
}

static void
part_options(FILE *out)
{
	for (const struct option_info *o = option_infos; o->name; o++) {
		char name[64];

		if (!o->help)
			continue;
		if (o->letter)
			snprintf(name, sizeof(name), "-%c, --%s", o->letter, o->name);
		else
			snprintf(name, sizeof(name), "--%s", o->name);
		fputs("*", out);
		text(out, name);
		fputs("*", out);
		if (o->value)
			fprintf(out, " _%s_", o->value);
		fputs("\n\t", out);
		text(out, o->help);
		fputs("\n\n", out);
	}
}

static void
part_commands(FILE *out)
{
	for (int i = 0; commands[i]; i++) {
		const struct command *c = commands[i];

		entry(out, c->name, c->usage + strlen(c->name), c->help,
		    c->risk == RISK_ACTS ? ". Changes the server." :
		        c->needs_screen  ? "" :
		                           ". Also without a screen.");
	}
}

static void
part_panes(FILE *out)
{
	for (int i = 0; panes[i]; i++) {
		fputs("## ", out);
		text(out, panes[i]->name);
		fputs("\n\n", out);
		text(out, panes[i]->help);
		fputs("\n\n", out);
		for (int m = 0; panes[i]->modes && panes[i]->modes[m].name; m++)
			entry(out, "mode ", panes[i]->modes[m].name, panes[i]->modes[m].help, "");
		for (int c = 0; c < panes[i]->ncolumns; c++)
			entry(out, panes[i]->columns[c].name, "", panes[i]->columns[c].help,
			    panes[i]->columns[c].flags & COL_HIDDEN ? " (hidden at first)" : "");
	}
}

static void
part_settings(FILE *out)
{
	const char *section = "";

	for (const struct setting_info *s = setting_infos; s->section; s++) {
		char tail[128] = "";

		if (strcmp(section, s->section) != 0)
			fprintf(out, "## [%s]\n\n",
			    strcmp(s->section, "target") == 0 ? "target NAME" : s->section);
		section = s->section;
		if (*s->value)
			snprintf(tail, sizeof(tail), " (default %s)", s->value);
		entry(out, s->name, "", s->help, tail);
	}
}

static void
part_keys(FILE *out)
{
	struct keymap map = { 0 };
	struct doc problems = { 0 };
	struct error err = { 0 };
	const char *context = "";

	if (keymap_load(&map, "default", &problems, &err)) {
		for (int i = 0; i < map.n; i++) {
			const struct binding *b = &map.bindings[i];
			char keys[96], rest[256];

			if (!b->command || !keymap_is_live(&map, b, b->pane))
				continue;
			if (strcmp(context, b->pane) != 0)
				fprintf(out, "## %s\n\n", b->pane);
			context = b->pane;
			snprintf(rest, sizeof(rest), "  :%s", b->command);
			entry(out, binding_keys(b, keys, sizeof(keys)), rest, b->help, "");
		}
	}
	doc_release(&problems);
	keymap_release(&map);
}

static void
part_roles(FILE *out)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		entry(out, role_infos[i].name, "", role_infos[i].text, "");
}

static void
part_errors(FILE *out)
{
#define X(num, name, words) entry(out, #name, "", words, "");
	ERR_LIST(X)
#undef X
}

static void
level(FILE *out, enum rule_id id, const char *name, double value)
{
	struct strbuf sb = STRBUF_INIT(64);

	if (isnan(value))
		return;
	rule_value_text(&sb, id, value);
	fprintf(out, "%s ", name);
	text(out, sb.buf);
	fputs(", ", out);
	strbuf_release(&sb);
}

static void
part_alerts(FILE *out)
{
	for (int i = 0; i < RULE_COUNT; i++) {
		const struct rule *r = &rules[i];
		char buf[32];

		fputs("*", out);
		text(out, r->id);
		fputs("*\n\t", out);
		text(out, r->help);
		fputs(" (", out);
		level(out, (enum rule_id)i, r->flags & RULE_INFO ? "info" : "warning", r->warning);
		level(out, (enum rule_id)i, "critical", r->critical);
		fprintf(out, "for %s; runbook ", fmt_span(buf, sizeof(buf), r->for_s));
		text(out, r->runbook);
		fputs(")\n\n", out);
	}
}

bool
manual_print(FILE *out)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} parts[] = {
		{ "SYNOPSIS", part_synopsis },
		{ "VERBS", part_verbs },
		{ "OPTIONS", part_options },
		{ "COMMANDS", part_commands },
		{ "PANES", part_panes },
		{ "KEYS", part_keys },
		{ "SETTINGS", part_settings },
		{ "ALERTS", part_alerts },
		{ "ROLES", part_roles },
		{ "ERRORS", part_errors },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		fprintf(out, "@@%s@@\n", parts[i].name);
		parts[i].print(out);
	}
	return fflush(out) == 0;
}
