/* Tests of base/hmap.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hmap.h"

static void
put_get_overwrite(void **state)
{
	struct hmap m = { 0 };
	uint64_t val = 99;

	(void)state;
	assert_false(hmap_has(&m, 0));
	hmap_clear(&m);
	for (uint64_t i = 0; i < 100000; i++)
		hmap_put(&m, i * 4096, i);
	assert_int_equal(m.n, 100000);
	for (uint64_t i = 0; i < 100000; i++) {
		assert_true(hmap_get(&m, i * 4096, &val));
		assert_int_equal(val, i);
	}
	assert_false(hmap_has(&m, 4095));
	hmap_put(&m, 0, 7);
	assert_true(hmap_get(&m, 0, &val));
	assert_int_equal(val, 7);
	assert_int_equal(m.n, 100000);
	hmap_clear(&m);
	assert_false(hmap_has(&m, 4096));
	hmap_put(&m, UINT64_MAX, 1);
	assert_true(hmap_has(&m, UINT64_MAX));
	hmap_release(&m);
	hmap_release(&m);
}

static void
hashes_see_every_byte(void **state)
{
	char buf[40] = { 0 };
	uint64_t seen[41];

	(void)state;
	/* Zeros of different lengths, and one bit anywhere. */
	for (size_t n = 0; n <= 40; n++) {
		seen[n] = hash_bytes(0, buf, n);
		for (size_t j = 0; j < n; j++)
			assert_true(seen[j] != seen[n]);
	}
	for (size_t i = 0; i < 40; i++) {
		buf[i] = 1;
		assert_true(hash_bytes(0, buf, 40) != seen[40]);
		buf[i] = 0;
	}
	assert_true(hash_bytes(1, "ab", 2) != hash_bytes(0, "ab", 2));
	assert_true(hash_u64(hash_u64(0, 1), 2) != hash_u64(hash_u64(0, 2), 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_get_overwrite),
		cmocka_unit_test(hashes_see_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
