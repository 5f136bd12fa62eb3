/* Theme files: parsing, inheritance, and what remains of a colour on a poorer terminal. */
#include "config.h"

#include "tui/theme.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lexer.h"
#include "base/mem.h"
#include "tui/datafile.h"

enum { MAX_INHERIT = 8 };

/* The names of the 16 basic colours, in the terminal's order. */
static const char *const color_names[] = { "black", "red", "green", "yellow", "blue", "magenta",
	"cyan", "white", "bright-black", "bright-red", "bright-green", "bright-yellow",
	"bright-blue", "bright-magenta", "bright-cyan", "bright-white", "default", "gray", "grey",
	NULL };

static const struct {
	const char *name;
	unsigned bit;
} attributes[] = {
	{ "bold", STYLE_BOLD },
	{ "dim", STYLE_DIM },
	{ "underline", STYLE_UNDERLINE },
	{ "reverse", STYLE_REVERSE },
	{ "italic", STYLE_ITALIC },
	{ "blink", STYLE_BLINK },
};
static const char *const attribute_names[] = { "bold", "dim", "underline", "reverse", "italic",
	"blink", "mono-bold", "mono-dim", "mono-underline", "mono-reverse", "mono-italic",
	"mono-blink", NULL };

static const char *const statement_names[] = { "inherit", "role", NULL };

/* xterm's palette of the 16 basic colours, for distances. */
static const unsigned char basic_rgb[16][3] = { { 0, 0, 0 }, { 205, 0, 0 }, { 0, 205, 0 },
	{ 205, 205, 0 }, { 0, 0, 238 }, { 205, 0, 205 }, { 0, 205, 205 }, { 229, 229, 229 },
	{ 127, 127, 127 }, { 255, 0, 0 }, { 0, 255, 0 }, { 255, 255, 0 }, { 92, 92, 255 },
	{ 255, 0, 255 }, { 0, 255, 255 }, { 255, 255, 255 } };

struct theme_reader {
	struct theme *theme;
	const char *file;
	int line;
	int depth;
	struct doc *problems;
	struct arena arena;
};

static void read_theme(
    struct theme *theme, const char *text, const char *file, int depth, struct doc *problems);

/* "file:line: what", with the nearest right word when there is one. */
static void
complain(struct theme_reader *r, const char *what, const char *word, const char *const *names)
{
	const char *near = names ? nearest_name(word, names) : NULL;
	if (near)
		doc_add(r->problems, ROLE_WARN, "%s:%d: %s \"%s\"; the nearest is \"%s\"", r->file,
		    r->line, what, word, near);
	else
		doc_add(r->problems, ROLE_WARN, "%s:%d: %s \"%s\"", r->file, r->line, what, word);
}

static bool
parse_color(const char *s, int *color)
{
	if (strcasecmp(s, "default") == 0) {
		*color = COLOR_DEFAULT;
		return true;
	}
	if (strcasecmp(s, "gray") == 0 || strcasecmp(s, "grey") == 0) {
		*color = 8;
		return true;
	}
	for (int i = 0; i < 16; i++)
		if (strcasecmp(s, color_names[i]) == 0) {
			*color = i;
			return true;
		}
	char *end;
	if (*s == '#' && strlen(s) == 7 && isxdigit((unsigned char)s[1])) {
		*color = COLOR_IS_RGB | (int)strtol(s + 1, &end, 16);
		return *end == '\0';
	}
	if (!isdigit((unsigned char)*s))
		return false;
	long n = strtol(s, &end, 10);
	*color = (int)n;
	return *end == '\0' && n <= 255;
}

static void
read_role(struct theme_reader *r, const struct words *words)
{
	if (words->n < 4) {
		doc_add(r->problems, ROLE_WARN, "%s:%d: role needs a name and two colours", r->file,
		    r->line);
		return;
	}
	int role = role_by_name(words->w[1].text);
	if (role < 0) {
		const char *names[ROLE_COUNT + 1];
		for (int i = 0; i < ROLE_COUNT; i++)
			names[i] = role_infos[i].name;
		names[ROLE_COUNT] = NULL;
		complain(r, "unknown role", words->w[1].text, names);
		return;
	}
	struct style style = { .mono = r->theme->styles[role].mono };
	bool has_mono = false;
	if (!parse_color(words->w[2].text, &style.fg)) {
		complain(r, "unknown colour", words->w[2].text, color_names);
		return;
	}
	if (!parse_color(words->w[3].text, &style.bg)) {
		complain(r, "unknown colour", words->w[3].text, color_names);
		return;
	}
	for (int i = 4; i < words->n; i++) {
		const char *word = words->w[i].text;
		bool is_mono = strncasecmp(word, "mono-", 5) == 0;
		const char *bare = is_mono ? word + 5 : word;
		size_t a = 0;
		while (a < ARRAY_LEN(attributes) && strcasecmp(bare, attributes[a].name) != 0)
			a++;
		if (a == ARRAY_LEN(attributes)) {
			complain(r, "unknown attribute", word, attribute_names);
			continue;
		}
		if (is_mono && !has_mono)
			style.mono = 0;
		has_mono |= is_mono;
		if (is_mono)
			style.mono |= attributes[a].bit;
		else
			style.attrs |= attributes[a].bit;
	}
	if (!has_mono && style.fg == COLOR_DEFAULT && style.bg == COLOR_DEFAULT)
		style.mono = style.attrs;
	r->theme->styles[role] = style;
}

static void
read_inherit(struct theme_reader *r, const struct words *words)
{
	struct error err;
	const char *path;

	if (words->n != 2) {
		doc_add(r->problems, ROLE_WARN, "%s:%d: inherit needs the name of a theme", r->file,
		    r->line);
		return;
	}
	if (r->depth >= MAX_INHERIT) {
		complain(r, "too many levels of inherit at", words->w[1].text, NULL);
		return;
	}
	const char *text =
	    datafile_read(&r->arena, "themes", words->w[1].text, ".theme", &path, &err);
	if (text)
		read_theme(r->theme, text, path, r->depth + 1, r->problems);
	else
		doc_add(r->problems, ROLE_WARN, "%s:%d: %s", r->file, r->line, err.what);
}

/* A '#' that begins a word begins a comment, unless six hexadecimal digits make it a colour. */
static void
cut_comment(char *line)
{
	char *start = line + strspn(line, " \t");
	for (char *p = start; *p; p++) {
		if (*p != '#' || (p > start && !isspace((unsigned char)p[-1])))
			continue;
		size_t hex = strspn(p + 1, "0123456789abcdefABCDEF");
		if (p == start || hex != 6 || !strchr(" \t\r", p[7])) {
			*p = '\0';
			return;
		}
	}
}

static void
read_line(struct theme_reader *r, const char *line)
{
	struct words words;
	struct error err;

	char *copy = arena_strdup(&r->arena, line);
	cut_comment(copy);
	if (!lex_line(&r->arena, copy, false, &words, &err)) {
		doc_add(r->problems, ROLE_WARN, "%s:%d: %s", r->file, r->line, err.what);
		return;
	}
	if (words.n == 0)
		return;
	if (strcmp(words.w[0].text, "role") == 0)
		read_role(r, &words);
	else if (strcmp(words.w[0].text, "inherit") == 0)
		read_inherit(r, &words);
	else
		complain(r, "unknown word", words.w[0].text, statement_names);
}

static void
read_theme(struct theme *theme, const char *text, const char *file, int depth, struct doc *problems)
{
	struct theme_reader r = {
		.theme = theme, .file = file, .depth = depth, .problems = problems
	};

	while (*text) {
		size_t len = strcspn(text, "\n");
		r.line++;
		read_line(&r, arena_strndup(&r.arena, text, len));
		text += len + (text[len] == '\n');
		if (depth == 0 && r.arena.bytes > (8u << 20))
			break;
	}
	arena_release(&r.arena);
}

void
theme_parse(struct theme *theme, const char *text, const char *file, struct doc *problems)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		theme->styles[i] = (struct style){ .fg = COLOR_DEFAULT, .bg = COLOR_DEFAULT };
	read_theme(theme, text, file, 0, problems);
}

bool
theme_load(struct theme *theme, const char *name, struct doc *problems, struct error *err)
{
	struct arena arena = { 0 };
	const char *path;
	const char *text = datafile_read(&arena, "themes", name, ".theme", &path, err);

	if (text) {
		theme_parse(theme, text, path, problems);
		snprintf(theme->name, sizeof(theme->name), "%s", name);
	}
	arena_release(&arena);
	return text != NULL;
}

static int
distance(int r1, int g1, int b1, int r2, int g2, int b2)
{
	int dr = r1 - r2, dg = g1 - g2, db = b1 - b2;
	/* The eye is keenest in green, least in blue. */
	return 3 * dr * dr + 4 * dg * dg + 2 * db * db;
}

/* The components of one of the 256 colours: 16 basic ones, a cube of 6 steps, 24 greys. */
static void
palette_rgb(int color, int rgb[3])
{
	if (color < 16) {
		for (int i = 0; i < 3; i++)
			rgb[i] = basic_rgb[color][i];
	} else if (color < 232) {
		static const int steps[] = { 0, 95, 135, 175, 215, 255 };
		int c = color - 16;
		rgb[0] = steps[c / 36];
		rgb[1] = steps[c / 6 % 6];
		rgb[2] = steps[c % 6];
	} else {
		rgb[0] = rgb[1] = rgb[2] = 8 + 10 * (color - 232);
	}
}

static int
nearest_color(const int rgb[3], int first, int last)
{
	int best = first, best_distance = -1;
	for (int i = first; i <= last; i++) {
		int c[3];
		palette_rgb(i, c);
		int d = distance(rgb[0], rgb[1], rgb[2], c[0], c[1], c[2]);
		if (best_distance < 0 || d < best_distance) {
			best = i;
			best_distance = d;
		}
	}
	return best;
}

int
theme_color(int color, int colors, bool *bold)
{
	*bold = false;
	if (color == COLOR_DEFAULT || colors < 8)
		return COLOR_DEFAULT;
	int rgb[3];
	if (color & COLOR_IS_RGB) {
		if (colors > 256)
			return color;
		rgb[0] = color >> 16 & 0xff;
		rgb[1] = color >> 8 & 0xff;
		rgb[2] = color & 0xff;
		if (colors == 256)
			return nearest_color(rgb, 16, 255);
	} else {
		if (color < 8 || colors >= 256 || (color < 16 && colors >= 16))
			return color;
		palette_rgb(color, rgb);
	}
	int basic = color & COLOR_IS_RGB || color >= 16 ? nearest_color(rgb, 0, 15) : color;
	if (colors >= 16 || basic < 8)
		return basic;
	*bold = true;
	return basic - 8;
}
