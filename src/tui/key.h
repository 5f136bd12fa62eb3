/* Keys and mouse events as one number, and their names in keymaps. Pure, any thread. */
#ifndef PGMEDIC_TUI_KEY_H
#define PGMEDIC_TUI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A key is a Unicode code point or one of these, plus modifier bits. Shifted letters are the
 * upper-case letters themselves; TK_SHIFT occurs with named keys only. Ctrl-letters are the
 * lower-case letter with TK_CTRL.
 */
enum {
	TK_NONE = 0,
	TK_FIRST = 0x110000,
	TK_ENTER = TK_FIRST,
	TK_ESC,
	TK_TAB,
	TK_BACKSPACE,
	TK_UP,
	TK_DOWN,
	TK_LEFT,
	TK_RIGHT,
	TK_HOME,
	TK_END,
	TK_PAGE_UP,
	TK_PAGE_DOWN,
	TK_INSERT,
	TK_DELETE,
	TK_WHEEL_UP,
	TK_WHEEL_DOWN,
	TK_CLICK,
	TK_DOUBLE_CLICK,
	TK_F0, /* TK_F0 + n is F<n>, n up to 24 */
	TK_LAST = TK_F0 + 24,
};
#define TK_ALT       (1u << 24)
#define TK_CTRL      (1u << 25)
#define TK_SHIFT     (1u << 26)
#define TK_CODE(key) ((key)&0xffffffu)

/* Reads one key at the start of s: a character, or <Name> with C-, M- and S- before the name
 * (<Enter> <C-a> <M-x> <S-Tab> <F1> <Space> <lt>). Returns the bytes used, 0 when it is none. */
size_t key_parse(const char *s, uint32_t *key);
/* The name that key_parse reads back; buf of at least 32 bytes. */
const char *key_text(uint32_t key, char *buf, size_t size);
/* The nearest key name for an error message ("<Entr>": "Enter"), NULL when none is near. */
const char *key_nearest(const char *s);

#endif
