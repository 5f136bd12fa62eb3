/* Keymap files: parsing, inheritance, and which binding a key means. */
#include "config.h"

#include "tui/keymap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lexer.h"
#include "base/strbuf.h"
#include "tui/datafile.h"

enum { MAX_INHERIT = 8 };

static const char *const statement_names[] = { "inherit", "bind", "unbind", NULL };
static const char *const context_names[] = { "any", "view", NULL };

/* One word of a line cut by blanks alone: a key may be a quote or a backslash. */
static const char *
take_word(struct arena *arena, const char **line)
{
	const char *p = *line + strspn(*line, " \t\r");
	size_t len = strcspn(p, " \t\r");
	*line = p + len;
	return len ? arena_strndup(arena, p, len) : NULL;
}

static bool
parse_keys(struct binding *b, const char *text, struct error *err)
{
	const char *p = text;
	b->nkeys = 0;
	while (*p) {
		uint32_t key;
		size_t n = key_parse(p, &key);
		if (n == 0) {
			error_set(err, ERR_CONFIG, "unknown key \"%s\"", p);
			const char *near = key_nearest(p);
			if (near)
				error_hint(err, "The nearest is \"<%s>\".", near);
			return false;
		}
		if (b->nkeys == KEYMAP_SEQ)
			return error_set(
			    err, ERR_CONFIG, "more than %d keys in \"%s\"", KEYMAP_SEQ, text);
		b->keys[b->nkeys++] = key;
		p += n;
	}
	return true;
}

static bool
check_context(const struct keymap *map, const char *word, struct error *err)
{
	for (const char *const *name = context_names; *name; name++)
		if (strcmp(word, *name) == 0)
			return true;
	if (!map->is_pane || map->is_pane(word))
		return true;
	error_set(err, ERR_CONFIG, "unknown pane \"%s\"", word);
	const char *near = nearest_name(word, context_names);
	if (!near && map->near_pane)
		near = map->near_pane(word);
	if (near)
		error_hint(err, "The nearest is \"%s\".", near);
	return false;
}

static void
add(struct keymap *map, const struct binding *b)
{
	GROW(map->bindings, map->n, map->cap);
	map->bindings[map->n++] = *b;
}

/* "PANE KEYS COMMAND LINE # help", or "PANE KEYS" to unbind. */
static bool
read_bind(struct keymap *map, const char *rest, bool is_unbind, struct error *err)
{
	struct binding b = { .help = "" };
	struct words words;
	const char *pane = take_word(&map->arena, &rest),
	           *keys = pane ? take_word(&map->arena, &rest) : NULL;

	if (!keys)
		return error_set(err, ERR_CONFIG, "%s needs a pane (or any), a key%s",
		    is_unbind ? "unbind" : "bind", is_unbind ? "" : " and a command");
	if (!check_context(map, pane, err) || !parse_keys(&b, keys, err))
		return false;
	if (!lex_line(&map->arena, rest, true, &words, err))
		return false;
	if (!is_unbind && words.n == 0)
		return error_set(err, ERR_CONFIG, "no command for key \"%s\"", keys);
	if (is_unbind && words.n > 0)
		return error_set(err, ERR_CONFIG, "what is \"%s\" after the key", words.w[0].text);
	b.pane = pane;
	if (!is_unbind) {
		int from = words.w[0].at;
		b.command = arena_strndup(
		    &map->arena, rest + from, (size_t)(words.w[words.n - 1].end - from));
		if (words.comment)
			b.help =
			    arena_strdup(&map->arena, words.comment + strspn(words.comment, " \t"));
	}
	add(map, &b);
	return true;
}

static void read_keymap(
    struct keymap *map, const char *text, const char *file, int depth, struct doc *problems);

static bool
read_inherit(
    struct keymap *map, const char *rest, int depth, struct doc *problems, struct error *err)
{
	const char *name = take_word(&map->arena, &rest), *path;
	if (!name)
		return error_set(err, ERR_CONFIG, "inherit needs the name of a keymap");
	if (depth >= MAX_INHERIT)
		return error_set(err, ERR_CONFIG, "too many levels of inherit at \"%s\"", name);
	const char *text = datafile_read(&map->arena, "keymaps", name, ".keys", &path, err);
	if (!text)
		return false;
	read_keymap(map, text, path, depth + 1, problems);
	return true;
}

static bool
read_line(struct keymap *map, const char *line, int depth, struct doc *problems, struct error *err)
{
	const char *rest = line, *word = take_word(&map->arena, &rest);

	if (!word || *word == '#')
		return true;
	if (strcmp(word, "bind") == 0)
		return read_bind(map, rest, false, err);
	if (strcmp(word, "unbind") == 0)
		return read_bind(map, rest, true, err);
	if (strcmp(word, "inherit") == 0 && problems)
		return read_inherit(map, rest, depth, problems, err);
	error_set(err, ERR_CONFIG, "unknown word \"%s\"", word);
	const char *near = nearest_name(word, statement_names);
	if (near)
		error_hint(err, "The nearest is \"%s\".", near);
	return false;
}

static void
read_keymap(struct keymap *map, const char *text, const char *file, int depth, struct doc *problems)
{
	for (int line = 1; *text; line++) {
		size_t len = strcspn(text, "\n");
		struct error err = { 0 };
		if (!read_line(map, arena_strndup(&map->arena, text, len), depth, problems, &err))
			doc_add(problems, ROLE_WARN, "%s:%d: %s%s%s", file, line, err.what,
			    *err.hint ? ": " : "", err.hint);
		text += len + (text[len] == '\n');
	}
}

void
keymap_parse(struct keymap *map, const char *text, const char *file, struct doc *problems)
{
	read_keymap(map, text, file, 0, problems);
}

bool
keymap_load(struct keymap *map, const char *name, struct doc *problems, struct error *err)
{
	struct keymap fresh = { .is_pane = map->is_pane, .near_pane = map->near_pane };
	const char *path;
	const char *text = datafile_read(&fresh.arena, "keymaps", name, ".keys", &path, err);

	if (!text) {
		arena_release(&fresh.arena);
		return false;
	}
	snprintf(fresh.name, sizeof(fresh.name), "%s", name);
	read_keymap(&fresh, text, path, 0, problems);
	keymap_release(map);
	*map = fresh;
	return true;
}

bool
keymap_line(struct keymap *map, const char *line, struct error *err)
{
	return read_line(map, arena_strdup(&map->arena, line), 0, NULL, err);
}

void
keymap_release(struct keymap *map)
{
	free(map->bindings);
	arena_release(&map->arena);
	map->bindings = NULL;
	map->n = map->cap = 0;
}

/* The newest binding of exactly these keys in this context; unbound ones count, to hide what "any"
 * has. */
static const struct binding *
find_exact(const struct keymap *map, const char *pane, const uint32_t *keys, int nkeys)
{
	for (int i = map->n - 1; i >= 0; i--) {
		const struct binding *b = &map->bindings[i];
		if (b->nkeys == nkeys &&
		    memcmp(b->keys, keys, (size_t)nkeys * sizeof(*keys)) == 0 &&
		    strcmp(b->pane, pane) == 0)
			return b;
	}
	return NULL;
}

static bool
is_prefix(const struct keymap *map, const char *pane, const uint32_t *keys, int nkeys)
{
	for (int i = 0; i < map->n; i++) {
		const struct binding *b = &map->bindings[i];
		if (b->nkeys > nkeys && b->command && strcmp(b->pane, pane) == 0 &&
		    memcmp(b->keys, keys, (size_t)nkeys * sizeof(*keys)) == 0 &&
		    find_exact(map, pane, b->keys, b->nkeys) == b)
			return true;
	}
	return false;
}

enum keymap_hit
keymap_find(const struct keymap *map, const char *pane, bool with_any, const uint32_t *keys,
    int nkeys, const struct binding **hit)
{
	*hit = find_exact(map, pane, keys, nkeys);
	if (!*hit && with_any)
		*hit = find_exact(map, "any", keys, nkeys);
	if (*hit && (*hit)->command)
		return KEYMAP_YES;
	if (is_prefix(map, pane, keys, nkeys) || (with_any && is_prefix(map, "any", keys, nkeys)))
		return KEYMAP_PREFIX;
	return KEYMAP_NO;
}

bool
keymap_is_live(const struct keymap *map, const struct binding *b, const char *pane)
{
	bool is_any = strcmp(b->pane, "any") == 0;
	if (!b->command || (!is_any && strcmp(b->pane, pane) != 0))
		return false;
	if (find_exact(map, b->pane, b->keys, b->nkeys) != b)
		return false;
	return !is_any || !find_exact(map, pane, b->keys, b->nkeys);
}

const char *
binding_keys(const struct binding *b, char *buf, size_t size)
{
	size_t len = 0;
	buf[0] = '\0';
	for (int i = 0; i < b->nkeys && len < size; i++) {
		char name[32];
		int n =
		    snprintf(buf + len, size - len, "%s", key_text(b->keys[i], name, sizeof(name)));
		len += n > 0 ? (size_t)n : 0;
	}
	return buf;
}
