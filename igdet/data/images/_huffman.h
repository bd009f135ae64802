/* Huffman decoding of a JPEG's MCUs in place of libjpeg-turbo's, which takes its slow way where there are restarts. */
#ifndef IGDET_HUFFMAN_H
#define IGDET_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* which jpeglib.h needs and does not include */

#include <jpeglib.h>

#define COEFFICIENTS 64  /* of a block */
#define LOOKAHEAD 10     /* bits: few codes are longer */
#define LONGEST_CODE 16  /* bits */
#define LARGEST_VALUE 11 /* bits, where samples have 8 */
/* Bytes behind the data that reading a damaged block may touch: 8 that were fetched before it, and 8 by the last fetch.
 */
#define SLACK (COEFFICIENTS * (LONGEST_CODE + LARGEST_VALUE) / 8 + 16)

/* The coded data between two restart markers, without the zeros that follow 0xFF; `SLACK` bytes can be read behind. */
typedef struct {
    const unsigned char *start, *end;
} Interval;

typedef struct {
    uint16_t entries[1 << LOOKAHEAD]; /* by the next bits, see `entry_of` in _huffman.c; 0: a longer code */
    uint16_t symbols[256];            /* the entries in the order of their codes */
    int32_t last[LONGEST_CODE + 1];   /* the largest code of each length; -1: none */
    int32_t offset[LONGEST_CODE + 1]; /* from a code of each length to its place in `symbols` */
} HuffmanTable;

typedef struct {
    const unsigned char *at, *end;
    uint64_t bits;  /* the next ones, from the highest on */
    unsigned count; /* of `bits` that come before the byte at `at` */
} BitReader;

typedef struct {
    HuffmanTable dc[NUM_HUFF_TBLS], ac[NUM_HUFF_TBLS];
    BitReader reader;
    int last_dc[MAX_COMPS_IN_SCAN];
    const Interval *next, *end; /* those to be decoded after the present one */
    unsigned size, left;  /* MCUs of an interval, 0: all; those of the present one that are still to come */
} HuffmanDecoder;

/* Let libjpeg take its MCUs from intervals, one after the other; their damage is an error.
 *
 * Args:
 *   jpeg: of one sequential scan, after jpeg_start_decompress(); its client_data begins with `decoder`
 *   intervals, count: of all MCUs that will be asked for
 *   size: MCUs of each interval, 0 where there is only one
 */
void attach_huffman_decoder(j_decompress_ptr jpeg, HuffmanDecoder *decoder, const Interval *intervals, size_t count,
                            unsigned size);

#endif
