/*
 * Allocation that cannot fail, and the arena: a list of blocks, the newest first, of which only the
 * first has room. A request too big for a block of ordinary size gets a block of its own behind the
 * first one, so that the room there is not lost. Under AddressSanitizer what is not handed out is
 * poisoned, so that a pointer kept over a reset is found.
 */
#include "config.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define MEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif

#ifdef MEM_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum {
	ALIGN = 16,
	BLOCK_MIN = 4096,
	BLOCK_MAX = 256 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t cap, used;
	_Alignas(ALIGN) char data[];
};

void *
xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		fatal("out of memory (%zu bytes)", size);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		fatal("out of memory (%zu times %zu bytes)", n, size);
	return p;
}

void *
xrealloc(void *p, size_t n, size_t size)
{
	size_t total;
	void *q;

	if (__builtin_mul_overflow(n, size, &total))
		fatal("out of memory (%zu times %zu bytes)", n, size);
	q = realloc(p, total ? total : 1);
	if (!q)
		fatal("out of memory (%zu bytes)", total);
	return q;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t len)
{
	char *p = xmalloc(len + 1);

	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("out of memory (formatting)");
	return p;
}

static struct arena_block *
block_new(size_t cap)
{
	struct arena_block *b = xmalloc(sizeof(*b) + cap);

	b->cap = cap;
	b->used = 0;
	POISON(b->data, cap);
	return b;
}

static void
block_free(struct arena_block *b)
{
	UNPOISON(b->data, b->cap);
	free(b);
}

/* Make the first block one with room for size, or return a block made for this request alone. */
static struct arena_block *
block_for(struct arena *arena, size_t size)
{
	struct arena_block *head = arena->head, *b;
	size_t cap = BLOCK_MIN;

	if (head && head->cap - head->used >= size)
		return head;
	if (head)
		cap = head->cap >= BLOCK_MAX / 2 ? BLOCK_MAX : head->cap * 2;
	if (head && size > cap / 4) {
		b = block_new(size);
		b->next = head->next;
		head->next = b;
		return b;
	}
	b = block_new(size > cap ? size : cap);
	b->next = head;
	arena->head = b;
	return b;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *b;
	size_t room;
	void *p;

	if (size > SIZE_MAX / 2)
		fatal("out of memory (%zu bytes)", size);
	room = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!room)
		room = ALIGN;
	b = block_for(arena, room);
	p = b->data + b->used;
	b->used += room;
	arena->bytes += room;
	UNPOISON(p, size);
	return p;
}

void *
arena_zalloc(struct arena *arena, size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total))
		fatal("out of memory (%zu times %zu bytes)", n, size);
	p = arena_alloc(arena, total);
	memset(p, 0, total);
	return p;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *p = arena_alloc(arena, len + 1);

	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("cannot format \"%s\"", fmt);
	if ((size_t)n < sizeof(small))
		return arena_strndup(arena, small, (size_t)n);
	p = arena_alloc(arena, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *keep = arena->head, *b, *next;

	arena->bytes = 0;
	if (!keep)
		return;
	for (b = keep->next; b; b = next) {
		next = b->next;
		block_free(b);
	}
	keep->next = NULL;
	keep->used = 0;
	POISON(keep->data, keep->cap);
}

void
arena_release(struct arena *arena)
{
	struct arena_block *b, *next;

	for (b = arena->head; b; b = next) {
		next = b->next;
		block_free(b);
	}
	arena->head = NULL;
	arena->bytes = 0;
}
