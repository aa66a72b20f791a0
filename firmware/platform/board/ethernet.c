/*
 * The LAN9118 Ethernet controller as a link for datagrams (SMSC LAN9118 datasheet; only what QEMU's model needs).
 *
 * A frame is one datagram: 14 octets of header and the payload. The destination address holds the IPv4 address and the
 * port of the far end, the length field (IEEE 802.3) the octets of the payload, so that padding is never taken for data.
 */
#include <string.h>

#include "board.h"

#define LAN 0x40200000u
#define RX_DATA REGISTER(LAN)
#define TX_DATA REGISTER(LAN + 0x20)
#define RX_STATUS REGISTER(LAN + 0x40)
#define TX_STATUS REGISTER(LAN + 0x48)
#define IRQ_CFG REGISTER(LAN + 0x54)
#define INT_STS REGISTER(LAN + 0x58)
#define INT_EN REGISTER(LAN + 0x5c)
#define TX_CFG REGISTER(LAN + 0x70)
#define RX_FIFO_INF REGISTER(LAN + 0x7c)
#define TX_FIFO_INF REGISTER(LAN + 0x80)
#define MAC_COMMAND REGISTER(LAN + 0xa4)
#define MAC_DATA REGISTER(LAN + 0xa8)

/* MAC_CR: promiscuous, since the addresses are no addresses; transmitter and receiver on. */
enum { MAC_CR = 1, PROMISCUOUS = 1 << 18, TRANSMITTER = 1 << 3, RECEIVER = 1 << 2 };
enum { RX_STATUS_LEVEL = 1 << 3 };
enum { LENGTH_FIELD = 12, CHECKSUM_OCTETS = 4 };

void initializeEthernet(void)
{
	MAC_DATA = PROMISCUOUS | TRANSMITTER | RECEIVER;
	MAC_COMMAND = 1u << 31 | MAC_CR;
	TX_CFG = 2;
	INT_EN = RX_STATUS_LEVEL;
	/* Enabled, active high, push-pull. */
	IRQ_CFG = 1 << 8 | 1 << 4 | 1;
	enableInterrupt(IRQ_ETHERNET);
}

int ethernetWaits(void)
{
	return (RX_FIFO_INF >> 16 & 0xff) != 0;
}

void ethernetSend(const uint8_t header[LINK_HEADER_OCTETS], const uint8_t *payload, uint32_t length)
{
	const uint32_t total = LINK_HEADER_OCTETS + length;
	uint32_t word = 0, filled = 0;
	/* First and last segment; length of the segment, then of the frame. */
	TX_DATA = 1u << 13 | 1u << 12 | total;
	TX_DATA = total;
	for (uint32_t i = 0; i < total; i++) {
		const uint8_t octet = i < LINK_HEADER_OCTETS ? header[i] : payload[i - LINK_HEADER_OCTETS];
		word |= (uint32_t)octet << 8 * filled;
		if (++filled == 4 || i + 1 == total) {
			TX_DATA = word;
			word = filled = 0;
		}
	}
	/* What became of it is of no interest, but the place is needed. */
	while (TX_FIFO_INF >> 16 & 0xff) (void)TX_STATUS;
}

int ethernetReceive(uint8_t *into, uint32_t room)
{
	while (ethernetWaits()) {
		const uint32_t octets = RX_STATUS >> 16 & 0x3fff;
		const uint32_t carried = octets < LINK_HEADER_OCTETS + CHECKSUM_OCTETS ? 0 : octets - LINK_HEADER_OCTETS - CHECKSUM_OCTETS;
		uint32_t length = 0;
		for (uint32_t i = 0; i < octets; i += 4) {
			uint32_t word = RX_DATA;
			for (uint32_t j = i; j < i + 4; j++, word >>= 8) {
				const uint8_t octet = (uint8_t)word;
				if (j == LENGTH_FIELD || j == LENGTH_FIELD + 1)
					length = length << 8 | octet;
				else if (j >= LINK_HEADER_OCTETS && j - LINK_HEADER_OCTETS < carried && j - LINK_HEADER_OCTETS < room)
					into[j - LINK_HEADER_OCTETS] = octet;
			}
		}
		INT_STS = RX_STATUS_LEVEL;
		if (length != 0 && length <= carried)
			return (int)length;
	}
	return -1;
}
