#include "config.h"

#include "app/complete.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/command.h"
#include "app/help.h"
#include "app/settings.h"
#include "base/lexer.h"
#include "model/spans.h"

enum { MAX_ITEMS = 2000 };

struct gather {
	struct arena *arena;
	const char *word; /* what is typed of it, unquoted */
	const char **items;
	int n, cap;
};

static void
offer(struct gather *g, const char *item)
{
	if (!item || !*item || strncmp(item, g->word, strlen(g->word)) != 0 || g->n >= MAX_ITEMS)
		return;
	for (int i = 0; i < g->n; i++)
		if (strcmp(g->items[i], item) == 0)
			return;
	GROW(g->items, g->n, g->cap);
	g->items[g->n++] = arena_strdup(g->arena, item);
}

static void
offer_list(struct gather *g, const char *const *list)
{
	for (; list && *list; list++)
		offer(g, *list);
}

static void
offer_panes(struct gather *g)
{
	for (int i = 0; panes[i]; i++)
		offer(g, panes[i]->name);
}

static void
offer_commands(struct gather *g)
{
	for (int i = 0; commands[i]; i++)
		offer(g, commands[i]->name);
	offer_panes(g);
}

static void
offer_cell(struct gather *g, const struct cell *c)
{
	if (c->type == CELL_TEXT)
		offer(g, arena_strndup(g->arena, c->s, c->len));
	else if (c->type == CELL_INT)
		offer(g, arena_printf(g->arena, "%lld", (long long)c->i));
}

/* Each value of a column of a probe's last good answer. */
static void
offer_column(struct gather *g, const struct snapshot *snap, enum probe_id probe, const char *column)
{
	const struct rowset *rows = snap ? snapshot_rows(snap, probe) : NULL;
	int col = rows ? rowset_col(rows, column) : -1;

	for (int i = 0; col >= 0 && i < rows->nrows; i++)
		offer_cell(g, rowset_cell(rows, i, col));
}

static void
offer_databases(struct gather *g, const struct snapshot *snap)
{
	const struct rowset *rows = snap ? snapshot_rows(snap, PROBE_NAMES) : NULL;

	for (int i = 0; rows && i < rows->nrows; i++)
		if (cell_is(rowset_get(rows, i, "kind"), "database"))
			offer_cell(g, rowset_get(rows, i, "name"));
}

/* "schema.name" of what the tables or indexes pane has read. */
static void
offer_relations(struct gather *g, const struct snapshot *snap, enum probe_id probe)
{
	static const char *const names[] = { "table", "index", "name", "relname" };
	const struct rowset *rows = snap ? snapshot_rows(snap, probe) : NULL;
	int schema = rows ? rowset_col(rows, "schema") : -1, name = -1;

	for (size_t i = 0; rows && i < ARRAY_LEN(names) && name < 0; i++)
		if (probe != PROBE_INDEXES || strcmp(names[i], "table") != 0)
			name = rowset_col(rows, names[i]);
	for (int i = 0; name >= 0 && i < rows->nrows; i++) {
		const struct cell *s = rowset_cell(rows, i, schema),
		                  *n = rowset_cell(rows, i, name);

		if (n->type != CELL_TEXT)
			continue;
		if (s->type == CELL_TEXT)
			offer(g,
			    arena_printf(
			        g->arena, "%.*s.%.*s", (int)s->len, s->s, (int)n->len, n->s));
		offer_cell(g, n);
	}
}

static void
offer_settings(struct gather *g)
{
	for (const struct setting_info *s = setting_infos; s->section; s++) {
		if (strcmp(s->section, "console") != 0)
			continue;
		if (s->type != SETTING_COLUMNS) {
			offer(g, s->name);
			continue;
		}
		for (int i = 0; panes[i]; i++)
			offer(g, arena_printf(g->arena, "columns.%s", panes[i]->name));
	}
}

static void
offer_columns(struct gather *g, const struct pane *pane)
{
	for (int i = 0; pane && i < pane->ncolumns; i++)
		offer(g, pane->columns[i].name);
}

/* "a|b|c" of a usage line. */
static void
offer_choices(struct gather *g, const char *choices)
{
	while (choices && *choices) {
		size_t n = strcspn(choices, "|");

		offer(g, arena_strndup(g->arena, choices, n));
		choices += n + (choices[n] == '|');
	}
}

/* Values of a setting: its choices, names of what it names, yes and no. */
static void
offer_values(struct gather *g, const struct complete_ctx *ctx, const char *setting)
{
	const struct setting_info *s = setting_by_name("console", setting);

	if (!s)
		return;
	if (s->type == SETTING_BOOL)
		offer_choices(g, "yes|no");
	else if (s->type == SETTING_TEXT)
		offer_choices(g, s->what);
	else if (s->type == SETTING_NAME && strcmp(s->what, "theme") == 0)
		offer_list(g, ctx->themes);
	else if (s->type == SETTING_NAME && strcmp(s->what, "keymap") == 0)
		offer_list(g, ctx->keymaps);
	else if (s->type == SETTING_NAME)
		offer_panes(g);
}

static void
offer_files(struct gather *g)
{
	const char *slash = strrchr(g->word, '/');
	const char *prefix =
	    slash ? arena_strndup(g->arena, g->word, (size_t)(slash - g->word) + 1) : "";
	const char *folder = !slash ? "." : prefix;
	const char *home = getenv("HOME");
	DIR *dir;

	if (strncmp(prefix, "~/", 2) == 0 && home)
		folder = arena_printf(g->arena, "%s%s", home, prefix + 1);
	dir = opendir(folder);
	for (const struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
		struct stat st;
		const char *path = arena_printf(g->arena, "%s/%s", folder, e->d_name);
		bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

		/* Hidden ones only when asked for. */
		if (e->d_name[0] == '.' && g->word[strlen(prefix)] != '.')
			continue;
		offer(g, arena_printf(g->arena, "%s%s%s", prefix, e->d_name, is_dir ? "/" : ""));
	}
	if (dir)
		closedir(dir);
}

static void
offer_spans(struct gather *g)
{
	for (const struct span *s = spans; s->name; s++)
		offer(g, s->name);
}

/* Words in a usage line that are typed as they are: "[text|json|csv]", "tagged". */
static void
offer_usage_words(struct gather *g, const struct command *cmd)
{
	const char *s = cmd->usage + strlen(cmd->name);

	while (*s) {
		size_t n = 0;

		while (islower((unsigned char)s[n]) || s[n] == '_' || (s[n] == '-' && n < 2) ||
		    (n && s[n] == '-'))
			n++;
		if (n > 1)
			offer(g, arena_strndup(g->arena, s, n));
		s += n ? n : 1;
	}
}

static void
offer_arg(
    struct gather *g, const struct complete_ctx *ctx, const struct command *cmd, enum arg_kind kind)
{
	switch (kind) {
	case ARG_PANE:
		offer_panes(g);
		break;
	case ARG_COLUMN:
		offer_columns(g, ctx->pane);
		break;
	case ARG_PID:
		offer_column(g, ctx->snap, PROBE_ACTIVITY, "pid");
		break;
	case ARG_DATABASE:
		offer_databases(g, ctx->snap);
		break;
	case ARG_SETTING:
		offer_settings(g);
		break;
	case ARG_TARGET:
		for (int i = 0; ctx->targets && i < ctx->targets->n; i++)
			offer(g, ctx->targets->items[i].name);
		break;
	case ARG_THEME:
		offer_list(g, ctx->themes);
		break;
	case ARG_KEYMAP:
		offer_list(g, ctx->keymaps);
		break;
	case ARG_FILE:
		if (!ctx->no_files)
			offer_files(g);
		break;
	case ARG_COMMAND:
		offer_commands(g);
		break;
	case ARG_TABLE:
		offer_relations(g, ctx->snap, PROBE_TABLES);
		break;
	case ARG_INDEX:
		offer_relations(g, ctx->snap, PROBE_INDEXES);
		offer_relations(g, ctx->snap, PROBE_TABLES);
		break;
	case ARG_METRIC:
		for (int i = 0; i < METRIC_COUNT; i++)
			offer(g, metric_infos[i].name);
		offer_spans(g);
		break;
	case ARG_SPAN:
		offer_spans(g);
		break;
	case ARG_NONE:
	case ARG_TEXT:
	case ARG_NUMBER:
	case ARG_KEY:
	case ARG_OPTION:
	case ARG_WORD:
		break;
	}
	if (kind != ARG_NONE)
		offer_usage_words(g, cmd);
}

static int
compare(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	char *end_x, *end_y;
	long i = strtol(x, &end_x, 10), k = strtol(y, &end_y, 10);

	/* pids by number */
	if (!*end_x && !*end_y && i != k)
		return i < k ? -1 : 1;
	return strcmp(x, y);
}

/* The word that the cursor is in: where it begins. Quotes are honoured roughly, as far as typed. */
static int
word_start(const char *line, int cursor)
{
	char quote = 0;
	int start = 0;

	for (int i = 0; i < cursor; i++) {
		if (quote) {
			quote = line[i] == quote ? 0 : quote;
		} else if (line[i] == '\'' || line[i] == '"') {
			quote = line[i];
		} else if (line[i] == '\\' && i + 1 < cursor) {
			i++;
		} else if (line[i] == ' ' || line[i] == '\t') {
			start = i + 1;
		}
	}
	return start;
}

static const char *
unquote(struct arena *arena, const char *text)
{
	char *out = arena_strdup(arena, text);
	size_t n = 0;

	for (size_t i = 0; text[i]; i++)
		if (text[i] != '\'' && text[i] != '"' && !(text[i] == '\\' && text[i + 1]))
			out[n++] = text[i];
	out[n] = '\0';
	return out;
}

static void
finish(struct arena *arena, struct gather *g, struct completion *out)
{
	if (g->n > 1)
		qsort(g->items, (size_t)g->n, sizeof(*g->items), compare);
	out->items = arena_zalloc(arena, (size_t)g->n + 1, sizeof(*out->items));
	out->n = g->n;
	for (int i = 0; i < g->n; i++)
		out->items[i] = lex_quote(arena, g->items[i]);
	out->common = "";
	if (g->n > 0) {
		size_t len = strlen(out->items[0]);

		for (int i = 1; i < g->n; i++) {
			size_t same = 0;

			while (same < len && out->items[i][same] == out->items[0][same])
				same++;
			len = same;
		}
		out->common = arena_strndup(arena, out->items[0], len);
	}
}

static const struct command *
find_command(const char *word)
{
	for (int i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, word) == 0 ||
		    (commands[i]->alias && strcmp(commands[i]->alias, word) == 0))
			return commands[i];
	return NULL;
}

void
complete_line(struct arena *arena, const struct complete_ctx *ctx, const char *line, int cursor,
    struct completion *out)
{
	struct gather g = { .arena = arena };
	struct error err = { 0 };
	struct words words = { 0 };
	const struct command *cmd;
	int start = word_start(line, cursor), arg;

	memset(out, 0, sizeof(*out));
	out->from = start;
	out->to = cursor;
	g.word = unquote(arena, arena_strndup(arena, line + start, (size_t)(cursor - start)));
	/* The words before this one; all of them are closed. */
	if (!lex_line(arena, arena_strndup(arena, line, (size_t)start), false, &words, &err))
		words.n = 0;
	if (words.n == 0) {
		offer_commands(&g);
	} else if ((cmd = find_command(words.w[0].text)) != NULL) {
		arg = words.n - 1 < 4 ? words.n - 1 : 3;
		if (strcmp(cmd->name, "help") == 0 && arg == 0) {
			for (const struct help_topic_info *t = help_topics; t->name; t++)
				offer(&g, t->name);
			offer_commands(&g);
		} else if (strcmp(cmd->name, "set") == 0) {
			if (arg == 0)
				offer_settings(&g);
			else
				offer_values(&g, ctx, words.w[1].text);
		} else {
			offer_arg(&g, ctx, cmd, cmd->args[arg]);
		}
	}
	finish(arena, &g, out);
	free(g.items);
}
