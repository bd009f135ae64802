/* Numbers for strings in the order in which they come, and the labels and counts of posts whose hashtags have them.
 *
 * Hashtags, their normal forms and their labels are numbered together: most hashtags are their own form, and most forms
 * their own label. Numbers depend on nothing but the order, whatever the hashes are.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GNUC__
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address)
#endif
#define BLOCK 64 /* strings that are looked up together, so that the processor waits for memory once, not for each */

typedef struct {
    uint32_t hash;   /* compared before the bytes */
    uint32_t number; /* of the string, and 1; 0: the slot is free */
} Slot;

typedef struct {
    PyObject_HEAD
    Slot *slots;     /* open addressing, linear probing */
    size_t capacity; /* of them, a power of two */
    char *bytes;     /* of all strings, one behind the other */
    size_t *ends;    /* of the strings in `bytes`, behind a 0 */
    size_t bytes_room, ends_room, count;
    uint64_t seed;
    int users; /* threads that look up without the interpreter's lock; -1: one that adds */
} Strings;

/* A row of what Python knows of the strings. */
typedef struct {
    int32_t form, label;                   /* numbers; the label of the string as a form, 0 for none */
    int32_t posts, label_posts;            /* that carry the string as a form, as a label */
    int32_t latest_post, latest_label_post; /* that did, counted from 1 */
} Word;

typedef enum { DONE, NO_MEMORY, TOO_MANY, BAD_OFFSETS, UNKNOWN } Outcome;

/* Raise what an outcome means; return whether there was nothing to raise. */
static int succeeded(Outcome outcome) {
    if (outcome == NO_MEMORY) PyErr_NoMemory();
    if (outcome == TOO_MANY) PyErr_SetString(PyExc_OverflowError, "more than 2**31 - 1 strings, bytes or posts");
    if (outcome == BAD_OFFSETS) PyErr_SetString(PyExc_ValueError, "offsets do not ascend within what they are of");
    if (outcome == UNKNOWN) PyErr_SetString(PyExc_ValueError, "a number of no string");
    return outcome == DONE;
}

/* Make room for so many items; it is doubled at least, so that growing costs little. */
static int reserve(void *memory, size_t *room, size_t wanted, size_t size) {
    if (wanted <= *room) return 1;
    size_t items = 2 * *room > wanted ? 2 * *room : wanted;
    void *larger = realloc(*(void **)memory, items * size);
    if (!larger) return 0;
    memcpy(memory, &larger, sizeof larger);
    *room = items;
    return 1;
}

static uint64_t eight(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t four(const char *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Both halves of the product: who does not know the hash cannot say how another word changes them. */
static uint64_t mix(uint64_t hash, uint64_t word) {
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15u; /* bits of the golden ratio */
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded, so that hashtags cannot be chosen to collide; the last word overlaps those before it. */
static uint32_t hash_of(const char *bytes, size_t size, uint64_t seed) {
    uint64_t hash = mix(seed, size);
    if (size > 8) {
        for (size_t i = 0; i + 8 < size; i += 8) hash = mix(hash, eight(bytes + i));
        hash = mix(hash, eight(bytes + size - 8));
    } else if (size >= 4) {
        hash = mix(hash, four(bytes) << 32 | four(bytes + size - 4));
    } else {
        for (size_t i = 0; i < size; i++) hash = mix(hash, (unsigned char)bytes[i]);
    }
    return (uint32_t)mix(hash, seed);
}

static int are_equal(const char *one, const char *other, size_t size) {
    if (size < 8) return !memcmp(one, other, size);
    for (size_t i = 0; i + 8 < size; i += 8)
        if (eight(one + i) != eight(other + i)) return 0;
    return eight(one + size - 8) == eight(other + size - 8);
}

static Slot *slot_at(const Strings *strings, size_t place) { return &strings->slots[place & (strings->capacity - 1)]; }

/* The slot of a string, or the free one where it belongs. */
static Slot *slot_of(const Strings *strings, const char *bytes, size_t size, uint32_t hash) {
    for (size_t place = hash;; place++) {
        Slot *slot = slot_at(strings, place);
        if (!slot->number) return slot;
        if (slot->hash != hash) continue;
        size_t start = strings->ends[slot->number - 1];
        if (strings->ends[slot->number] - start == size && are_equal(strings->bytes + start, bytes, size)) return slot;
    }
}

/* Make room for so many strings more, with a third of the slots free. */
static Outcome grow(Strings *strings, size_t more) {
    size_t count = strings->count + more, capacity = strings->capacity;
    if (count > INT32_MAX) return TOO_MANY;
    if (!reserve(&strings->ends, &strings->ends_room, count + 1, sizeof *strings->ends)) return NO_MEMORY;
    while (3 * count > 2 * capacity) capacity *= 2;
    if (capacity == strings->capacity) return DONE;
    Strings larger = {.capacity = capacity, .slots = calloc(capacity, sizeof(Slot))};
    if (!larger.slots) return NO_MEMORY;
    for (Slot *slot = strings->slots; slot < strings->slots + strings->capacity; slot++) {
        size_t place = slot->hash;
        if (!slot->number) continue;
        while (slot_at(&larger, place)->number) place++;
        *slot_at(&larger, place) = *slot;
    }
    free(strings->slots);
    strings->slots = larger.slots;
    strings->capacity = capacity;
    return DONE;
}

static int append(Strings *strings, const char *bytes, size_t size) {
    size_t start = strings->ends[strings->count];
    if (!reserve(&strings->bytes, &strings->bytes_room, start + size, 1)) return 0;
    memcpy(strings->bytes + start, bytes, size);
    strings->ends[++strings->count] = start + size;
    return 1;
}

/* Have the processor fetch what look-ups read one behind the other. */
static void fetch(const Strings *strings, const uint32_t *hashes, size_t count) {
    size_t numbers[BLOCK];
    for (size_t i = 0; i < count; i++) FETCH(slot_at(strings, hashes[i]));
    for (size_t i = 0; i < count; i++) {
        uint32_t number = slot_at(strings, hashes[i])->number;
        numbers[i] = number ? number - 1 : 0;
        FETCH(&strings->ends[numbers[i]]);
    }
    for (size_t i = 0; i < count; i++) FETCH(strings->bytes + strings->ends[numbers[i]]);
}

static Outcome look_up(Strings *strings, const int32_t *offsets, const char *bytes, size_t count, int adding,
                       int32_t *found) {
    uint32_t hashes[BLOCK];
    for (size_t i = 0; i < count; i++)
        hashes[i] = hash_of(bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), strings->seed);
    fetch(strings, hashes, count);
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)(offsets[i + 1] - offsets[i]);
        Slot *slot = slot_of(strings, bytes + offsets[i], size, hashes[i]);
        if (!slot->number && adding) {
            if (!append(strings, bytes + offsets[i], size)) return NO_MEMORY;
            *slot = (Slot){hashes[i], (uint32_t)strings->count};
        }
        found[i] = (int32_t)slot->number - 1;
    }
    return DONE;
}

static int ascend(const int32_t *offsets, size_t count, size_t end) {
    for (size_t i = 0; i < count; i++)
        if (offsets[i] > offsets[i + 1]) return 0;
    return offsets[0] >= 0 && (size_t)offsets[count] <= end;
}

static Outcome look_all_up(Strings *strings, const int32_t *offsets, const Py_buffer *bytes, size_t count, int adding,
                           int32_t *found) {
    Outcome outcome = ascend(offsets, count, (size_t)bytes->len) ? DONE : BAD_OFFSETS;
    for (size_t done = 0; done < count && outcome == DONE; done += BLOCK) {
        size_t some = count - done < BLOCK ? count - done : BLOCK;
        if (adding) outcome = grow(strings, some);
        if (outcome == DONE) outcome = look_up(strings, offsets + done, bytes->buf, some, adding, found + done);
    }
    return outcome;
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
    if (!ascend(ends, posts, hashtag_count)) return BAD_OFFSETS;
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
static int enter(Strings *strings, int adding) {
    if (strings->users < 0 || (adding && strings->users)) {
        PyErr_SetString(PyExc_RuntimeError, "strings are added in one thread while another looks some up");
        return 0;
    }
    strings->users += adding ? -1 : 1;
    return 1;
}

static PyObject *look_up_for_python(Strings *strings, PyObject *args, int adding) {
    Py_buffer in[3]; /* offsets, bytes, found */
    if (!PyArg_ParseTuple(args, "y*y*w*", &in[0], &in[1], &in[2])) return NULL;
    int good = are_numbers(&in[2], -1) && are_numbers(&in[0], items(&in[2]) + 1) && enter(strings, adding);
    if (good) {
        Outcome outcome;
        Py_BEGIN_ALLOW_THREADS;
        outcome = look_all_up(strings, in[0].buf, &in[1], (size_t)items(&in[2]), adding, in[2].buf);
        Py_END_ALLOW_THREADS;
        strings->users -= adding ? -1 : 1;
        good = succeeded(outcome);
    }
    return finish(good, in, 3);
}

PyDoc_STRVAR(add_doc, "add(offsets, bytes, found)\n\n"
                      "Write the numbers of strings; new ones get the next numbers.\n"
                      "offsets int32 (n + 1); bytes; found int32 (n,), written.");

static PyObject *add(Strings *strings, PyObject *args) { return look_up_for_python(strings, args, 1); }

PyDoc_STRVAR(find_doc, "find(offsets, bytes, found)\n\nThe same, but -1 for new ones, which are not added.");

static PyObject *find(Strings *strings, PyObject *args) { return look_up_for_python(strings, args, 0); }

/* The bytes of strings; -1 where a number is none's. */
static Py_ssize_t measure(const Strings *strings, const int32_t *numbers, Py_ssize_t count) {
    size_t size = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (numbers[i] < 0 || (size_t)numbers[i] >= strings->count) return -1;
        size += strings->ends[numbers[i] + 1] - strings->ends[numbers[i]];
    }
    return (Py_ssize_t)size;
}

static void copy(const Strings *strings, const int32_t *numbers, Py_ssize_t count, int32_t *offsets, char *bytes) {
    for (Py_ssize_t i = offsets[0] = 0; i < count; i++) {
        size_t start = strings->ends[numbers[i]], size = strings->ends[numbers[i] + 1] - start;
        memcpy(bytes + offsets[i], strings->bytes + start, size);
        offsets[i + 1] = offsets[i] + (int32_t)size;
    }
}

PyDoc_STRVAR(take_doc, "take(numbers) -> (offsets, bytes)\n\n"
                       "The strings of numbers, int32 (n,): int32 (n + 1), as bytes, and bytes.");

static PyObject *take(Strings *strings, PyObject *args) {
    Py_buffer numbers;
    PyObject *offsets = NULL, *bytes = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*", &numbers)) return NULL;
    if (are_numbers(&numbers, -1) && enter(strings, 0)) {
        Py_ssize_t count = items(&numbers), size = measure(strings, numbers.buf, count);
        if (succeeded(size < 0 ? UNKNOWN : size > INT32_MAX ? TOO_MANY : DONE)) {
            offsets = PyBytes_FromStringAndSize(NULL, (count + 1) * (Py_ssize_t)sizeof(int32_t));
            bytes = offsets ? PyBytes_FromStringAndSize(NULL, size) : NULL;
        }
        if (bytes) {
            copy(strings, numbers.buf, count, (int32_t *)PyBytes_AS_STRING(offsets), PyBytes_AS_STRING(bytes));
            result = PyTuple_Pack(2, offsets, bytes);
        }
        strings->users--;
    }
    Py_XDECREF(offsets);
    Py_XDECREF(bytes);
    PyBuffer_Release(&numbers);
    return result;
}

static Py_ssize_t length(Strings *strings) { return (Py_ssize_t)strings->count; }

static void dealloc(Strings *strings) {
    PyTypeObject *type = Py_TYPE(strings);
    free(strings->slots);
    free(strings->bytes);
    free(strings->ends);
    type->tp_free(strings);
    Py_DECREF(type);
}

static PyObject *new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) {
    PyObject *name = PyUnicode_FromString("hashtags");
    Strings *strings = name ? (Strings *)type->tp_alloc(type, 0) : NULL;
    if (strings) {
        strings->seed = (uint64_t)PyObject_Hash(name); /* another one in each process */
        strings->capacity = 2 * BLOCK;
        strings->slots = calloc(strings->capacity, sizeof *strings->slots);
        if (!strings->slots || !reserve(&strings->bytes, &strings->bytes_room, 1, 1) || grow(strings, 1)) {
            PyErr_NoMemory();
            Py_CLEAR(strings);
        } else {
            strings->ends[0] = 0;
        }
    }
    Py_XDECREF(name);
    return (PyObject *)strings;
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

static PyType_Spec type_spec = {"_hashtags.Strings", sizeof(Strings), 0, Py_TPFLAGS_DEFAULT, type_slots};

static PyMethodDef functions[] = {{"label", label, METH_VARARGS, label_doc}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_hashtags", NULL, 0, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hashtags(void) {
    PyObject *module = PyModule_Create(&definition), *type = module ? PyType_FromSpec(&type_spec) : NULL;
    /* SOURCE: the hash of this file, by which Python knows a module that was built from an older one. */
    if (!type || PyModule_AddObjectRef(module, "Strings", type) ||
        PyModule_AddStringConstant(module, "SOURCE", SOURCE))
        Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
