/*
 * The two lines on top: target, server, cost and what is late; the panes. What changes at every
 * refresh is kept to the table's cells: the figures here are held still (struct calm), and the age
 * of the data is shown only when it is late.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/fmt.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum {
	CALM_MS = 5000,  /* a figure of the title changes no more often than this … */
	CALM_PCT = 30,   /* … and only when it moved by this much */
	GRACE_MS = 1000, /* data is late when it is older than two refreshes and this */
};

/* ------------------------------------------------------------------------------------ lateness */

static void
age_text(char *buf, size_t size, int64_t ms)
{
	if (ms < 60 * 1000)
		snprintf(buf, size, "%d s", (int)(ms / 1000));
	else if (ms < 3600 * 1000)
		snprintf(buf, size, "%d min %02d s", (int)(ms / 60000), (int)(ms / 1000 % 60));
	else
		snprintf(buf, size, "%d h %02d min", (int)(ms / 3600000), (int)(ms / 60000 % 60));
}

static const char *
down_text(const struct snapshot *s, struct mono now, const char *age, char *buf, size_t size)
{
	int64_t retry = mono_since_ms(s->link_retry_at, now);
	char when[40] = "";

	if (s->link == LINK_DOWN && s->link_retry_at.us && retry > 0)
		snprintf(when, sizeof(when), ", next try in %d s", (int)(retry / 1000) + 1);
	snprintf(buf, size, "%s%s%s%s%s%s", s->link == LINK_DOWN ? "no connection" : "connecting",
	    *s->link_what ? ": " : "", s->link_what, when, *age ? ", data " : "", age);
	if (*age)
		snprintf(buf + strlen(buf), size - strlen(buf), " old");
	return buf;
}

const char *
console_late(struct console *c, struct mono now, char *buf, size_t size, int *next_ms)
{
	const struct snapshot *s = console_state(c)->snap;
	int64_t age = s->taken_mono.us ? mono_since_ms(now, s->taken_mono) : -1;
	int interval = s->cost.interval_ms > 0 ? s->cost.interval_ms : console_refresh_ms(c);
	int64_t limit =
	    2 * (int64_t)interval * (s->cost.backoff > 1 ? s->cost.backoff : 1) + GRACE_MS;
	char text[40] = "";

	*buf = '\0';
	*next_ms = -1;
	if (s->link == LINK_REPLAY)
		return buf;
	/* Whole seconds: wake when the shown number changes. */
	int to_next_second = age >= 0 ? 1000 - (int)(age % 1000) : 1000;
	if (age >= 0)
		age_text(text, sizeof(text), age);
	if (s->link == LINK_DOWN || s->link == LINK_CONNECTING) {
		*next_ms = to_next_second;
		return down_text(s, now, text, buf, size);
	}
	if (s->link == LINK_LATE || (age >= 0 && age > limit)) {
		*next_ms = to_next_second;
		if (age < 0)
			snprintf(buf, size, "no answer yet");
		else
			snprintf(buf, size, "%s %s old, no answer",
			    panes[console_state(c)->pane]->name, text);
		return buf;
	}
	if (age >= 0)
		*next_ms = (int)(limit - age) + 1;
	if (s->cost.backoff > 1)
		snprintf(buf, size, "server slow: every %g s", interval * s->cost.backoff / 1000.0);
	return buf;
}

/* ------------------------------------------------------------------------------------ title and
 * tabs */

static double
calm(struct calm *calm, double value, struct mono now)
{
	bool is_new = calm->at.us == 0;
	bool moved = fabs(value - calm->shown) * 100 > CALM_PCT * fabs(calm->shown);

	if (is_new || (moved && mono_since_ms(now, calm->at) >= CALM_MS)) {
		calm->shown = value;
		calm->at = now;
	}
	return calm->shown;
}

static enum role
color_role(const char *color)
{
	static const struct {
		const char *name;
		enum role role;
	} colors[] = {
		{ "red", ROLE_ENV_RED },
		{ "yellow", ROLE_ENV_YELLOW },
		{ "green", ROLE_ENV_GREEN },
		{ "blue", ROLE_ENV_BLUE },
		{ "magenta", ROLE_ENV_MAGENTA },
	};
	for (size_t i = 0; color && i < ARRAY_LEN(colors); i++)
		if (strcmp(color, colors[i].name) == 0)
			return colors[i].role;
	return ROLE_TITLE;
}

static void
add_clean(struct strbuf *out, const char *text)
{
	utf8_clean(out, text, strlen(text), true);
}

/* "primary 15.18 tl1 me@db1:5432/bench"; a target named after its address is not told twice. */
static void
server_text(struct strbuf *out, const struct snapshot *s, const char *target)
{
	const struct server_info *server = &s->server;
	char address[300];

	if (server->version_num) {
		strbuf_addf(out, " %s %.*s", server->is_standby ? "standby" : "primary",
		    (int)strcspn(server->version, " "), server->version);
		if (server->timeline > 0)
			strbuf_addf(out, " tl%d", server->timeline);
	}
	if (!*server->database)
		return;
	snprintf(
	    address, sizeof(address), "%s:%s/%s", server->host, server->port, server->database);
	strbuf_addc(out, ' ');
	add_clean(out, server->user);
	if (strcmp(address, target) != 0) {
		strbuf_addc(out, '@');
		add_clean(out, address);
	}
}

static void
cost_text(struct console *c, struct strbuf *out, const struct snapshot *s, struct mono now)
{
	const char *label =
	    c->conf->source.ops->label ? c->conf->source.ops->label(c->conf->source.self) : NULL;

	if (label && *label)
		strbuf_addf(out, " %s", label);
	if (s->link == LINK_REPLAY || !s->taken_mono.us || c->late_shown)
		return;
	char ms[32];
	fmt_ms(ms, sizeof(ms), calm(&c->cost, round(s->cost.server_ms * 10) / 10, now));
	strbuf_addf(out, " %gs %sms %drt", console_refresh_ms(c) / 1000.0, ms, s->cost.round_trips);
	/* From the complete answer to the first frame that shows it; later frames say nothing about
	 * it. */
	double lag = c->lag.shown;
	if (s->seq != c->drawn_seq && !c->is_paused && !c->was_away)
		lag = calm(
		    &c->lag, ceil((double)mono_since_ms(now, s->taken_mono) / 5 + 0.01) * 5, now);
	c->was_away = c->was_away && s->seq == c->drawn_seq;
	c->drawn_seq = s->seq;
	if (lag > 0)
		strbuf_addf(out, " lag%s%.0fms", lag <= 5 ? "<" : " ", lag);
}

static const char *
read_only_why(const struct console *c)
{
	return c->conf->targets->items[c->target].read_only_why;
}

/* Marks that must be seen, from the right end leftwards; returns where they begin. */
static int
draw_banners(struct console *c, struct draw *line, struct mono now)
{
	char late[CONSOLE_MESSAGE], paused[64];
	int next, x = line->cols;

	console_late(c, now, late, sizeof(late), &next);
	c->late_shown = *late != '\0';
	struct {
		const char *text;
		enum role role;
	} marks[3] = { { "", ROLE_PAUSED }, { "", ROLE_READ_ONLY }, { late, ROLE_STALE } };
	if (c->is_paused) {
		char age[40];
		age_text(age, sizeof(age), mono_since_ms(now, c->paused_at));
		snprintf(paused, sizeof(paused), "PAUSED %s", age);
		marks[0].text = paused;
	}
	if (read_only_why(c) || c->conf->targets->items[c->target].is_read_only)
		marks[1].text = "READ-ONLY";
	for (int i = 0; i < 3; i++) {
		int width = utf8_width(marks[i].text, strlen(marks[i].text));
		if (width == 0)
			continue;
		if (width + 2 > x - 10)
			width = x - 12;
		if (width < 4)
			break;
		x -= width + 2;
		struct draw mark = { line->y, line->x + x, 1, width + 2 };
		draw_clear(&mark, 0, 0, marks[i].role);
		mark.cols--;
		draw_text(&mark, 0, 1, marks[i].role, marks[i].text);
	}
	return x;
}

void
console_draw_title(struct console *c, struct draw *screen, struct mono now)
{
	const struct target *target = &c->conf->targets->items[c->target];
	const struct snapshot *s = console_snapshot(c);
	struct draw line = { screen->y, screen->x, 1, screen->cols };
	struct strbuf text = STRBUF_INIT(4096);

	draw_clear(&line, 0, 0, ROLE_TITLE);
	line.cols = draw_banners(c, &line, now);
	cost_text(c, &text, s, now);
	int cost = utf8_width(text.buf, text.len) + 1;
	if (cost + 20 <= line.cols) {
		line.cols -= cost;
		struct draw right = { line.y, line.x + line.cols, 1, cost };
		draw_textn(&right, 0, 0, ROLE_TITLE, text.buf, text.len);
	}
	strbuf_clear(&text);
	strbuf_addc(&text, ' ');
	add_clean(&text, target->name);
	strbuf_addc(&text, ' ');
	int x = draw_textn(&line, 0, 0, color_role(target->color), text.buf, text.len);
	strbuf_clear(&text);
	server_text(&text, s, target->name);
	draw_textn(&line, 0, x, ROLE_TITLE, text.buf, text.len);
	strbuf_release(&text);
}

/* "3 tagged  /filter  12 of 57" */
static void
state_text(struct console *c, struct strbuf *out)
{
	const struct view *v = &console_pane_view(c)->view;
	const struct page *page = console_page(c);

	strbuf_addc(out, ' ');
	if (c->ntargets > 1)
		strbuf_addf(out, "target %d/%d ", c->target + 1, c->ntargets);
	if (page) {
		if (*c->find)
			strbuf_addf(out, "/%s ", c->find);
		return;
	}
	if (v->ntags > 0)
		strbuf_addf(out, "%d tagged ", v->ntags);
	if (v->filter_text) {
		strbuf_addc(out, '/');
		add_clean(out, v->filter_text);
		strbuf_addf(out, " %d of %d ", v->grid.nrows, v->grid.total);
	} else if (v->grid.nrows > 0) {
		strbuf_addf(out, "%d ", v->grid.nrows);
	}
}

static int
tab_letters(int i, int current, int letters)
{
	int n = (int)strlen(panes[i]->name);
	return i == current || n < letters ? n : letters;
}

/* The first tab to draw, so that the current one is on the screen. */
static int
first_tab(int current, int letters, int cols)
{
	int first = 0, width = 0;

	for (int i = 0; i <= current; i++)
		width += tab_letters(i, current, letters) + (i < 10 ? 3 : 1);
	while (first < current && width > cols) {
		width -= tab_letters(first, current, letters) + (first < 10 ? 3 : 1);
		first++;
	}
	return first;
}

static int
tabs_width(int letters)
{
	int width = 0;
	for (int i = 0; panes[i]; i++) {
		int n = (int)strlen(panes[i]->name);
		width += (letters < n ? letters : n) + (i < 10 ? 2 : 1) + 1;
	}
	return width;
}

void
console_draw_tabs(struct console *c, struct draw *screen)
{
	struct draw line = { screen->y + 1, screen->x, 1, screen->cols };
	struct strbuf state = STRBUF_INIT(512);
	int current = console_state(c)->pane, x = 0, letters = 12;

	draw_clear(&line, 0, 0, ROLE_STATUS);
	state_text(c, &state);
	int width = utf8_width(state.buf, state.len);
	if (width > line.cols / 2)
		width = line.cols / 2;
	struct draw right = { line.y, line.x + line.cols - width, 1, width };
	draw_textn(&right, 0, 0, console_pane_view(c)->view.filter_text ? ROLE_STRONG : ROLE_STATUS,
	    state.buf, state.len);
	strbuf_release(&state);
	line.cols -= width;
	/* Shorten all names alike until they fit; the shown pane's name stays whole. */
	int full = (int)strlen(panes[current]->name);
	while (
	    letters > 3 && tabs_width(letters) + (full > letters ? full - letters : 0) > line.cols)
		letters--;
	memset(c->tab_from, -1, sizeof(c->tab_from));
	int first = first_tab(current, letters, line.cols);
	for (int i = first; panes[i] && i < (int)ARRAY_LEN(c->tab_from); i++) {
		const char *name = panes[i]->name;
		int n = tab_letters(i, current, letters);
		c->tab_from[i] = x;
		if (i < 10)
			x += draw_printf(&line, 0, x, i == current ? ROLE_STRONG : ROLE_DIM, "%d ",
			    (i + 1) % 10);
		x += draw_textn(
		    &line, 0, x, i == current ? ROLE_STRONG : ROLE_STATUS, name, (size_t)n);
		c->tab_to[i] = x;
		x += draw_text(&line, 0, x, ROLE_STATUS, " ");
	}
}
