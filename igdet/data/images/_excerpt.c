#include "_excerpt.h"

#include <string.h>

#define NARROWEST 8 /* pixels: libjpeg interpolates chroma where it has more than two columns, as it does in 8 pixels */
#define SHORTEST 3  /* bytes of an interval with the marker behind it */

enum { TEM = 0x01, SOF0 = 0xC0, SOF1 = 0xC1, RST0 = 0xD0, EOI = 0xD9 }; /* markers, after 0xFF */

/* Restart intervals as cells of a grid. */
typedef struct {
    unsigned rows, columns;
    unsigned height, width; /* of a cell, in pixels; the image may end within the last ones */
} Grid;

typedef struct {
    unsigned first, last;
} Span;

/* Rounded up. */
static unsigned divided(unsigned number, unsigned by) { return (number + by - 1) / by; }

static int is_sequential(j_decompress_ptr jpeg) {
    return !jpeg->progressive_mode && !jpeg->arith_code && jpeg->data_precision == 8 &&
           jpeg->comps_in_scan == jpeg->num_components;
}

/* Returns 0 where intervals are neither rows of MCUs nor equal parts of a row. */
static int find_grid(j_decompress_ptr jpeg, Grid *grid) {
    int single = jpeg->num_components == 1; /* then an MCU is a block, whatever the sampling factors */
    unsigned height = DCTSIZE * (single ? 1 : (unsigned)jpeg->max_v_samp_factor);
    unsigned width = DCTSIZE * (single ? 1 : (unsigned)jpeg->max_h_samp_factor);
    unsigned across = divided(jpeg->image_width, width);
    unsigned size = jpeg->restart_interval ? jpeg->restart_interval : across * divided(jpeg->image_height, height);
    if (across % size && size % across) return 0;
    grid->height = size < across ? height : size / across * height;
    grid->width = size < across ? size * width : jpeg->image_width;
    grid->rows = divided(jpeg->image_height, grid->height);
    grid->columns = divided(jpeg->image_width, grid->width);
    return 1;
}

/* Find the cells that hold `size` of `whole` pixels from `first` on, with those that chroma is interpolated from. */
static Span find_span(unsigned first, unsigned size, unsigned whole, unsigned cell) {
    unsigned end = first + size + MARGIN;
    first = first > MARGIN ? first - MARGIN : 0;
    if (end < first + NARROWEST) end = first + NARROWEST;
    if (end > whole) end = whole;
    if (end < first + NARROWEST) first = end > NARROWEST ? end - NARROWEST : 0;
    Span span = {first / cell, (end - 1) / cell};
    return span;
}

/* From the start of the first cell to the end of the last one, in pixels. */
static unsigned length_of(Span span, unsigned cell, unsigned whole) {
    unsigned end = (span.last + 1) * cell;
    return (end < whole ? end : whole) - span.first * cell;
}

/* Returns the position of the frame header, or 0 where the file does not begin with a plain chain of segments, each with
 * a length: fill bytes, which libjpeg passes over, and markers that stand alone are in no file of a usual program.
 */
static size_t find_frame(const unsigned char *header, size_t size) {
    for (size_t at = 2; at + 9 <= size && header[at] == 0xFF;) {
        unsigned marker = header[at + 1], length = (unsigned)header[at + 2] << 8 | header[at + 3];
        if (marker == SOF0 || marker == SOF1) return at;
        if (marker <= TEM || (marker >= RST0 && marker <= EOI) || marker == 0xFF || length < 2) return 0;
        at += 2 + (size_t)length;
    }
    return 0;
}

static int copy_header(j_decompress_ptr jpeg, const unsigned char *data, unsigned height, unsigned width,
                       Excerpt *excerpt) {
    size_t frame = find_frame(data, excerpt->header_size);
    if (!frame) return 0;
    excerpt->height = height;
    excerpt->width = width;
    excerpt->header = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_PERMANENT, excerpt->header_size);
    memcpy(excerpt->header, data, excerpt->header_size);
    unsigned char *sides = excerpt->header + frame + 5; /* behind the marker, the length and the precision */
    sides[0] = (unsigned char)(height >> 8);
    sides[1] = (unsigned char)height;
    sides[2] = (unsigned char)(width >> 8);
    sides[3] = (unsigned char)width;
    return 1;
}

/* Find the next marker; unless `copy` is NULL, copy the data before it, without the 0 behind each 0xFF that is data. */
static const unsigned char *next_marker(const unsigned char *at, const unsigned char *end, unsigned char **copy) {
    while (end - at > 1) {
        const unsigned char *found = memchr(at, 0xFF, (size_t)(end - at) - 1);
        if (!found) break;
        if (copy) {
            size_t size = (size_t)(found - at) + !found[1];
            memcpy(*copy, at, size);
            *copy += size;
        }
        if (found[1]) return found;
        at = found + 2;
    }
    return NULL;
}

/* Returns 0 where markers are missing or not in order up to the last cell. */
static int copy_intervals(j_decompress_ptr jpeg, const unsigned char *at, const unsigned char *end, const Grid *grid,
                          Span rows, Span columns, Excerpt *excerpt) {
    size_t last = (size_t)rows.last * grid->columns + columns.last, all = (size_t)grid->rows * grid->columns;
    size_t wanted = (size_t)(rows.last - rows.first + 1) * (columns.last - columns.first + 1);
    if (last > (size_t)(end - at) / SHORTEST) return 0;
    Interval *interval = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_PERMANENT, wanted * sizeof *interval);
    unsigned char *copy = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_PERMANENT, (size_t)(end - at) + SLACK);
    excerpt->intervals = interval;
    excerpt->count = wanted;
    for (size_t i = 0; i <= last; i++) {
        unsigned row = (unsigned)(i / grid->columns), column = (unsigned)(i % grid->columns);
        int is_wanted = row >= rows.first && column >= columns.first && column <= columns.last;
        const unsigned char *start = copy, *marker = next_marker(at, end, is_wanted ? &copy : NULL);
        if (!marker || marker[1] != (i + 1 == all ? EOI : RST0 + i % 8)) return 0;
        if (is_wanted) *interval++ = (Interval){start, copy};
        at = marker + 2;
    }
    memset(copy, 0, SLACK);
    return 1;
}

int find_excerpt(j_decompress_ptr jpeg, const unsigned char *data, size_t size, const Part *part, Excerpt *excerpt) {
    Grid grid;
    if (!is_sequential(jpeg) || !find_grid(jpeg, &grid)) return 0;
    unsigned height = divided(grid.height, jpeg->scale_denom), width = divided(grid.width, jpeg->scale_denom);
    Span rows = find_span(part->top, part->height, jpeg->output_height, height);
    Span columns = find_span(part->left, part->width, jpeg->output_width, width);
    excerpt->header_size = size - jpeg->src->bytes_in_buffer;
    excerpt->size = jpeg->restart_interval;
    excerpt->part = *part;
    excerpt->part.top -= rows.first * height;
    excerpt->part.left -= columns.first * width;
    return copy_header(jpeg, data, length_of(rows, grid.height, jpeg->image_height),
                       length_of(columns, grid.width, jpeg->image_width), excerpt) &&
           copy_intervals(jpeg, data + excerpt->header_size, data + size, &grid, rows, columns, excerpt);
}
