/* The smallest JPEG within a JPEG that holds a part of its pixels: some of its restart intervals, as they are. */
#ifndef IGDET_EXCERPT_H
#define IGDET_EXCERPT_H

#include "_huffman.h"

#define MARGIN 2 /* pixels around a part: one sample of chroma that is stored at half the width or height */

/* In pixels, after reduction. */
typedef struct {
    unsigned top, left, height, width;
} Part;

typedef struct {
    unsigned char *header; /* the file's up to the coded data, with the excerpt's height and width */
    size_t header_size;
    unsigned height, width; /* of the excerpt, in pixels before any reduction */
    Interval *intervals; /* the coded data, in order */
    size_t count;        /* of them */
    unsigned size;       /* MCUs of each of them; 0: all of the image's */
    Part part;           /* what was asked for, counted from the excerpt's top left corner */
} Excerpt;

/* Find what has to be decoded for a part, and copy it.
 *
 * Args:
 *   jpeg: its header has been read, its output size calculated; what `excerpt` leads to is freed with it
 *   data, size: the whole file
 *   part: lies within the image
 *
 * Returns 0, with `excerpt` unfinished, where the file is of another kind (progressive, arithmetic, of several scans),
 * or where its markers are not in order up to the part's end.
 */
int find_excerpt(j_decompress_ptr jpeg, const unsigned char *data, size_t size, const Part *part, Excerpt *excerpt);

#endif
