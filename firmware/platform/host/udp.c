/* host.udp…: one connected, non-blocking UDP socket. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "natives.h"

int udpSocket = -1;

static void closeSocket(void)
{
	if (udpSocket >= 0)
		close(udpSocket);
	udpSocket = -1;
}

static void udpOpen(xsMachine *the)
{
	char service[8];
	char address[64];
	uint32_t port = unsignedArgument(the, 1, "port", 65535);
	struct addrinfo *found = NULL;
	/* Literals only: looking a name up would block. */
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	snprintf(address, sizeof address, "%s", stringArgument(the, 0, "address"));
	snprintf(service, sizeof service, "%u", (unsigned)port);
	if (port == 0)
		xsRangeError("port must not be 0.");
	closeSocket();
	if (getaddrinfo(address, service, &hints, &found) != 0)
		xsUnknownError("\"%s\" is neither an IPv4 nor an IPv6 address.", address);
	udpSocket = socket(found->ai_family, SOCK_DGRAM, 0);
	int failed = udpSocket < 0 || fcntl(udpSocket, F_SETFL, O_NONBLOCK) < 0
		|| connect(udpSocket, found->ai_addr, found->ai_addrlen) < 0;
	int reason = errno;
	freeaddrinfo(found);
	if (failed) {
		closeSocket();
		xsUnknownError("No UDP socket to %s port %u: %s.", address, (unsigned)port, strerror(reason));
	}
}

static void udpWrite(xsMachine *the)
{
	Octets octets = readableArgument(the, 0, "octets");
	uint32_t length = unsignedArgument(the, 1, "length", octets.length);
	if (udpSocket < 0)
		xsUnknownError("No UDP socket is open.");
	/*
	 * What fails here is a lost datagram. ECONNREFUSED is the answer to an earlier datagram and kept this one from
	 * being sent: once more.
	 */
	if (send(udpSocket, octets.data, length, 0) < 0 && errno == ECONNREFUSED)
		(void)!send(udpSocket, octets.data, length, 0);
}

static void udpRead(xsMachine *the)
{
	/* The whole datagram is taken first: not every system tells the length of one that it cut off. */
	static uint8_t datagram[65536];
	Octets into = writableArgument(the, 0, "into");
	ssize_t length = -1;
	if (udpSocket >= 0)
		do
			length = recv(udpSocket, datagram, sizeof datagram, 0);
		while (length < 0 && (errno == ECONNREFUSED || errno == EINTR));
	if (length > 0)
		memcpy(into.data, datagram, (size_t)length < into.length ? (size_t)length : into.length);
	xsmcSetInteger(xsResult, (xsIntegerValue)length);
}

int datagramWaits(void)
{
	uint8_t octet;
	ssize_t length;
	do
		length = recv(udpSocket, &octet, sizeof octet, MSG_PEEK);
	while (length < 0 && (errno == ECONNREFUSED || errno == EINTR));
	return length >= 0;
}

static void udpClose(xsMachine *the)
{
	(void)the;
	closeSocket();
}

const Native udpNatives[] = {
	{ "udpOpen", udpOpen, 2 },
	{ "udpWrite", udpWrite, 2 },
	{ "udpRead", udpRead, 1 },
	{ "udpClose", udpClose, 0 },
	{ NULL, NULL, 0 },
};
