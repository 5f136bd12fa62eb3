#include "config.h"

#include "ops/connect_cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/connect.h"

bool
connect_is_address(const char *text)
{
	struct in6_addr unread;

	return inet_pton(AF_INET, text, &unread) == 1 || inet_pton(AF_INET6, text, &unread) == 1;
}

int
cidr_match(const char *cidr, const char *address)
{
	unsigned char net[16], addr[16];
	size_t len = strcspn(cidr, "/");
	char text[64];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	long most = family == AF_INET ? 32 : 128, prefix = most;

	if (len >= sizeof(text))
		return -1;
	snprintf(text, sizeof(text), "%.*s", (int)len, cidr);
	if (cidr[len] == '/') {
		char *end;

		prefix = strtol(cidr + len + 1, &end, 10);
		if (end == cidr + len + 1 || *end || prefix < 0 || prefix > most)
			return -1;
	}
	if (inet_pton(family, text, net) != 1 || inet_pton(family, address, addr) != 1)
		return -1;
	for (long bit = 0; bit < prefix; bit++)
		if (((net[bit / 8] ^ addr[bit / 8]) >> (7 - bit % 8)) & 1)
			return -1;
	return (int)prefix;
}
