/* The module: numbers for strings, and the labels and counts of posts whose hashtags have such numbers.
 *
 * Hashtags, their normal forms and their labels are numbered together: most hashtags are their own form, and most forms
 * their own label.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_strings.h"

typedef struct {
    PyObject_HEAD
    Strings strings;
    int users; /* threads that look up without the interpreter's lock; -1: one that adds */
} Table;

/* A row of what Python knows of the strings. */
typedef struct {
    int32_t form, label;                    /* numbers; the label of the string as a form, 0 for none */
    int32_t posts, label_posts;             /* that carry the string as a form, as a label */
    int32_t latest_post, latest_label_post; /* that did, counted from 1 */
} Word;

/* Raise what an outcome means; return whether there was nothing to raise. */
static int succeeded(Outcome outcome) {
    if (outcome == NO_MEMORY) PyErr_NoMemory();
    if (outcome == TOO_MANY) PyErr_SetString(PyExc_OverflowError, "more than 2**31 - 1 strings, bytes or posts");
    if (outcome == BAD_OFFSETS) PyErr_SetString(PyExc_ValueError, "offsets do not ascend within what they are of");
    if (outcome == UNKNOWN) PyErr_SetString(PyExc_ValueError, "a number of no string");
    return outcome == DONE;
}

/* Count the forms of a post's hashtags, each once, and write their labels, each once; return the end of these. */
static int32_t *label_post(Word *words, size_t count, int32_t post, const int32_t *hashtags, const int32_t *end,
                           int32_t *labels) {
    for (; hashtags < end; hashtags++) {
        if ((uint32_t)*hashtags >= count || (uint32_t)words[*hashtags].form >= count) return NULL;
        Word *form = &words[words[*hashtags].form];
        if (form->latest_post == post) continue;
        if ((uint32_t)form->label >= count) return NULL;
        form->latest_post = post;
        form->posts++;
        Word *label = &words[form->label];
        if (!form->label || label->latest_label_post == post) continue;
        label->latest_label_post = post;
        label->label_posts++;
        *labels++ = form->label;
    }
    return labels;
}

/* Several posts, the first of which has a number; `ends` are those of the hashtags of each, behind a 0. */
static Outcome label_posts(Word *words, size_t count, int32_t first, const int32_t *ends, size_t posts,
                           const int32_t *hashtags, size_t hashtag_count, int32_t *label_ends, int32_t *labels) {
    int32_t *end = labels;
    if (first < 1 || posts > (size_t)(INT32_MAX - first)) return TOO_MANY;
    if (!offsets_ascend(ends, posts, hashtag_count)) return BAD_OFFSETS;
    for (size_t i = 0; i < posts; i++) {
        label_ends[i] = (int32_t)(end - labels);
        end = label_post(words, count, first + (int32_t)i, hashtags + ends[i], hashtags + ends[i + 1], end);
        if (!end) return UNKNOWN;
    }
    label_ends[posts] = (int32_t)(end - labels);
    return DONE;
}

/* Whether a buffer is an array of so many int32; of any number of them where `count` is negative. */
static int are_numbers(const Py_buffer *buffer, Py_ssize_t count) {
    Py_ssize_t size = (Py_ssize_t)sizeof(int32_t);
    if (buffer->len % size == 0 && (uintptr_t)buffer->buf % sizeof(int32_t) == 0 &&
        (count < 0 || buffer->len == count * size))
        return 1;
    PyErr_SetString(PyExc_ValueError, "an array has another type or length");
    return 0;
}

static Py_ssize_t items(const Py_buffer *buffer) { return buffer->len / (Py_ssize_t)sizeof(int32_t); }

/* Return None, or NULL where something was raised; give buffers back. */
static PyObject *finish(int good, Py_buffer *buffers, int count) {
    for (int i = 0; i < count; i++) PyBuffer_Release(&buffers[i]);
    return good ? Py_NewRef(Py_None) : NULL;
}

PyDoc_STRVAR(label_doc, "label(words, first, offsets, hashtags, label_offsets, labels)\n\n"
                        "Label posts, and count what they carry.\n"
                        "words int32 (k, 6): rows of form, label, posts, label_posts, and two of this function's;\n"
                        "first: number of the first post, from 1; offsets int32 (n + 1); hashtags int32 (m,): rows;\n"
                        "label_offsets int32 (n + 1) and the beginning of labels int32 (m,) are written.");

static PyObject *label(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer in[5]; /* words, offsets, hashtags, label_offsets, labels */
    int first;
    if (!PyArg_ParseTuple(args, "w*iy*y*w*w*", &in[0], &first, &in[1], &in[2], &in[3], &in[4])) return NULL;
    int good = are_numbers(&in[0], -1) && are_numbers(&in[1], -1) && are_numbers(&in[2], -1) &&
               are_numbers(&in[3], items(&in[1])) && are_numbers(&in[4], items(&in[2]));
    Outcome outcome = items(&in[1]) ? DONE : BAD_OFFSETS;
    if (good && outcome == DONE) {
        Py_BEGIN_ALLOW_THREADS;
        outcome = label_posts(in[0].buf, (size_t)in[0].len / sizeof(Word), first, in[1].buf, (size_t)items(&in[1]) - 1,
                              in[2].buf, (size_t)items(&in[2]), in[3].buf, in[4].buf);
        Py_END_ALLOW_THREADS;
    }
    return finish(good && succeeded(outcome), in, 5);
}

/* Take the strings for a thread that lets go of the interpreter's lock; only alone may it add some. */
static int enter(Table *table, int adding) {
    if (table->users < 0 || (adding && table->users)) {
        PyErr_SetString(PyExc_RuntimeError, "strings are added in one thread while another looks some up");
        return 0;
    }
    table->users += adding ? -1 : 1;
    return 1;
}

static PyObject *look_up_for_python(Table *table, PyObject *args, int adding) {
    Py_buffer in[3]; /* offsets, bytes, found */
    if (!PyArg_ParseTuple(args, "y*y*w*", &in[0], &in[1], &in[2])) return NULL;
    int good = are_numbers(&in[2], -1) && are_numbers(&in[0], items(&in[2]) + 1) && enter(table, adding);
    if (good) {
        Outcome outcome;
        Py_BEGIN_ALLOW_THREADS;
        outcome = strings_look_up(&table->strings, in[0].buf, in[1].buf, (size_t)in[1].len, (size_t)items(&in[2]),
                                  adding, in[2].buf);
        Py_END_ALLOW_THREADS;
        table->users -= adding ? -1 : 1;
        good = succeeded(outcome);
    }
    return finish(good, in, 3);
}

PyDoc_STRVAR(add_doc, "add(offsets, bytes, found)\n\n"
                      "Write the numbers of strings; new ones get the next numbers.\n"
                      "offsets int32 (n + 1); bytes; found int32 (n,), written.");

static PyObject *add(Table *table, PyObject *args) { return look_up_for_python(table, args, 1); }

PyDoc_STRVAR(find_doc, "find(offsets, bytes, found)\n\nThe same, but -1 for new ones, which are not added.");

static PyObject *find(Table *table, PyObject *args) { return look_up_for_python(table, args, 0); }

PyDoc_STRVAR(take_doc, "take(numbers) -> (offsets, bytes)\n\n"
                       "The strings of numbers, int32 (n,): int32 (n + 1), as bytes, and bytes.");

static PyObject *take(Table *table, PyObject *args) {
    Py_buffer numbers;
    PyObject *offsets = NULL, *bytes = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*", &numbers)) return NULL;
    if (are_numbers(&numbers, -1) && enter(table, 0)) {
        size_t count = (size_t)items(&numbers), size;
        if (succeeded(strings_measure(&table->strings, numbers.buf, count, &size))) {
            offsets = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((count + 1) * sizeof(int32_t)));
            bytes = offsets ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size) : NULL;
        }
        if (bytes) {
            int32_t *ends = (int32_t *)PyBytes_AS_STRING(offsets);
            strings_copy(&table->strings, numbers.buf, count, ends, PyBytes_AS_STRING(bytes));
            result = PyTuple_Pack(2, offsets, bytes);
        }
        table->users--;
    }
    Py_XDECREF(offsets);
    Py_XDECREF(bytes);
    PyBuffer_Release(&numbers);
    return result;
}

static Py_ssize_t length(Table *table) { return (Py_ssize_t)table->strings.count; }

static void dealloc(Table *table) {
    PyTypeObject *type = Py_TYPE(table);
    strings_close(&table->strings);
    type->tp_free(table);
    Py_DECREF(type);
}

static PyObject *new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) {
    PyObject *name = PyUnicode_FromString("hashtags");
    Table *table = name ? (Table *)type->tp_alloc(type, 0) : NULL;
    /* The hash of a string is another one in each process. */
    if (table && !succeeded(strings_open(&table->strings, (uint64_t)PyObject_Hash(name)))) Py_CLEAR(table);
    Py_XDECREF(name);
    return (PyObject *)table;
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)add, METH_VARARGS, add_doc},
    {"find", (PyCFunction)find, METH_VARARGS, find_doc},
    {"take", (PyCFunction)take, METH_VARARGS, take_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot type_slots[] = {
    {Py_tp_new, new}, {Py_tp_dealloc, dealloc}, {Py_tp_methods, methods}, {Py_sq_length, length}, {0, NULL},
};

static PyType_Spec type_spec = {"_hashtags.Strings", sizeof(Table), 0, Py_TPFLAGS_DEFAULT, type_slots};

static PyMethodDef functions[] = {{"label", label, METH_VARARGS, label_doc}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_hashtags", NULL, 0, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hashtags(void) {
    PyObject *module = PyModule_Create(&definition), *type = module ? PyType_FromSpec(&type_spec) : NULL;
    /* SOURCE: the hash of these files, by which Python knows a module that was built from older ones. */
    if (!type || PyModule_AddObjectRef(module, "Strings", type) ||
        PyModule_AddStringConstant(module, "SOURCE", SOURCE))
        Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
