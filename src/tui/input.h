/* Keys, mouse and paste from the terminal. UI thread; never waits longer than the escape timeout of
 * 25 ms. */
#ifndef PGMEDIC_TUI_INPUT_H
#define PGMEDIC_TUI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/key.h"

enum input_kind {
	INPUT_NONE,  /* nothing more to read now */
	INPUT_KEY,   /* also mouse: TK_CLICK and others, at (row, col) */
	INPUT_PASTE, /* text between paste brackets, complete */
	INPUT_GONE,  /* the terminal hung up */
};

struct input {
	enum input_kind kind;
	uint32_t key;
	int row, col;      /* of a mouse event */
	const char *paste; /* borrowed until the next call */
	size_t paste_len;
};

/* The next event, or INPUT_NONE at once. Call until INPUT_NONE after poll says that the terminal is
 * readable. */
void input_next(struct input *in);
/* Forget what was typed and not read yet: it was not meant for what is on the screen now. */
void input_forget(void);
/* File descriptor to poll; -1 when headless. */
int input_fd(void);
#endif
