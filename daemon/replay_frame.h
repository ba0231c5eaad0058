/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a captured packet to the frame the data path is run on: an Ethernet frame, whatever link
 * type the capture has, and no longer than headers can be.  Pure functions of the bytes.
 *
 * What is changed, and why it judges the same packet:
 *
 * - Other link headers give way to an Ethernet header with the EtherType they state.
 * - Payload is left out: the data path takes every length from the IP header.  Where that says 0
 *   (segmentation offload, BIG TCP) the live program asks for the length of the buffer; here the
 *   length the packet had on the wire is written into the IP header if the frame is not whole.
 *   What exceeds 65535 bytes is run in pieces, as offload would cut it (replay_frame_piece).
 * - A capture that cut off TCP options leaves them unknown: they are filled with zeros, and a SYN
 *   whose window scale may have been among them gets the largest, as an adopted flow does.
 */
#ifndef TCPGUARD_REPLAY_FRAME_H
#define TCPGUARD_REPLAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "capture.h"

#define REPLAY_FRAME_MAX 3072 /* of one buffer of a test run, with room for what the kernel adds */

struct replay_frame {
	uint8_t bytes[REPLAY_FRAME_MAX];
	uint32_t size; /* of what is there */
	uint32_t length; /* of the whole frame */
	uint32_t ip_at; /* offset of the IP header; 0: not IP */
	uint32_t tcp_at; /* offset of the TCP header; 0: none, or behind other headers */
	uint8_t version; /* 4, 6 */
	uint8_t flags; /* of TCP, when the packet is run in pieces */
	bool headers_cut; /* what is there may end within the headers */
	bool options_filled;
	bool length_filled;
	uint32_t pieces; /* 1, or more for what no IP length field can say */
};

/* NULL if the link type is understood, else what to tell the user. */
const char *replay_frame_refusal(int link);

/* Builds the frame of a packet.  False: there is no frame; headers_cut says if for want of headers. */
bool replay_frame_build(struct replay_frame *frame, const struct capture_packet *packet);

/* Turns the frame into its i-th piece, in order from 0; each call works on what the last one left. */
void replay_frame_piece(struct replay_frame *frame, uint32_t i);

/* The source address, IPv4 as ::ffff:a.b.c.d; false if the frame has none. */
bool replay_frame_source(const struct replay_frame *frame, __be32 address[4]);

#endif
