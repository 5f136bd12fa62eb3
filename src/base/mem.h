/* Allocation that cannot fail, and the arena: many small things freed at once. */
#ifndef PGMEDIC_BASE_MEM_H
#define PGMEDIC_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"

/*
 * As malloc, calloc, realloc (n * size, overflow checked) and strdup, but end in fatal(). Hidden,
 * since libreadline exports functions of the same names and would call ours, with other arguments.
 */
#pragma GCC visibility push(hidden)
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
#pragma GCC visibility pop

/*
 * Grow an array for one more element: GROW(list.items, list.n, list.cap). Amortised doubling.
 */
#define GROW(items, n, cap)                                                   \
	do {                                                                  \
		if ((n) == (cap)) {                                           \
			(cap) = (cap) ? (cap)*2 : 8;                          \
			(items) = xrealloc((items), (cap), sizeof(*(items))); \
		}                                                             \
	} while (0)

struct arena_block;
struct arena {
	struct arena_block *head;
	size_t bytes; /* handed out since the last reset */
};

/* A zeroed struct is a valid empty arena. Memory is aligned to 16 and not zeroed, but for _zalloc.
 */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t n, size_t size);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Forget everything, keep one block for reuse. */
void arena_reset(struct arena *arena);
/* Free everything; the arena is empty and usable again. */
void arena_release(struct arena *arena);

#endif
