/* The group of addresses that counts as one where something is bounded for each address: an IPv4
 * address by itself, of IPv6 the /64, since whoever has one address there has them all. */
#ifndef ADDRESS_H
#define ADDRESS_H

#define ADDRESS_GROUP_BYTES 64

/* `address` is numeric, as the connection tells it; anything else is a group of its own. An IPv4
 * address in IPv6 (::ffff:a.b.c.d) is the IPv4 address. A zone (%eth0) does not count. */
void address_group(const char *address, char group[ADDRESS_GROUP_BYTES]);

#endif
