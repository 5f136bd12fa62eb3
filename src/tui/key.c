/* Key names: one table serves parsing, printing and suggestions. */
#include "config.h"

#include "tui/key.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compat.h"
#include "base/lexer.h"
#include "base/utf8.h"

struct named_key {
	const char *name;
	uint32_t key;
};

/* The first name of a key is the one that is printed. */
static const struct named_key named_keys[] = {
	{ "Enter", TK_ENTER },
	{ "Return", TK_ENTER },
	{ "CR", TK_ENTER },
	{ "Esc", TK_ESC },
	{ "Escape", TK_ESC },
	{ "Tab", TK_TAB },
	{ "Space", ' ' },
	{ "lt", '<' },
	{ "gt", '>' },
	{ "Hash", '#' },
	{ "Backspace", TK_BACKSPACE },
	{ "BS", TK_BACKSPACE },
	{ "Up", TK_UP },
	{ "Down", TK_DOWN },
	{ "Left", TK_LEFT },
	{ "Right", TK_RIGHT },
	{ "Home", TK_HOME },
	{ "End", TK_END },
	{ "PageUp", TK_PAGE_UP },
	{ "PgUp", TK_PAGE_UP },
	{ "PageDown", TK_PAGE_DOWN },
	{ "PgDn", TK_PAGE_DOWN },
	{ "Insert", TK_INSERT },
	{ "Delete", TK_DELETE },
	{ "Del", TK_DELETE },
	{ "WheelUp", TK_WHEEL_UP },
	{ "WheelDown", TK_WHEEL_DOWN },
	{ "Click", TK_CLICK },
	{ "DoubleClick", TK_DOUBLE_CLICK },
};

static const char *const suggestions[] = { "Enter", "Esc", "Tab", "Space", "Backspace", "Up",
	"Down", "Left", "Right", "Home", "End", "PageUp", "PageDown", "Insert", "Delete", "WheelUp",
	"WheelDown", "Click", "DoubleClick", "lt", "gt", "Hash", NULL };

static uint32_t
name_to_key(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(named_keys); i++)
		if (strlen(named_keys[i].name) == len &&
		    strncasecmp(named_keys[i].name, name, len) == 0)
			return named_keys[i].key;
	if (len >= 2 && len <= 3 && (name[0] == 'F' || name[0] == 'f') &&
	    isdigit((unsigned char)name[1])) {
		long n = strtol(name + 1, NULL, 10);
		if (n >= 1 && n <= TK_LAST - TK_F0 && (len == 2 || isdigit((unsigned char)name[2])))
			return (uint32_t)(TK_F0 + n);
	}
	uint32_t cp;
	if (len > 0 && utf8_decode(name, len, &cp) == len && cp > 0x20 && cp != 0xfffd)
		return cp;
	return TK_NONE;
}

/* Ctrl with a letter is case-blind; Shift with a letter is the upper-case letter. */
static uint32_t
with_modifiers(uint32_t key, uint32_t mods)
{
	if (key < 0x80 && isalpha((int)key)) {
		if (mods & TK_CTRL)
			key = (uint32_t)tolower((int)key);
		else if (mods & TK_SHIFT)
			key = (uint32_t)toupper((int)key);
		mods &= ~TK_SHIFT;
	}
	return key | mods;
}

size_t
key_parse(const char *s, uint32_t *key)
{
	*key = TK_NONE;
	if (!*s)
		return 0;
	const char *close = *s == '<' ? strchr(s, '>') : NULL;
	if (!close) {
		size_t n = utf8_decode(s, strlen(s), key);
		if (*key <= 0x20 || *key == 0x7f || *key == 0xfffd) {
			*key = TK_NONE;
			return 0;
		}
		return n;
	}
	const char *p = s + 1;
	uint32_t mods = 0;
	while (close - p > 2 && p[1] == '-') {
		char c = (char)toupper((unsigned char)*p);
		if (c != 'C' && c != 'M' && c != 'A' && c != 'S')
			break;
		mods |= c == 'C' ? TK_CTRL : c == 'S' ? TK_SHIFT : TK_ALT;
		p += 2;
	}
	uint32_t named = name_to_key(p, (size_t)(close - p));
	if (named == TK_NONE)
		return 0;
	*key = with_modifiers(named, mods);
	return (size_t)(close + 1 - s);
}

const char *
key_text(uint32_t key, char *buf, size_t size)
{
	uint32_t code = TK_CODE(key);
	char bare[24] = "";
	bool is_named = true;

	if (code > TK_F0 && code <= TK_LAST)
		snprintf(bare, sizeof(bare), "F%u", (unsigned)(code - TK_F0));
	for (size_t i = 0; !*bare && i < ARRAY_LEN(named_keys); i++)
		if (named_keys[i].key == code)
			snprintf(bare, sizeof(bare), "%s", named_keys[i].name);
	if (!*bare) {
		char text[4];
		size_t n = utf8_encode(code, text);
		snprintf(bare, sizeof(bare), "%.*s", (int)n, text);
		is_named = false;
	}
	/* '>' alone needs no name; '<' and '#' and the blank do, being syntax of keymap files. */
	if (code == '>' && !(key & (TK_ALT | TK_CTRL | TK_SHIFT))) {
		snprintf(bare, sizeof(bare), ">");
		is_named = false;
	}
	if (!is_named && key == code)
		snprintf(buf, size, "%s", bare);
	else
		snprintf(buf, size, "<%s%s%s%s>", key & TK_CTRL ? "C-" : "",
		    key & TK_ALT ? "M-" : "", key & TK_SHIFT ? "S-" : "", bare);
	return buf;
}

const char *
key_nearest(const char *s)
{
	char name[32];
	if (*s == '<')
		s++;
	while (s[0] && s[1] == '-' && s[2])
		s += 2;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(s, ">"), s);
	return nearest_name(name, suggestions);
}
