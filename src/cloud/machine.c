/* What this machine is to AWS, told by its own metadata service. */
#include "config.h"

#include <string.h>

#include "cloud/aws_priv.h"
#include "cloud/creds.h"
#include "cloud/creds_priv.h"

int
aws_machine_groups(struct aws *aws, struct arena *arena, const char **ids, int most)
{
	struct strbuf text = STRBUF_INIT(4096);
	char why[160];
	const char *mac;
	int n = 0;

	if (!creds_imds_get(&aws->ask, "/latest/meta-data/mac", &text, why, sizeof(why)))
		goto out;
	mac = arena_strndup(arena, text.buf, strcspn(text.buf, "\r\n"));
	if (!creds_imds_get(&aws->ask,
	        arena_printf(
	            arena, "/latest/meta-data/network/interfaces/macs/%s/security-group-ids", mac),
	        &text, why, sizeof(why)))
		goto out;
	for (const char *s = text.buf; *s && n < most;) {
		size_t len = strcspn(s, "\r\n");

		if (len)
			ids[n++] = arena_strndup(arena, s, len);
		s += len;
		s += strspn(s, "\r\n");
	}
out:
	strbuf_release(&text);
	return n;
}
