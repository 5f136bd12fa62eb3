/* Keys from curses, as one number each; paste brackets and the mouse. The statics are the UI
 * thread's. */
#include "config.h"

#include "tui/input.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <wctype.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tui/screen.h"
#include "tui/term.h"

enum {
	KEY_PASTE_BEGIN = KEY_MAX + 1, /* defined in screen.c */
	KEY_PASTE_END = KEY_MAX + 2,
	PASTE_MAX = 1 << 20,
	DOUBLE_CLICK_MS = 350,
};

static struct {
	struct strbuf paste;
	bool is_pasting;
	struct mono last_click;
	int click_row, click_col;
} state = { .paste = STRBUF_INIT(PASTE_MAX) };

static const struct {
	int curses;
	uint32_t key;
} curses_keys[] = {
	{ KEY_ENTER, TK_ENTER },
	{ KEY_BACKSPACE, TK_BACKSPACE },
	{ KEY_UP, TK_UP },
	{ KEY_DOWN, TK_DOWN },
	{ KEY_LEFT, TK_LEFT },
	{ KEY_RIGHT, TK_RIGHT },
	{ KEY_HOME, TK_HOME },
	{ KEY_FIND, TK_HOME },
	{ KEY_A1, TK_HOME },
	{ KEY_END, TK_END },
	{ KEY_SELECT, TK_END },
	{ KEY_C1, TK_END },
	{ KEY_PPAGE, TK_PAGE_UP },
	{ KEY_A3, TK_PAGE_UP },
	{ KEY_NPAGE, TK_PAGE_DOWN },
	{ KEY_C3, TK_PAGE_DOWN },
	{ KEY_IC, TK_INSERT },
	{ KEY_DC, TK_DELETE },
	{ KEY_BTAB, TK_TAB | TK_SHIFT },
	{ KEY_SLEFT, TK_LEFT | TK_SHIFT },
	{ KEY_SRIGHT, TK_RIGHT | TK_SHIFT },
	{ KEY_SR, TK_UP | TK_SHIFT },
	{ KEY_SF, TK_DOWN | TK_SHIFT },
	{ KEY_SHOME, TK_HOME | TK_SHIFT },
	{ KEY_SEND, TK_END | TK_SHIFT },
};

static uint32_t
function_key(wint_t code)
{
	for (size_t i = 0; i < sizeof(curses_keys) / sizeof(curses_keys[0]); i++)
		if ((int)code == curses_keys[i].curses)
			return curses_keys[i].key;
	if (code > (wint_t)KEY_F0 && code <= (wint_t)KEY_F(24))
		return (uint32_t)(TK_F0 + (int)code - KEY_F0);
	return TK_NONE;
}

static uint32_t
char_key(wint_t c)
{
	switch (c) {
	case '\r':
	case '\n':
		return TK_ENTER;
	case '\t':
		return TK_TAB;
	case 0x1b:
		return TK_ESC;
	case 0x7f:
	case '\b':
		return TK_BACKSPACE;
	case 0:
		return ' ' | TK_CTRL;
	}
	if (c < 0x1b)
		return (uint32_t)('a' + (int)c - 1) | TK_CTRL;
	if (c < 0x20)
		return (uint32_t)('4' + (int)c - 0x1c) | TK_CTRL;
	return (uint32_t)c;
}

static bool
read_mouse(struct input *in)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return false;
	in->row = event.y;
	in->col = event.x;
	if (event.bstate & BUTTON4_PRESSED) {
		in->key = TK_WHEEL_UP;
	} else if (event.bstate & BUTTON5_PRESSED) {
		in->key = TK_WHEEL_DOWN;
	} else if (event.bstate & BUTTON1_PRESSED) {
		struct mono now = mono_now();
		bool is_double = state.last_click.us && state.click_row == event.y &&
		    state.click_col == event.x &&
		    mono_since_ms(now, state.last_click) < DOUBLE_CLICK_MS;
		in->key = is_double ? TK_DOUBLE_CLICK : TK_CLICK;
		state.last_click = is_double ? (struct mono){ 0 } : now;
		state.click_row = event.y;
		state.click_col = event.x;
	} else {
		return false;
	}
	return true;
}

static void
paste_add(wint_t c)
{
	char bytes[4];
	strbuf_add(&state.paste, bytes, utf8_encode((uint32_t)c, bytes));
}

/* One step of reading: true when *in is an event to hand out (INPUT_NONE: nothing there). */
static bool
step(struct input *in)
{
	wint_t c;
	int got = wget_wch(term_keys(), &c);

	if (got == ERR) {
		*in = (struct input){ .kind = INPUT_NONE };
		return true;
	}
	if (got == KEY_CODE_YES && c == KEY_PASTE_BEGIN) {
		state.is_pasting = true;
		strbuf_clear(&state.paste);
		return false;
	}
	if (got == KEY_CODE_YES && c == KEY_PASTE_END) {
		state.is_pasting = false;
		*in = (struct input){
			.kind = INPUT_PASTE, .paste = state.paste.buf, .paste_len = state.paste.len
		};
		return true;
	}
	if (state.is_pasting) {
		if (got == OK)
			paste_add(c);
		return false;
	}
	*in = (struct input){ .kind = INPUT_KEY };
	if (got == KEY_CODE_YES && c == KEY_MOUSE)
		return read_mouse(in);
	in->key = got == KEY_CODE_YES ? function_key(c) : char_key(c);
	return in->key != TK_NONE;
}

static bool
is_hung_up(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char none;

	if (poll(&fd, 1, 0) <= 0)
		return false;
	return fd.revents & (POLLHUP | POLLERR | POLLNVAL) ||
	    (fd.revents & POLLIN && read(STDIN_FILENO, &none, 0) < 0 && errno == EIO);
}

void
input_next(struct input *in)
{
	if (!term_keys()) {
		*in = (struct input){ .kind = INPUT_NONE };
		return;
	}
	while (!step(in))
		;
	if (in->kind == INPUT_NONE && is_hung_up())
		in->kind = INPUT_GONE;
	/* Escape followed at once by a key is that key with Alt. */
	if (in->kind == INPUT_KEY && in->key == TK_ESC) {
		struct input next = { .kind = INPUT_NONE };
		if (step(&next) && next.kind == INPUT_KEY && next.key != TK_ESC) {
			*in = next;
			in->key |= TK_ALT;
		}
	}
}

int
input_fd(void)
{
	return term_keys() ? STDIN_FILENO : -1;
}
