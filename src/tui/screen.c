/*
 * The terminal through curses. Curses keeps what the terminal shows and sends only cells that
 * differ; beside it the role of each cell is kept, so that tests can see what colours mean. The
 * statics are the UI thread's, but for `restore`, which is written before the handlers that read it
 * exist.
 */
#include "config.h"

#include "tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "tui/term.h"

enum { ESCAPE_TIMEOUT_MS = 25 };

/* Everything that puts the terminal back without curses. */
static struct {
	volatile sig_atomic_t is_armed;
	bool has_modes;
	struct termios modes;
	char text[160];
	size_t len;
} restore;

static struct {
	bool is_open, is_headless, no_color, has_mouse, has_paste;
	SCREEN *curses;
	FILE *in, *out; /* of a headless screen */
	WINDOW *keys;
	int rows, cols, colors;
	bool has_default_colors;
	uint8_t *roles; /* rows * cols */
	struct look looks[ROLE_COUNT];
	int cursor_shown; /* -1 unknown */
} scr;

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/* ------------------------------------------------------------------------------------ way back */

void
screen_restore(void)
{
	if (!restore.is_armed)
		return;
	restore.is_armed = 0;
	int saved = errno;
	for (size_t done = 0; done < restore.len;) {
		ssize_t n = write(STDOUT_FILENO, restore.text + done, restore.len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (restore.has_modes)
		tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
	errno = saved;
}

static void
on_deadly_signal(int signo)
{
	screen_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

static void
restore_add(const char *text)
{
	size_t len = text && text != (char *)-1 ? strlen(text) : 0;
	if (restore.len + len <= sizeof(restore.text)) {
		memcpy(restore.text + restore.len, text, len);
		restore.len += len;
	}
}

/* Capability texts may hold padding ("$<5>"), which write() would show. */
static void
restore_add_cap(const char *name)
{
	char *text = tigetstr((NCURSES_CONST char *)name);
	if (text && text != (char *)-1 && !strstr(text, "$<"))
		restore_add(text);
}

static void
arm_restore(void)
{
	static bool hooked;

	restore.len = 0;
	if (scr.has_mouse)
		restore_add("\033[?1006l\033[?1002l\033[?1000l");
	if (scr.has_paste)
		restore_add("\033[?2004l");
	restore_add_cap("sgr0");
	restore_add_cap("op");
	restore_add_cap("cnorm");
	restore_add_cap("rmkx");
	restore_add_cap("rmcup");
	restore.is_armed = 1;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct sigaction old,
		    act = { .sa_handler = on_deadly_signal, .sa_flags = (int)SA_RESETHAND };
		sigemptyset(&act.sa_mask);
		/* A sanitizer's handler stays: it would not print its report otherwise. */
		if (sigaction(deadly[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
		    old.sa_handler == SIG_DFL)
			sigaction(deadly[i], &act, NULL);
	}
	if (!hooked)
		fatal_hook(screen_restore);
	hooked = true;
}

/* ------------------------------------------------------------------------------------ opening */

static void
make_roles(void)
{
	scr.rows = LINES;
	scr.cols = COLS;
	free(scr.roles);
	scr.roles =
	    xcalloc((size_t)(scr.rows > 0 ? scr.rows : 1), (size_t)(scr.cols > 0 ? scr.cols : 1));
}

static bool
open_headless(const struct screen_options *options, struct error *err)
{
	static const char *const terms[] = { "xterm-256color", "xterm", "vt100", "ansi", NULL };

	scr.in = fopen("/dev/null", "re");
	scr.out = fopen("/dev/null", "we");
	if (!scr.in || !scr.out)
		return error_set(err, ERR_FILE, "cannot open /dev/null: %s", strerror(errno));
	for (const char *const *term = terms; *term && !scr.curses; term++)
		scr.curses = newterm((NCURSES_CONST char *)*term, scr.out, scr.in);
	if (!scr.curses)
		return error_set(err, ERR_STATE, "no terminal description is installed");
	resizeterm(options->rows, options->cols);
	return true;
}

static bool
open_terminal(struct error *err)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		error_set(err, ERR_STATE, "standard input and output are no terminal");
		return error_hint(
		    err, "Without a terminal use: pgmedic show PANE, or pgmedic run 'COMMAND'.");
	}
	restore.has_modes = tcgetattr(STDIN_FILENO, &restore.modes) == 0;
	use_env(TRUE);
	use_tioctl(TRUE);
	set_escdelay(ESCAPE_TIMEOUT_MS);
	scr.curses = newterm(NULL, stdout, stdin);
	const char *address = scr.curses ? tigetstr("cup") : NULL;
	if (!address || address == (char *)-1) {
		if (scr.curses)
			endwin();
		error_set(
		    err, ERR_STATE, "the terminal \"%s\" cannot show a screen", term ? term : "");
		return error_hint(
		    err, "Set TERM to what your terminal is, or use: pgmedic show PANE.");
	}
	return true;
}

static void
write_terminal(const char *text)
{
	size_t len = strlen(text);
	while (len > 0 && !scr.is_headless) {
		ssize_t n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		text += n;
		len -= (size_t)n;
	}
}

/* Terminals that know SGR mouse reports are the xterm kin; those know bracketed paste too. */
static bool
is_xterm_kin(void)
{
	const char *mouse = tigetstr("kmous");
	return mouse && mouse != (char *)-1 &&
	    (strcmp(mouse, "\033[M") == 0 || strcmp(mouse, "\033[<") == 0);
}

static void
set_modes(void)
{
	raw();
	noecho();
	nonl();
	idlok(stdscr, FALSE);
	scrollok(stdscr, FALSE);
	intrflush(stdscr, FALSE);
	scr.cursor_shown = -1;
}

static void
open_extras(const struct screen_options *options)
{
	scr.keys = newpad(1, 1);
	keypad(scr.keys, TRUE);
	nodelay(scr.keys, TRUE);
	scr.has_paste = is_xterm_kin();
	if (scr.has_paste) {
		define_key("\033[200~", KEY_MAX + 1);
		define_key("\033[201~", KEY_MAX + 2);
		write_terminal("\033[?2004h");
	}
	if (options->mouse && is_xterm_kin()) {
		mouseinterval(0);
		mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
		scr.has_mouse = true;
	}
	arm_restore();
}

bool
screen_open(const struct screen_options *options, struct error *err)
{
	const char *no_color = getenv("NO_COLOR");

	memset(&scr, 0, sizeof(scr));
	scr.is_headless = options->headless;
	scr.no_color = options->no_color || (no_color && *no_color);
	if (!(options->headless ? open_headless(options, err) : open_terminal(err))) {
		screen_close();
		return false;
	}
	scr.is_open = true;
	set_modes();
	if (has_colors() && !scr.no_color && start_color() == OK) {
		scr.colors = COLORS;
		scr.has_default_colors = use_default_colors() == OK;
	}
	if (options->headless)
		scr.colors = scr.no_color ? 0 : options->colors;
	if (options->ascii)
		utf8_enabled = false;
	make_roles();
	if (!options->headless)
		open_extras(options);
	return true;
}

void
screen_close(void)
{
	if (scr.curses && scr.is_open) {
		if (scr.has_paste)
			write_terminal("\033[?2004l");
		if (scr.has_mouse)
			mousemask(0, NULL);
		if (scr.keys)
			delwin(scr.keys);
		endwin();
	}
	restore.is_armed = 0;
	if (scr.curses)
		delscreen(scr.curses);
	if (scr.in)
		fclose(scr.in);
	if (scr.out)
		fclose(scr.out);
	free(scr.roles);
	memset(&scr, 0, sizeof(scr));
}

int
screen_rows(void)
{
	return scr.rows;
}

int
screen_cols(void)
{
	return scr.cols;
}

int
screen_colors(void)
{
	return scr.colors;
}

bool
screen_is_headless(void)
{
	return scr.is_headless;
}

WINDOW *
term_keys(void)
{
	return scr.keys;
}

/* ------------------------------------------------------------------------------------ looks */

static attr_t
curses_attrs(unsigned style)
{
	attr_t attrs = 0;
	if (style & STYLE_BOLD)
		attrs |= WA_BOLD;
	if (style & STYLE_DIM)
		attrs |= WA_DIM;
	if (style & STYLE_UNDERLINE)
		attrs |= WA_UNDERLINE;
	if (style & STYLE_REVERSE)
		attrs |= WA_REVERSE;
	if (style & STYLE_BLINK)
		attrs |= WA_BLINK;
#ifdef WA_ITALIC
	if (style & STYLE_ITALIC)
		attrs |= WA_ITALIC;
#endif
	return attrs;
}

/* What curses calls a colour: on direct-colour terminals 0 to 7 are the palette and the rest is
 * RGB. */
static int
curses_color(int color, int fallback)
{
	if (color == COLOR_DEFAULT)
		return scr.has_default_colors ? -1 : fallback;
	if (!(color & COLOR_IS_RGB))
		return color;
	int rgb = color & 0xffffff;
	return rgb < 8 ? 8 : rgb;
}

void
screen_theme(const struct theme *theme)
{
	for (int i = 0; i < ROLE_COUNT; i++) {
		const struct style *style = &theme->styles[i];
		struct look *look = &scr.looks[i];
		look->pair = 0;
		if (scr.colors < 8 || scr.is_headless) {
			look->attrs = curses_attrs(scr.colors < 8 ? style->mono : style->attrs);
			continue;
		}
		bool bold, bold_bg;
		int fg = theme_color(style->fg, scr.colors, &bold);
		int bg = theme_color(style->bg, scr.colors, &bold_bg);
		look->attrs = curses_attrs(style->attrs) | (bold ? WA_BOLD : 0);
		if (fg == COLOR_DEFAULT && bg == COLOR_DEFAULT)
			continue;
		if (init_extended_pair(
		        i + 1, curses_color(fg, COLOR_WHITE), curses_color(bg, COLOR_BLACK)) == OK)
			look->pair = (short)(i + 1);
	}
}

struct look
term_look(enum role role)
{
	return scr.looks[role < ROLE_COUNT ? role : ROLE_NORMAL];
}

void
term_mark(int y, int x, int n, enum role role)
{
	if (y < 0 || y >= scr.rows || x < 0 || x + n > scr.cols || n <= 0)
		return;
	memset(scr.roles + (size_t)y * (size_t)scr.cols + x, (int)role, (size_t)n);
}

/* ------------------------------------------------------------------------------------ frames */

struct draw
screen_area(void)
{
	return (struct draw){ .rows = scr.rows, .cols = scr.cols };
}

void
screen_begin(void)
{
	struct look look = term_look(ROLE_NORMAL);
	cchar_t blank;

	setcchar(&blank, L" ", look.attrs, look.pair, NULL);
	wbkgrndset(stdscr, &blank);
	werase(stdscr);
	memset(scr.roles, ROLE_NORMAL, (size_t)scr.rows * (size_t)scr.cols);
}

void
screen_show(int row, int col)
{
	int visible = row >= 0;

	if (scr.cursor_shown != visible) {
		curs_set(visible);
		leaveok(stdscr, visible ? FALSE : TRUE);
		scr.cursor_shown = visible;
	}
	if (visible)
		wmove(stdscr, row < scr.rows ? row : scr.rows - 1,
		    col < scr.cols ? col : scr.cols - 1);
	wnoutrefresh(stdscr);
	doupdate();
}

void
screen_repaint(void)
{
	clearok(curscr, TRUE);
}

bool
screen_resize(void)
{
	struct winsize size;

	if (scr.is_headless || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
	    size.ws_col == 0)
		return false;
	if (size.ws_row == scr.rows && size.ws_col == scr.cols)
		return false;
	resizeterm(size.ws_row, size.ws_col);
	make_roles();
	return true;
}

void
screen_leave(void)
{
	if (scr.is_headless || !scr.is_open)
		return;
	if (scr.has_paste)
		write_terminal("\033[?2004l");
	if (scr.has_mouse)
		mousemask(0, NULL);
	curs_set(1);
	endwin();
	restore.is_armed = 0;
}

void
screen_enter(void)
{
	if (scr.is_headless || !scr.is_open)
		return;
	reset_prog_mode();
	set_modes();
	if (scr.has_paste)
		write_terminal("\033[?2004h");
	if (scr.has_mouse)
		mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	restore.is_armed = 1;
	screen_resize();
	screen_repaint();
}

void
screen_suspend(void)
{
	struct sigaction old, dfl = { .sa_handler = SIG_DFL };

	if (scr.is_headless)
		return;
	screen_leave();
	sigemptyset(&dfl.sa_mask);
	sigaction(SIGTSTP, &dfl, &old);
	kill(0, SIGTSTP);
	sigaction(SIGTSTP, &old, NULL);
	screen_enter();
}

static void
base64(struct strbuf *out, const unsigned char *data, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = (unsigned)data[i] << 16;
		if (i + 1 < len)
			v |= (unsigned)data[i + 1] << 8;
		if (i + 2 < len)
			v |= data[i + 2];
		strbuf_addc(out, digits[v >> 18 & 63]);
		strbuf_addc(out, digits[v >> 12 & 63]);
		strbuf_addc(out, i + 1 < len ? digits[v >> 6 & 63] : '=');
		strbuf_addc(out, i + 2 < len ? digits[v & 63] : '=');
	}
}

bool
screen_copy(const char *text, size_t len)
{
	enum { MOST = 74000 }; /* xterm and tmux drop longer ones */
	struct strbuf out = STRBUF_INIT(2 * MOST);

	if (scr.is_headless)
		return false;
	strbuf_adds(&out, "\033]52;c;");
	base64(&out, (const unsigned char *)text, len < MOST ? len : MOST);
	strbuf_adds(&out, "\a");
	write_terminal(out.buf);
	strbuf_release(&out);
	return true;
}

void
screen_beep(void)
{
	if (!scr.is_headless)
		beep();
}

/* ------------------------------------------------------------------------------------ dump */

static void
dump_row_text(struct strbuf *out, int y)
{
	struct strbuf row = STRBUF_INIT(1 << 16);
	size_t end = 0;

	for (int x = 0; x < scr.cols; x++) {
		cchar_t cell;
		wchar_t text[CCHARW_MAX + 1] = L"";
		attr_t attrs;
		short pair;
		mvwin_wch(stdscr, y, x, &cell);
		getcchar(&cell, text, &attrs, &pair, NULL);
		int width = text[0] ? utf8_cp_width((uint32_t)text[0]) : 1;
		for (int i = 0; text[i]; i++) {
			char bytes[4];
			strbuf_add(&row, bytes, utf8_encode((uint32_t)text[i], bytes));
		}
		if (width > 1)
			x += width - 1;
		if (text[0] && text[0] != L' ')
			end = row.len;
	}
	strbuf_add(out, row.buf, end);
	strbuf_addc(out, '\n');
	strbuf_release(&row);
}

static void
dump_row_roles(struct strbuf *out, int y)
{
	const uint8_t *roles = scr.roles + (size_t)y * (size_t)scr.cols;
	bool any = false;

	for (int x = 0; x < scr.cols;) {
		int from = x;
		while (x < scr.cols && roles[x] == roles[from])
			x++;
		if (roles[from] == ROLE_NORMAL)
			continue;
		if (!any)
			strbuf_addf(out, "%d:", y);
		any = true;
		strbuf_addf(out, " %d-%d %s", from, x - 1, role_infos[roles[from]].name);
	}
	if (any)
		strbuf_addc(out, '\n');
}

void
screen_dump(struct strbuf *out)
{
	for (int y = 0; y < scr.rows; y++)
		dump_row_text(out, y);
	strbuf_adds(out, "--- roles\n");
	for (int y = 0; y < scr.rows; y++)
		dump_row_roles(out, y);
}
