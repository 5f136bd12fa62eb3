/* What screen.c, draw.c and input.c share. Curses types: for tui/ alone. */
#ifndef PGMEDIC_TUI_TERM_H
#define PGMEDIC_TUI_TERM_H

#include <curses.h>
#include <stdbool.h>

#include "base/role.h"

/* How a role looks on this terminal. */
struct look {
	attr_t attrs;
	short pair;
};

struct look term_look(enum role role);
/* Notes the role of cells for screen_dump. */
void term_mark(int y, int x, int n, enum role role);
/* The pad that keys are read from: reading it never refreshes the screen. NULL when headless or
 * closed. */
WINDOW *term_keys(void);

#endif
