/* A document on the screen: scrolling, wrapping, searching. UI thread. */
#ifndef PGMEDIC_TUI_DOCVIEW_H
#define PGMEDIC_TUI_DOCVIEW_H

#include <stdbool.h>

#include "base/doc.h"
#include "tui/draw.h"

/* A zeroed struct is a fresh view. The document is the caller's. */
struct docview {
	int top;  /* first screen line shown (wrapped lines count each) */
	int left; /* columns scrolled, when not wrapping */
	bool no_wrap;
	char search[128]; /* "" none; case-blind */
	int total, page;  /* of the last drawing */
	int cols;
};

void docview_draw(struct draw *d, struct docview *v, const struct doc *doc);
enum { DOCVIEW_END = 1 << 28 }; /* scrolling by this goes to the end */

/* Scroll by lines; clamped to the end at the next drawing. */
void docview_scroll(struct docview *v, int lines);
/* Next match after (or before) the top line. False: none. */
bool docview_find(struct docview *v, const struct doc *doc, bool backwards);

#endif
