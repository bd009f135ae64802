/* Codes a JPEG's coefficients again with restart markers, so that a reader can start in the middle of the file.
 *
 * Coefficients, quantization tables and colour space stay the same, and so do the pixels; that is checked. The result
 * is sequential with Huffman tables of its own, which saves about what the markers take.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <setjmp.h>
#include <stdio.h> /* which jpeglib.h needs and does not include */
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

#define ROOM(size) (2 * (size_t)(size) + 65536) /* bytes: no file takes more than a few percent above its own */

typedef struct {
    struct jpeg_decompress_struct source, result; /* the result, read again */
    struct jpeg_compress_struct writer;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
    struct jpeg_destination_mgr destination;
    unsigned char *data; /* of the result */
    size_t size;
} Transcoder;

/* Leave libjpeg, which must not go on after an error. */
static void fail(j_common_ptr jpeg) {
    Transcoder *transcoder = jpeg->client_data;
    jpeg->err->format_message(jpeg, transcoder->message);
    longjmp(transcoder->failed, 1);
}

static void fail_on_damage(j_common_ptr jpeg, int level) {
    if (jpeg->err->msg_code == JWRN_EXTRANEOUS_DATA) return; /* bytes between two parts, as some cameras leave them */
    if (level < 0) fail(jpeg);                               /* levels from 0 on tell what is read */
}

static void do_nothing(j_compress_ptr jpeg) { (void)jpeg; }

static boolean fail_when_full(j_compress_ptr jpeg) {
    ERREXIT(jpeg, JERR_BUFFER_SIZE);
    return FALSE;
}

static jvirt_barray_ptr *read_coefficients(j_decompress_ptr jpeg, const unsigned char *data, size_t size) {
    jpeg_mem_src(jpeg, data, (unsigned long)size);
    jpeg_read_header(jpeg, TRUE);
    return jpeg_read_coefficients(jpeg);
}

static unsigned divided(unsigned number, unsigned by) { return (number + by - 1) / by; } /* rounded up */

/* The fewest MCUs that have at least so many blocks and divide a row; all of the row where there are none. */
static unsigned interval(j_decompress_ptr jpeg, unsigned blocks) {
    int single = jpeg->num_components == 1; /* then an MCU is a block, whatever the sampling factors */
    unsigned width = DCTSIZE * (single ? 1 : (unsigned)jpeg->max_h_samp_factor), of_an_mcu = single;
    for (int i = 0; i < jpeg->num_components && !single; i++)
        of_an_mcu += (unsigned)(jpeg->comp_info[i].h_samp_factor * jpeg->comp_info[i].v_samp_factor);
    unsigned across = divided(jpeg->image_width, width), size = divided(blocks, of_an_mcu);
    while (size < across && across % size) size++;
    return size < across ? size : across;
}

static void write_again(Transcoder *transcoder, jvirt_barray_ptr *coefficients, unsigned blocks) {
    j_compress_ptr jpeg = &transcoder->writer;
    transcoder->destination = (struct jpeg_destination_mgr){
        .next_output_byte = transcoder->data,
        .free_in_buffer = transcoder->size,
        .init_destination = do_nothing,
        .empty_output_buffer = fail_when_full,
        .term_destination = do_nothing,
    };
    jpeg->dest = &transcoder->destination;
    jpeg_copy_critical_parameters(&transcoder->source, jpeg);
    jpeg->restart_interval = interval(&transcoder->source, blocks);
    jpeg->optimize_coding = TRUE;
    jpeg_write_coefficients(jpeg, coefficients);
    jpeg_finish_compress(jpeg);
    transcoder->size -= transcoder->destination.free_in_buffer;
}

/* A component that is in no scan has no table. */
static int have_same_quantization(const jpeg_component_info *one, const jpeg_component_info *other) {
    return one->quant_table && other->quant_table &&
           !memcmp(one->quant_table->quantval, other->quant_table->quantval, sizeof one->quant_table->quantval);
}

static int have_same_blocks(j_decompress_ptr one, j_decompress_ptr other, jvirt_barray_ptr of_one,
                            jvirt_barray_ptr of_other, const jpeg_component_info *info) {
    for (JDIMENSION row = 0; row < info->height_in_blocks; row++) {
        JBLOCKARRAY blocks = one->mem->access_virt_barray((j_common_ptr)one, of_one, row, 1, FALSE);
        JBLOCKARRAY others = other->mem->access_virt_barray((j_common_ptr)other, of_other, row, 1, FALSE);
        if (memcmp(blocks[0], others[0], info->width_in_blocks * sizeof(JBLOCK))) return 0;
    }
    return 1;
}

static int are_same(j_decompress_ptr one, j_decompress_ptr other, jvirt_barray_ptr *of_one,
                    jvirt_barray_ptr *of_other) {
    if (one->image_height != other->image_height || one->image_width != other->image_width ||
        one->num_components != other->num_components || one->jpeg_color_space != other->jpeg_color_space)
        return 0;
    for (int i = 0; i < one->num_components; i++) {
        const jpeg_component_info *info = &one->comp_info[i], *other_info = &other->comp_info[i];
        if (info->h_samp_factor != other_info->h_samp_factor || info->v_samp_factor != other_info->v_samp_factor ||
            !have_same_quantization(info, other_info) ||
            !have_same_blocks(one, other, of_one[i], of_other[i], info))
            return 0;
    }
    return 1;
}

/* Leave the result in `transcoder`, whose `data` have room for `size` bytes, or a message. Needs no lock. */
static void transcode(Transcoder *transcoder, const Py_buffer *data, unsigned blocks) {
    j_common_ptr all[] = {(j_common_ptr)&transcoder->source, (j_common_ptr)&transcoder->result,
                          (j_common_ptr)&transcoder->writer};
    jpeg_std_error(&transcoder->errors);
    transcoder->errors.error_exit = fail;
    transcoder->errors.emit_message = fail_on_damage;
    for (int i = 0; i < 3; i++) {
        all[i]->err = &transcoder->errors;
        all[i]->client_data = transcoder; /* which creating keeps, as it does err */
    }
    if (!setjmp(transcoder->failed)) {
        jpeg_create_decompress(&transcoder->source);
        jpeg_create_decompress(&transcoder->result);
        jpeg_create_compress(&transcoder->writer);
        jvirt_barray_ptr *coefficients = read_coefficients(&transcoder->source, data->buf, (size_t)data->len);
        write_again(transcoder, coefficients, blocks);
        jvirt_barray_ptr *again = read_coefficients(&transcoder->result, transcoder->data, transcoder->size);
        if (!are_same(&transcoder->source, &transcoder->result, coefficients, again))
            ERREXIT(&transcoder->source, JERR_CONVERSION_NOTIMPL);
    }
    for (int i = 0; i < 3; i++) jpeg_destroy(all[i]);
}

PyDoc_STRVAR(add_restarts_doc, "add_restarts(data, blocks) -> bytes\n\n"
                               "The same JPEG with restart markers: an equal number of MCUs apart, which divides a\n"
                               "row of them and has that many blocks at least.\n"
                               "ValueError: it is damaged, or cannot be coded again without a loss.");

static PyObject *add_restarts(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer data;
    unsigned blocks;
    PyObject *result = NULL;
    Transcoder transcoder = {0};
    if (!PyArg_ParseTuple(args, "y*I", &data, &blocks)) return NULL;
    transcoder.size = ROOM(data.len);
    transcoder.data = malloc(transcoder.size);
    if (transcoder.data) {
        Py_BEGIN_ALLOW_THREADS;
        transcode(&transcoder, &data, blocks);
        Py_END_ALLOW_THREADS;
        if (transcoder.message[0])
            PyErr_SetString(PyExc_ValueError, transcoder.message);
        else
            result = PyBytes_FromStringAndSize((const char *)transcoder.data, (Py_ssize_t)transcoder.size);
    } else {
        PyErr_NoMemory();
    }
    free(transcoder.data);
    PyBuffer_Release(&data);
    return result;
}

static PyMethodDef methods[] = {{"add_restarts", add_restarts, METH_VARARGS, add_restarts_doc}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_restarts", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__restarts(void) {
    PyObject *module = PyModule_Create(&definition);
    /* The hash of this file, by which Python knows a module that was built from an older one. */
    if (module && PyModule_AddStringConstant(module, "SOURCE", SOURCE)) Py_CLEAR(module);
    return module;
}
