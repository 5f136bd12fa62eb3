/* Text and charts in a rectangle: clipped, measured by our own width table, and plain ASCII where
 * the terminal needs it. */
#include "config.h"

#include "tui/draw.h"

#include <curses.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "tui/screen.h"
#include "tui/term.h"

enum { RUN_MAX = 256 }; /* cells handed to curses at once */

struct run {
	cchar_t cells[RUN_MAX + 1];
	int n;     /* cells gathered */
	int width; /* their columns */
	int y, x;
	struct look look;
};

static void
run_flush(struct run *run)
{
	if (run->n == 0)
		return;
	mvadd_wchnstr(run->y, run->x, run->cells, run->n);
	run->x += run->width;
	run->n = run->width = 0;
}

static void
run_put(struct run *run, uint32_t cp, int width)
{
	wchar_t text[2] = { (wchar_t)cp, 0 };

	setcchar(&run->cells[run->n++], text, run->look.attrs, run->look.pair, NULL);
	run->width += width;
	if (run->n == RUN_MAX)
		run_flush(run);
}

/* Marks that turn the direction of text or hide it; texts are cleaned of them before, and this is
 * the last gate. */
static bool
is_format_control(uint32_t cp)
{
	return (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || cp == 0x061c || cp >= 0xe0000;
}

/* A combining mark joins the cell before it. */
static void
run_combine(struct run *run, uint32_t cp)
{
	wchar_t text[CCHARW_MAX + 2] = L"";
	attr_t attrs;
	short pair;

	if (run->n == 0 || is_format_control(cp) || wcwidth((wchar_t)cp) != 0)
		return;
	cchar_t *cell = &run->cells[run->n - 1];
	if (getcchar(cell, text, &attrs, &pair, NULL) != OK || wcslen(text) + 1 >= CCHARW_MAX)
		return;
	text[wcslen(text)] = (wchar_t)cp;
	setcchar(cell, text, attrs, pair, NULL);
}

/* Curses goes by the C library's widths; where those differ from ours, a stand-in of our width
 * keeps columns straight. */
static void
run_char(struct run *run, uint32_t cp, int width)
{
	if (cp < 0x80) {
		run_put(run, cp, 1);
	} else if (!utf8_enabled) {
		for (int i = 0; i < width; i++)
			run_put(run, '?', 1);
	} else if (width == 0) {
		run_combine(run, cp);
	} else if (wcwidth((wchar_t)cp) == width) {
		run_put(run, cp, width);
	} else {
		for (int i = 0; i < width; i++)
			run_put(run, '?', 1);
	}
}

int
draw_textn(struct draw *d, int row, int col, enum role role, const char *text, size_t len)
{
	struct run run = { .y = d->y + row, .x = d->x + col, .look = term_look(role) };
	int room = d->cols - col, used = 0;

	if (row < 0 || row >= d->rows || col < 0 || room <= 0)
		return 0;
	while (len > 0) {
		uint32_t cp = (unsigned char)*text;
		size_t n = cp >= 0x80 ? utf8_decode(text, len, &cp) : 1;
		int width = utf8_cp_width(cp);
		if (width < 0) {
			cp = '?';
			width = 1;
		}
		if (used + width > room)
			break;
		run_char(&run, cp, width);
		used += width;
		text += n;
		len -= n;
	}
	run_flush(&run);
	term_mark(d->y + row, d->x + col, used, role);
	return used;
}

int
draw_text(struct draw *d, int row, int col, enum role role, const char *text)
{
	return draw_textn(d, row, col, role, text, strlen(text));
}

int
draw_printf(struct draw *d, int row, int col, enum role role, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return draw_text(d, row, col, role, buf);
}

void
draw_clear(struct draw *d, int row, int col, enum role role)
{
	struct run run = { .y = d->y + row, .x = d->x + col, .look = term_look(role) };

	if (row < 0 || row >= d->rows || col < 0 || col >= d->cols)
		return;
	for (int x = col; x < d->cols; x++)
		run_put(&run, ' ', 1);
	run_flush(&run);
	term_mark(d->y + row, d->x + col, d->cols - col, role);
}

/* ------------------------------------------------------------------------------------ charts */

static const uint32_t eighths_up[] = { ' ', 0x2581, 0x2582, 0x2583, 0x2584, 0x2585, 0x2586, 0x2587,
	0x2588 };
static const uint32_t eighths_right[] = { ' ', 0x258f, 0x258e, 0x258d, 0x258c, 0x258b, 0x258a,
	0x2589, 0x2588 };
static const char ascii_up[] = " _.:-=+*#";

static double
data_max(const float *v, int n)
{
	double max = 0;
	for (int i = 0; i < n; i++)
		if (!isnan(v[i]) && v[i] > max)
			max = v[i];
	return max;
}

static int
level(double v, double max, int levels)
{
	if (isnan(v) || v <= 0 || max <= 0)
		return 0;
	int l = (int)(v / max * levels + 0.5);
	/* What is there is seen, however small. */
	return l < 1 ? 1 : l > levels ? levels : l;
}

static void
put_cp(struct draw *d, int row, int col, enum role role, uint32_t cp)
{
	char text[4];
	draw_textn(d, row, col, role, text, utf8_encode(cp, text));
}

/* Two values a cell, four dots high: columns fill from the bottom. */
static uint32_t
braille(int left, int right)
{
	static const unsigned char left_dots[] = { 0, 0x40, 0x44, 0x46, 0x47 };
	static const unsigned char right_dots[] = { 0, 0x80, 0xa0, 0xb0, 0xb8 };
	return 0x2800u + left_dots[left] + right_dots[right];
}

void
draw_spark(
    struct draw *d, int row, int col, int width, const float *v, int n, double max, enum role role)
{
	bool is_braille = utf8_enabled && n > width;
	int values = is_braille ? 2 * width : width;

	if (width <= 0)
		return;
	if (n > values) {
		v += n - values;
		n = values;
	}
	if (max <= 0)
		max = data_max(v, n);
	int missing = values - n;
	for (int x = 0; x < width; x++) {
		if (is_braille) {
			int l = 2 * x - missing, r = l + 1;
			put_cp(d, row, col + x, role,
			    braille(l >= 0 ? level(v[l], max, 4) : 0,
			        r >= 0 ? level(v[r], max, 4) : 0));
			continue;
		}
		int i = x - missing;
		int l = i >= 0 ? level(v[i], max, 8) : 0;
		put_cp(d, row, col + x, role,
		    utf8_enabled ? eighths_up[l] : (uint32_t)(unsigned char)ascii_up[l]);
	}
}

void
draw_bar(struct draw *d, int row, int col, int width, double ratio, enum role role)
{
	if (isnan(ratio) || ratio < 0)
		ratio = 0;
	if (ratio > 1)
		ratio = 1;
	int eighths = (int)(ratio * width * 8 + 0.5);
	for (int x = 0; x < width; x++) {
		int left = eighths - 8 * x;
		left = left < 0 ? 0 : left > 8 ? 8 : left;
		put_cp(d, row, col + x, role,
		    utf8_enabled  ? eighths_right[left] :
		        left >= 4 ? '#' :
		                    ' ');
	}
}

struct stack {
	const unsigned char *roles;
	const char *letters;
	int nparts, height;
	double max;
	int line_row; /* rows from the bottom, -1 none */
};

/* One column from the bottom up. Each part ends where the sum so far ends, so that rounding does
 * not add up. */
static void
draw_stack_column(struct draw *d, int row, int x, const struct stack *s, const float *parts)
{
	double sum = 0;
	int filled = 0;

	for (int p = 0; p < s->nparts; p++) {
		if (isnan(parts[p]) || parts[p] <= 0)
			continue;
		sum += parts[p];
		int top = (int)(sum / s->max * s->height + 0.5);
		if (top > s->height)
			top = s->height;
		for (; filled < top; filled++) {
			bool is_letter = screen_colors() < 8 || !utf8_enabled;
			put_cp(d, row + s->height - 1 - filled, x, (enum role)s->roles[p],
			    is_letter ? (uint32_t)(unsigned char)s->letters[p] : 0x2588);
		}
	}
	if (s->line_row >= filled && s->line_row < s->height)
		put_cp(d, row + s->height - 1 - s->line_row, x, ROLE_FRAME,
		    utf8_enabled ? 0x2504 : '-');
}

/* A round number not below v: 1, 2 or 5 times a power of ten, so that the scale seldom changes. */
static double
round_up(double v)
{
	if (v <= 1)
		return 1;
	double step = pow(10, floor(log10(v)));
	for (double m = 1; m < 10; m = m < 2 ? 2 : m < 5 ? 5 : 10)
		if (v <= m * step)
			return m * step;
	return 10 * step;
}

double
draw_stack(struct draw *d, int row, int col, int height, int width, const float *v, int n,
    int nparts, const unsigned char *roles, const char *letters, double line, double max)
{
	struct stack s = { .roles = roles,
		.letters = letters,
		.nparts = nparts,
		.height = height,
		.max = max,
		.line_row = -1 };

	if (width <= 0 || height <= 0)
		return max;
	if (n > width) {
		v += (size_t)(n - width) * (size_t)nparts;
		n = width;
	}
	if (max <= 0) {
		double most = isnan(line) ? 0 : line;
		for (int i = 0; i < n; i++) {
			double sum = 0;
			for (int p = 0; p < nparts; p++)
				if (!isnan(v[i * nparts + p]))
					sum += v[i * nparts + p];
			if (sum > most)
				most = sum;
		}
		s.max = round_up(most);
	}
	if (!isnan(line) && line <= s.max)
		s.line_row = (int)(line / s.max * height + 0.5) - 1;
	for (int x = 0; x < width; x++) {
		int i = x - (width - n);
		s.nparts = i < 0 ? 0 : nparts;
		draw_stack_column(
		    d, row, col + x, &s, i < 0 ? NULL : v + (size_t)i * (size_t)nparts);
	}
	return s.max;
}
