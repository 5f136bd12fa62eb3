/*
 * Themes: text files that give roles their colours.
 *
 *   inherit NAME
 *   role ROLE FG BG [ATTRIBUTE ...]
 *
 * FG and BG: default, a colour's name (black red green yellow blue magenta cyan white, bright-…), 0
 * to 255, or #rrggbb. ATTRIBUTE: bold dim underline reverse italic blink; with "mono-" before it,
 * it is used only where there are no colours. A role whose colours are both "default" looks the
 * same with and without colours. UI thread.
 */
#ifndef PGMEDIC_TUI_THEME_H
#define PGMEDIC_TUI_THEME_H

#include <stdbool.h>

#include "base/doc.h"
#include "base/error.h"
#include "base/role.h"

enum {
	STYLE_BOLD = 1 << 0,
	STYLE_DIM = 1 << 1,
	STYLE_UNDERLINE = 1 << 2,
	STYLE_REVERSE = 1 << 3,
	STYLE_ITALIC = 1 << 4,
	STYLE_BLINK = 1 << 5,
};

enum { COLOR_DEFAULT = -1, COLOR_IS_RGB = 0x1000000 };

struct style {
	int fg, bg;     /* COLOR_DEFAULT, 0..255, or COLOR_IS_RGB | 0xrrggbb */
	unsigned attrs; /* with colours */
	unsigned mono;  /* without */
};

struct theme {
	char name[32];
	struct style styles[ROLE_COUNT];
};

/* Read theme `name` (config folder, installed, built in). Bad lines go to `problems` and are
 * skipped; fails only when there is no such theme; *theme is then unchanged. */
bool theme_load(
    struct theme *theme, const char *name, struct doc *problems, struct error *err) MUST_CHECK;
/* The same from text. */
void theme_parse(struct theme *theme, const char *text, const char *file, struct doc *problems);
/* A colour for a terminal of `colors` colours (0, 8, 16, 256, more): the nearest it has; *bold is
 * set where an 8-colour terminal needs it for a bright foreground. RGB stays only on more than 256.
 */
int theme_color(int color, int colors, bool *bold);

#endif
