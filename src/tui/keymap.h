/*
 * Keymaps: text files that bind keys to command lines. A key never calls C; it runs a command.
 *
 *   inherit NAME
 *   bind PANE|any|view KEYS COMMAND LINE  # help
 *   unbind PANE|any|view KEYS
 *
 * KEYS is one to three keys written together (gg, <C-a>). "view" is any document on the screen
 * (detail, help). UI thread.
 */
#ifndef PGMEDIC_TUI_KEYMAP_H
#define PGMEDIC_TUI_KEYMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/error.h"
#include "base/mem.h"
#include "tui/key.h"

enum { KEYMAP_SEQ = 3 };

struct binding {
	const char *pane;          /* "any", "view", or a pane's name */
	uint32_t keys[KEYMAP_SEQ]; /* 0-filled */
	int nkeys;
	const char *command; /* command line; NULL: unbound */
	const char *help;    /* "" when the line has none */
};

struct keymap {
	struct arena arena;
	char name[32];
	struct binding *bindings; /* later ones win */
	int n, cap;
	bool (*is_pane)(const char *name); /* accepts contexts beside any and view; NULL: all */
	const char *(*near_pane)(const char *name); /* suggestion, or NULL */
};

void keymap_release(struct keymap *map);
/* Read keymap `name` (config folder, installed, built in) into an emptied map. Lines that cannot be
 * used are reported to `problems` as file:line: what, and skipped. Fails only when there is no such
 * keymap. */
bool keymap_load(
    struct keymap *map, const char *name, struct doc *problems, struct error *err) MUST_CHECK;
/* The same from text; `file` is for messages. */
void keymap_parse(struct keymap *map, const char *text, const char *file, struct doc *problems);
/* One line ("bind …", "unbind …"). */
bool keymap_line(struct keymap *map, const char *line, struct error *err) MUST_CHECK;

enum keymap_hit { KEYMAP_NO, KEYMAP_PREFIX, KEYMAP_YES };
/* What the keys typed so far mean: the pane's own binding first, then "any" (only when with_any).
 */
enum keymap_hit keymap_find(const struct keymap *map, const char *pane, bool with_any,
    const uint32_t *keys, int nkeys, const struct binding **hit);
/* Is this binding in force in `pane`, that is, not overridden later or by the pane's own? */
bool keymap_is_live(const struct keymap *map, const struct binding *b, const char *pane);
/* The keys of a binding as text; buf of at least 96 bytes. */
const char *binding_keys(const struct binding *b, char *buf, size_t size);

#endif
