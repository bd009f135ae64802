#include "_huffman.h"

#include <string.h>

#include <jerror.h>

/* An entry says what a code stands for: 5 bits for the length of the code and the value behind it, 4 for the size of
 * the value alone, 7 for the run of zero coefficients before it.
 */
#define LENGTH(entry) ((entry) & 31)
#define SIZE(entry) ((entry) >> 5 & 15)
#define RUN(entry) ((entry) >> 9)
#define END_OF_BLOCK 64 /* as a run, leads out of any block; so does that of `NO_CODE` */
#define NO_CODE (1 | 127 << 9)

/* How libjpeg's own struct begins, in all its versions; jpeglib.h names it without defining it. */
struct jpeg_entropy_decoder {
    void (*start_pass)(j_decompress_ptr);
    boolean (*decode_mcu)(j_decompress_ptr, JBLOCKROW *);
};

/* From a coefficient's place in the file, in zigzag, to its place in a block. */
static const unsigned char natural_order[COEFFICIENTS] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

static uint16_t entry_of(unsigned symbol, unsigned length) {
    unsigned run = symbol >> 4, size = symbol & 15;
    if (size > LARGEST_VALUE) return NO_CODE;
    if (!size && run != 15) run = END_OF_BLOCK;
    return (uint16_t)((length + size) | size << 5 | run << 9);
}

/* `source` has been checked: libjpeg's start_pass() refuses what is no code. */
static void build(HuffmanTable *table, const JHUFF_TBL *source) {
    unsigned code = 0, symbol = 0;
    memset(table->entries, 0, sizeof table->entries);
    for (unsigned length = 1; length <= LONGEST_CODE; length++, code <<= 1) {
        unsigned count = source->bits[length];
        table->last[length] = count ? (int32_t)(code + count - 1) : -1;
        table->offset[length] = (int32_t)symbol - (int32_t)code;
        for (; count; count--, code++, symbol++) {
            uint16_t entry = table->symbols[symbol] = entry_of(source->huffval[symbol], length);
            unsigned width = length <= LOOKAHEAD ? 1u << (LOOKAHEAD - length) : 0;
            for (unsigned i = 0; i < width; i++) table->entries[code * width + i] = entry;
        }
    }
}

static inline uint64_t four_bytes(const unsigned char *at) { /* compilers make one load of it */
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Have at least 56 bits, which is two values with their codes. Bits beyond `count` are those of the byte at `at`. */
static inline void refill(BitReader *reader) {
    reader->bits |= (four_bytes(reader->at) << 32 | four_bytes(reader->at + 4)) >> reader->count;
    reader->at += (63 - reader->count) >> 3;
    reader->count |= 56;
}

static inline int64_t bits_left(const BitReader *reader) {
    return (reader->end - reader->at) * 8 + (int64_t)reader->count;
}

static uint16_t entry_of_long_code(const HuffmanTable *table, uint64_t bits) {
    for (unsigned length = LOOKAHEAD + 1; length <= LONGEST_CODE; length++) {
        int32_t code = (int32_t)(bits >> (64 - length));
        if (code <= table->last[length]) return table->symbols[code + table->offset[length]];
    }
    return NO_CODE;
}

/* Values that begin with 0 are negative (ITU-T T.81, table F.1); half of all, so no branch can be predicted. */
static inline int signed_value(unsigned bits, unsigned size) {
    int negative = -(int)(bits < 1u << size >> 1); /* all bits or none */
    return (int)bits + (negative & (1 - (1 << size)));
}

/* Read a code and the value behind it. Without a branch on sizes, which nobody can predict. */
static inline uint16_t read_value(BitReader *reader, const HuffmanTable *table, int *value) {
    uint16_t entry = table->entries[reader->bits >> (64 - LOOKAHEAD)];
    if (!entry) entry = entry_of_long_code(table, reader->bits);
    unsigned size = SIZE(entry);
    *value = signed_value((unsigned)(reader->bits >> (64 - LENGTH(entry))) & ((1u << size) - 1), size);
    reader->bits <<= LENGTH(entry);
    reader->count -= LENGTH(entry);
    return entry;
}

/* Read a coefficient into a block. Returns its entry, after which `k` is behind it, or out of the block. */
static inline uint16_t read_coefficient(BitReader *reader, const HuffmanTable *table, JCOEF *block, unsigned *k) {
    int value;
    uint16_t entry = read_value(reader, table, &value);
    *k += RUN(entry);
    if (*k < COEFFICIENTS) block[natural_order[*k]] = (JCOEF)value;
    ++*k;
    return entry;
}

/* Returns 0 for damage. */
static inline int read_block(BitReader *reader, const HuffmanTable *dc, const HuffmanTable *ac, int *last_dc,
                             JCOEF *block) {
    int difference;
    unsigned k = 1;
    refill(reader);
    uint16_t entry = read_value(reader, dc, &difference);
    if (entry == NO_CODE) return 0;
    *last_dc = (int)((unsigned)*last_dc + (unsigned)difference);
    block[0] = (JCOEF)*last_dc;
    for (;;) {
        entry = read_coefficient(reader, ac, block, &k);
        if (k >= COEFFICIENTS) break;
        refill(reader);
        entry = read_coefficient(reader, ac, block, &k);
        if (k >= COEFFICIENTS) break;
    }
    return k == COEFFICIENTS || RUN(entry) == END_OF_BLOCK;
}

static void start_interval(j_decompress_ptr jpeg, HuffmanDecoder *decoder) {
    if (decoder->next == decoder->end) ERREXIT(jpeg, JERR_BAD_LENGTH);
    BitReader reader = {.at = decoder->next->start, .end = decoder->next->end};
    decoder->reader = reader;
    decoder->left = decoder->size;
    decoder->next++;
    memset(decoder->last_dc, 0, sizeof decoder->last_dc);
}

/* What libjpeg calls for each MCU; `blocks` are zeros, or NULL where the coefficients are not wanted. */
static boolean decode_mcu(j_decompress_ptr jpeg, JBLOCKROW *blocks) {
    HuffmanDecoder *decoder = jpeg->client_data;
    JBLOCK unwanted;
    if (decoder->size && !decoder->left) {
        if (bits_left(&decoder->reader) >= 8) ERREXIT(jpeg, JERR_BAD_LENGTH); /* more than fills the last byte */
        start_interval(jpeg, decoder);
    }
    BitReader reader = decoder->reader; /* a copy, which can be in registers */
    for (int i = 0; i < jpeg->blocks_in_MCU; i++) {
        int component = jpeg->MCU_membership[i];
        const jpeg_component_info *info = jpeg->cur_comp_info[component];
        int sound = read_block(&reader, &decoder->dc[info->dc_tbl_no], &decoder->ac[info->ac_tbl_no],
                               &decoder->last_dc[component], blocks ? blocks[i][0] : unwanted);
        if (!sound || bits_left(&reader) < 0) ERREXIT(jpeg, JERR_BAD_LENGTH);
    }
    decoder->reader = reader;
    decoder->left--;
    return TRUE;
}

void attach_huffman_decoder(j_decompress_ptr jpeg, HuffmanDecoder *decoder, const Interval *intervals, size_t count,
                            unsigned size) {
    for (int i = 0; i < jpeg->comps_in_scan; i++) {
        const jpeg_component_info *info = jpeg->cur_comp_info[i];
        build(&decoder->dc[info->dc_tbl_no], jpeg->dc_huff_tbl_ptrs[info->dc_tbl_no]);
        build(&decoder->ac[info->ac_tbl_no], jpeg->ac_huff_tbl_ptrs[info->ac_tbl_no]);
    }
    decoder->next = intervals;
    decoder->end = intervals + count;
    decoder->size = size;
    start_interval(jpeg, decoder);
    jpeg->entropy->decode_mcu = decode_mcu;
}
