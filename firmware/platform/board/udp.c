/* host.udp…: datagrams to one far end, over the Ethernet link. */
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "natives.h"

int udpSocket = -1;

/* Destination: IPv4 address and port; source: a locally administered address; length. */
static uint8_t header[LINK_HEADER_OCTETS] = { 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0 };

static int parseAddress(const char *text, uint8_t address[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned number = 0, digits = 0;
		for (; *text >= '0' && *text <= '9' && digits < 3; digits++) number = number * 10 + (unsigned)(*text++ - '0');
		if (digits == 0 || number > 255 || *text != (i < 3 ? '.' : '\0'))
			return 0;
		text++;
		address[i] = (uint8_t)number;
	}
	return 1;
}

static void udpOpen(xsMachine *the)
{
	const uint32_t port = unsignedArgument(the, 1, "port", 65535);
	const char *address = stringArgument(the, 0, "address");
	if (port == 0)
		xsRangeError("port must not be 0.");
	if (!parseAddress(address, header))
		xsUnknownError("\"%s\" is no IPv4 address, and this board knows no other.", address);
	header[4] = (uint8_t)(port >> 8);
	header[5] = (uint8_t)port;
	udpSocket = 0;
}

static void udpWrite(xsMachine *the)
{
	Octets octets = readableArgument(the, 0, "octets");
	uint32_t length = unsignedArgument(the, 1, "length", octets.length);
	if (udpSocket < 0)
		xsUnknownError("No UDP socket is open.");
	/* The length field says 0 for no payload; a longer one is no frame. Both are lost, as datagrams are. */
	if (length == 0 || length > LONGEST_DATAGRAM)
		return;
	header[12] = (uint8_t)(length >> 8);
	header[13] = (uint8_t)length;
	ethernetSend(header, octets.data, length);
}

static void udpRead(xsMachine *the)
{
	Octets into = writableArgument(the, 0, "into");
	xsmcSetInteger(xsResult, udpSocket < 0 ? -1 : ethernetReceive(into.data, into.length));
}

int datagramWaits(void)
{
	return ethernetWaits();
}

static void udpClose(xsMachine *the)
{
	(void)the;
	udpSocket = -1;
}

const Native udpNatives[] = {
	{ "udpOpen", udpOpen, 2 },
	{ "udpWrite", udpWrite, 2 },
	{ "udpRead", udpRead, 1 },
	{ "udpClose", udpClose, 0 },
	{ NULL, NULL, 0 },
};
