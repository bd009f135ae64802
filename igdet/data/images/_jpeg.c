/* Decodes a rectangle of a JPEG with libjpeg-turbo, and of the file no more than that takes.
 *
 * The pixels are those that the whole image has there. jpeg_crop_scanline() decodes whole blocks, so its first
 * column may lie left of the one asked for; and chroma is interpolated between neighbours, which the first and the
 * last column that it decodes lack, so a margin is decoded on both sides.
 *
 * libjpeg-turbo is shown only those restart intervals that hold the rectangle, as a smaller image, and igdet decodes
 * their Huffman codes. Wherever anything about that is odd, the caller lets libjpeg-turbo do all of it: what becomes of
 * a damaged file, and with which message, is for libjpeg-turbo to say.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <setjmp.h>

#include "_excerpt.h"

#include <jerror.h>

#define CHANNELS 3

typedef struct {
    HuffmanDecoder huffman; /* first: client_data leads to it */
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
} Decoder;

typedef struct {
    const Py_buffer *data;
    Part part;
    int reduction, bgr, as_excerpt;
} Order;

/* Leave libjpeg, which must not go on after an error. */
static void fail(j_common_ptr jpeg) {
    Decoder *decoder = jpeg->client_data;
    jpeg->err->format_message(jpeg, decoder->message);
    longjmp(decoder->failed, 1);
}

/* Stop where libjpeg would go on and fill with grey what it cannot read. */
static void fail_on_damage(j_common_ptr jpeg, int level) {
    switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:     /* an odd header */
    case JWRN_NOT_SEQUENTIAL:  /* likewise */
    case JWRN_EXTRANEOUS_DATA: /* bytes between two parts of the file, as some cameras leave them */
        return;
    }
    if (level < 0) fail(jpeg); /* other warnings: damage; levels from 0 on tell what is read */
}

static int leads_out_of(j_decompress_ptr jpeg, const Part *part) {
    return part->height > jpeg->output_height || part->top > jpeg->output_height - part->height ||
           part->width > jpeg->output_width || part->left > jpeg->output_width - part->width;
}

static void read_header(j_decompress_ptr jpeg, const unsigned char *data, size_t size, const Order *order) {
    jpeg_mem_src(jpeg, data, (unsigned long)size);
    jpeg_read_header(jpeg, TRUE);
    jpeg->out_color_space = order->bgr ? JCS_EXT_BGR : JCS_EXT_RGB;
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned)order->reduction;
    jpeg_calc_output_dimensions(jpeg);
}

static void read_rows(j_decompress_ptr jpeg, const Part *part, unsigned char *pixels) {
    JDIMENSION first = part->left > MARGIN ? part->left - MARGIN : 0;
    JDIMENSION columns = part->left + part->width + MARGIN - first;
    size_t size = (size_t)part->width * CHANNELS;
    if (columns > jpeg->output_width - first) columns = jpeg->output_width - first;
    jpeg_crop_scanline(jpeg, &first, &columns);
    JSAMPARRAY row = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, columns * CHANNELS, 1);
    if (part->top) jpeg_skip_scanlines(jpeg, part->top);
    for (unsigned i = 0; i < part->height; i++, pixels += size) {
        jpeg_read_scanlines(jpeg, row, 1);
        memcpy(pixels, row[0] + (size_t)(part->left - first) * CHANNELS, size);
    }
}

/* Decode the part only, by igdet's own Huffman decoder. */
static void read_excerpt(Decoder *decoder, const Order *order, unsigned char *pixels) {
    j_decompress_ptr jpeg = &decoder->jpeg;
    Excerpt excerpt;
    if (!find_excerpt(jpeg, order->data->buf, (size_t)order->data->len, &order->part, &excerpt))
        ERREXIT(jpeg, JERR_CONVERSION_NOTIMPL);
    jpeg_abort_decompress(jpeg);
    read_header(jpeg, excerpt.header, excerpt.header_size, order);
    if (jpeg->image_height != excerpt.height || jpeg->image_width != excerpt.width) /* it found another frame */
        ERREXIT(jpeg, JERR_CONVERSION_NOTIMPL);
    jpeg_start_decompress(jpeg);
    attach_huffman_decoder(jpeg, &decoder->huffman, excerpt.intervals, excerpt.count, excerpt.size);
    read_rows(jpeg, &excerpt.part, pixels);
}

/* Decode all that comes before the part's end, by libjpeg-turbo. */
static void read_part(j_decompress_ptr jpeg, const Order *order, unsigned char *pixels) {
    jpeg_start_decompress(jpeg);
    read_rows(jpeg, &order->part, pixels);
}

/* Fill `pixels`, or leave a message and give 0; needs no interpreter lock. */
static int decode(Decoder *decoder, const Order *order, unsigned char *pixels) {
    j_decompress_ptr jpeg = &decoder->jpeg;
    jpeg->err = jpeg_std_error(&decoder->errors);
    jpeg->err->error_exit = fail;
    jpeg->err->emit_message = fail_on_damage;
    jpeg->client_data = decoder;
    if (setjmp(decoder->failed)) {
        jpeg_destroy_decompress(jpeg);
        return 0;
    }
    jpeg_create_decompress(jpeg); /* keeps err and client_data */
    read_header(jpeg, order->data->buf, (size_t)order->data->len, order);
    if (leads_out_of(jpeg, &order->part)) ERREXIT(jpeg, JERR_BAD_CROP_SPEC);
    if (order->as_excerpt)
        read_excerpt(decoder, order, pixels);
    else
        read_part(jpeg, order, pixels);
    jpeg_destroy_decompress(jpeg);
    return 1;
}

PyDoc_STRVAR(decode_part_doc, "decode_part(data, top, left, height, width, reduction, bgr, as_excerpt) -> bytearray\n\n"
                              "Pixels (height, width, 3) of a part of a JPEG, brought down by reduction (1, 2, 4, 8);\n"
                              "as_excerpt decodes nothing else, where the file allows it.\n"
                              "ValueError: no such part, the file is damaged before its end, or not of a kind that\n"
                              "allows excerpts.");

static PyObject *decode_part(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer data;
    Order order = {.data = &data};
    Part *part = &order.part;
    int succeeded = 0;
    Decoder decoder;
    if (!PyArg_ParseTuple(args, "y*IIIIipp", &data, &part->top, &part->left, &part->height, &part->width,
                          &order.reduction, &order.bgr, &order.as_excerpt))
        return NULL;
    PyObject *pixels = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)part->height * part->width * CHANNELS);
    if (pixels) {
        unsigned char *first = (unsigned char *)PyByteArray_AS_STRING(pixels);
        Py_BEGIN_ALLOW_THREADS;
        succeeded = decode(&decoder, &order, first);
        Py_END_ALLOW_THREADS;
        if (!succeeded) {
            PyErr_SetString(PyExc_ValueError, decoder.message);
            Py_CLEAR(pixels);
        }
    }
    PyBuffer_Release(&data);
    return pixels;
}

static PyMethodDef methods[] = {{"decode_part", decode_part, METH_VARARGS, decode_part_doc}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_jpeg", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__jpeg(void) {
    PyObject *module = PyModule_Create(&definition);
    /* The hash of the C files, by which Python knows a module that was built from older ones. */
    if (module && PyModule_AddStringConstant(module, "SOURCE", SOURCE)) Py_CLEAR(module);
    return module;
}
