/* A hash map from uint64_t to uint64_t (or index), open addressing; keys are mixed inside. */
#ifndef PGMEDIC_BASE_HMAP_H
#define PGMEDIC_BASE_HMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmap {
	uint64_t *keys, *vals;
	uint8_t *used;
	size_t n, cap; /* cap is a power of two, or 0 */
};

void hmap_release(struct hmap *m); /* a zeroed struct is an empty map */
void hmap_clear(struct hmap *m);
void hmap_put(struct hmap *m, uint64_t key, uint64_t val); /* overwrites */
bool hmap_get(const struct hmap *m, uint64_t key, uint64_t *val);
bool hmap_has(const struct hmap *m, uint64_t key);
/* Hash of bytes, chained: seed with the previous result (0 at first). */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);
uint64_t hash_u64(uint64_t seed, uint64_t v);

#endif
