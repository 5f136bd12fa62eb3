/* Open addressing with linear probing, at most half full. */
#include "config.h"

#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of v moves every bit of the
 * result. */
static uint64_t
mix(uint64_t v)
{
	v ^= v >> 30;
	v *= UINT64_C(0xbf58476d1ce4e5b9);
	v ^= v >> 27;
	v *= UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

void
hmap_release(struct hmap *m)
{
	free(m->keys);
	free(m->vals);
	free(m->used);
	memset(m, 0, sizeof(*m));
}

void
hmap_clear(struct hmap *m)
{
	if (m->cap)
		memset(m->used, 0, m->cap);
	m->n = 0;
}

/* The slot that holds the key, or the free one where it belongs; cap > 0. */
static size_t
find(const struct hmap *m, uint64_t key)
{
	size_t i = (size_t)mix(key) & (m->cap - 1);

	while (m->used[i] && m->keys[i] != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

static void
grow(struct hmap *m)
{
	struct hmap wide = { .cap = m->cap ? m->cap * 2 : 16 };

	wide.keys = xcalloc(wide.cap, sizeof(*wide.keys));
	wide.vals = xcalloc(wide.cap, sizeof(*wide.vals));
	wide.used = xcalloc(wide.cap, 1);
	for (size_t i = 0; i < m->cap; i++)
		if (m->used[i])
			hmap_put(&wide, m->keys[i], m->vals[i]);
	hmap_release(m);
	*m = wide;
}

void
hmap_put(struct hmap *m, uint64_t key, uint64_t val)
{
	size_t i;

	if (m->n * 2 >= m->cap)
		grow(m);
	i = find(m, key);
	m->n += !m->used[i];
	m->used[i] = 1;
	m->keys[i] = key;
	m->vals[i] = val;
}

bool
hmap_get(const struct hmap *m, uint64_t key, uint64_t *val)
{
	size_t i;

	if (!m->n)
		return false;
	i = find(m, key);
	if (!m->used[i])
		return false;
	*val = m->vals[i];
	return true;
}

bool
hmap_has(const struct hmap *m, uint64_t key)
{
	uint64_t val;

	return hmap_get(m, key, &val);
}

uint64_t
hash_u64(uint64_t seed, uint64_t v)
{
	return mix(seed * UINT64_C(0x9e3779b97f4a7c15) + v + UINT64_C(0x632be59bd9b4e019));
}

uint64_t
hash_bytes(uint64_t seed, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t v, h = hash_u64(seed, len);

	for (; len >= sizeof(v); p += sizeof(v), len -= sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		h = hash_u64(h, v);
	}
	if (len) {
		v = 0;
		memcpy(&v, p, len);
		h = hash_u64(h, v);
	}
	return h;
}
