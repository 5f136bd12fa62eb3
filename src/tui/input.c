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

/* A press of the left button, or the second one at the same place soon after. */
static uint32_t
click_key(int row, int col)
{
	struct mono now = mono_now();
	bool is_double = state.last_click.us && state.click_row == row && state.click_col == col &&
	    mono_since_ms(now, state.last_click) < DOUBLE_CLICK_MS;

	state.last_click = is_double ? (struct mono){ 0 } : now;
	state.click_row = row;
	state.click_col = col;
	return is_double ? TK_DOUBLE_CLICK : TK_CLICK;
}

static bool
read_mouse(struct input *in)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return false;
	in->row = event.y;
	in->col = event.x;
	if (event.bstate & BUTTON4_PRESSED)
		in->key = TK_WHEEL_UP;
	else if (event.bstate & BUTTON5_PRESSED)
		in->key = TK_WHEEL_DOWN;
	else if (event.bstate & BUTTON1_PRESSED)
		in->key = click_key(event.y, event.x);
	else
		return false;
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

/* Modifiers as xterm numbers them: 1 and a sum of Shift 1, Alt 2, Ctrl 4. */
static uint32_t
xterm_modifiers(int n)
{
	uint32_t mods = 0;
	if (n < 2 || n > 8)
		return 0;
	mods |= (n - 1) & 1 ? TK_SHIFT : 0;
	mods |= (n - 1) & 2 ? TK_ALT : 0;
	mods |= (n - 1) & 4 ? TK_CTRL : 0;
	return mods;
}

static uint32_t
csi_key(const int *args, int n, char final)
{
	static const struct {
		char final;
		int arg;
		uint32_t key;
	} keys[] = {
		{ 'A', 0, TK_UP },
		{ 'B', 0, TK_DOWN },
		{ 'C', 0, TK_RIGHT },
		{ 'D', 0, TK_LEFT },
		{ 'H', 0, TK_HOME },
		{ 'F', 0, TK_END },
		{ '~', 1, TK_HOME },
		{ '~', 2, TK_INSERT },
		{ '~', 3, TK_DELETE },
		{ '~', 4, TK_END },
		{ '~', 5, TK_PAGE_UP },
		{ '~', 6, TK_PAGE_DOWN },
		{ '~', 7, TK_HOME },
		{ '~', 8, TK_END },
		{ 'Z', 0, TK_TAB | TK_SHIFT },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].final == final && (keys[i].arg == 0 || keys[i].arg == args[0]))
			return keys[i].key | (n > 1 ? xterm_modifiers(args[1]) : 0);
	return TK_NONE;
}

/* "<button;column;row" and M for pressed. */
static uint32_t
sgr_mouse(struct input *in, const int *args, int n, char final)
{
	if (n != 3 || final != 'M')
		return TK_NONE;
	in->col = args[1] - 1;
	in->row = args[2] - 1;
	if (args[0] == 64 || args[0] == 65)
		return args[0] == 64 ? TK_WHEEL_UP : TK_WHEEL_DOWN;
	return args[0] == 0 ? click_key(in->row, in->col) : TK_NONE;
}

/*
 * The rest of an escape sequence that the terminal's description does not know. Read to its end, so
 * that none of it is taken for keys; the usual ones are understood all the same. False: it means
 * nothing.
 */
static bool
read_csi(struct input *in)
{
	int args[8] = { 0 }, n = 1;
	bool is_mouse = false;
	struct input next;

	while (step(&next) && next.kind == INPUT_KEY && next.key < 0x7f) {
		char c = (char)next.key;
		if (c == '<') {
			is_mouse = true;
		} else if (c >= '0' && c <= '9') {
			if (args[n - 1] < 100000)
				args[n - 1] = args[n - 1] * 10 + c - '0';
		} else if (c == ';') {
			n += n < 8;
		} else if (c >= 0x40) {
			in->key = is_mouse ? sgr_mouse(in, args, n, c) : csi_key(args, n, c);
			return in->key != TK_NONE;
		}
	}
	return false;
}

/* Escape followed at once by a key is that key with Alt, or the beginning of a sequence. */
static bool
read_escape(struct input *in)
{
	struct input next = { .kind = INPUT_NONE };

	if (!step(&next) || next.kind != INPUT_KEY || next.key == TK_ESC)
		return true;
	*in = next;
	if (next.key == '[' || next.key == 'O')
		return read_csi(in);
	in->key |= TK_ALT;
	return true;
}

void
input_next(struct input *in)
{
	if (!term_keys()) {
		*in = (struct input){ .kind = INPUT_NONE };
		return;
	}
	bool is_whole;
	do {
		while (!step(in))
			;
		is_whole = in->kind != INPUT_KEY || in->key != TK_ESC || read_escape(in);
	} while (!is_whole);
	if (in->kind == INPUT_NONE && is_hung_up())
		in->kind = INPUT_GONE;
}

void
input_forget(void)
{
	if (input_fd() >= 0)
		flushinp();
}

int
input_fd(void)
{
	return term_keys() ? STDIN_FILENO : -1;
}
