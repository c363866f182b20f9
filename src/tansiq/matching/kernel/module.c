/* The door from Python: the arguments checked, the work done, the answer built. */
#include "tables.h"

#include <stdlib.h>

enum { LAYOUT = 4 }; /* what load() and the word record look like; kernel/tables.py names the same number */

static int two_texts(PyObject *const *args, Py_ssize_t count, text *a, text *b) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "two names are compared");
        return -1;
    }
    return read_text(args[0], a) || read_text(args[1], b) ? -1 : 0;
}

static PyObject *load(PyObject *self, PyObject *raw) {
    (void)self;
    if (!PyDict_Check(raw)) return PyErr_SetString(PyExc_TypeError, "tables are a dict"), NULL;
    if (load_tables(raw)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *py_score(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    text a, b;
    name x, y;
    if (two_texts(args, count, &a, &b)) return NULL;
    parse(&a, &x);
    parse(&b, &y);
    return PyFloat_FromDouble(x.n && y.n ? probability(centibits(x.parts, x.n, y.parts, y.n)) : 0.0);
}

static PyObject *py_centibits(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    text a, b;
    name x, y;
    if (two_texts(args, count, &a, &b)) return NULL;
    parse(&a, &x);
    parse(&b, &y);
    if (!x.n || !y.n) Py_RETURN_NONE;
    return PyLong_FromLong(centibits(x.parts, x.n, y.parts, y.n));
}

static PyObject *meetings(const name *x, const name *y, const comparison *c) {
    PyObject *out = PyTuple_New(c->n);
    for (int k = 0; out && k < c->n; k++) {
        const meeting *g = &c->met[k];
        PyObject *one = Py_BuildValue("iiiiiiii", g->i, g->i2, g->j, g->j2, g->points, g->price, g->info,
                                      how_met(x->parts, y->parts, g));
        if (!one || PyTuple_SetItem(out, k, one) < 0) {
            Py_DECREF(out);
            return NULL;
        }
    }
    return out;
}

static PyObject *places(const name *x) {
    PyObject *out = PyTuple_New(x->n);
    for (int k = 0; out && k < x->n; k++) {
        PyObject *one = Py_BuildValue("ii", x->begin[k], x->end[k]);
        if (!one || PyTuple_SetItem(out, k, one) < 0) {
            Py_DECREF(out);
            return NULL;
        }
    }
    return out;
}

static PyObject *py_align(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    text a, b;
    name x, y;
    comparison c;
    if (two_texts(args, count, &a, &b)) return NULL;
    parse(&a, &x);
    parse(&b, &y);
    if (!x.n || !y.n) Py_RETURN_NONE;
    int turned = precedes(y.parts, y.n, x.parts, x.n);
    const name *here = turned ? &y : &x, *there = turned ? &x : &y;
    compare(here->parts, here->n, there->parts, there->n, &c);
    judge(here->parts, here->n, there->parts, there->n, TELL, &c);
    PyObject *order = c.crossed ? PyLong_FromLong(c.order) : Py_BuildValue("");
    PyObject *ends = c.loose ? PyLong_FromLong(c.ends) : Py_BuildValue("");
    /* N takes the references over, and gives NULL when one of them is NULL */
    return Py_BuildValue("NiNNNNN(iiii)", PyBool_FromLong(turned), c.start, meetings(here, there, &c), order, ends,
                         places(here), places(there), c.told[0], c.told[1], c.told[2], c.told[3]);
}

/* Texts one after the other, so that the comparing needs no Python. */
typedef struct {
    uint32_t *chars;
    size_t size, room;
    uint32_t ends[1024];
} texts;

static int keep(texts *to, int k, const text *one) {
    size_t wanted = to->size + (size_t)one->n;
    if (wanted > to->room || !to->chars) {
        size_t more = 2 * wanted + 1024;
        uint32_t *grown = realloc(to->chars, more * sizeof *grown);
        if (!grown) {
            PyErr_NoMemory();
            return -1;
        }
        to->chars = grown;
        to->room = more;
    }
    memcpy(to->chars + to->size, one->chars, (size_t)one->n * sizeof *one->chars);
    to->size = wanted;
    to->ends[k] = (uint32_t)wanted;
    return 0;
}

static void score_texts(const name *query, const texts *from, int count, double *out) {
    text one;
    name other;
    uint32_t begin = 0;
    for (int k = 0; k < count; k++) {
        one.n = (int)(from->ends[k] - begin);
        memcpy(one.chars, from->chars + begin, (size_t)one.n * sizeof *one.chars);
        begin = from->ends[k];
        parse(&one, &other);
        out[k] = query->n && other.n ? probability(centibits(query->parts, query->n, other.parts, other.n)) : 0.0;
    }
}

/* The scores of the next names, at most as many as `kept` has places for; how many, or -1. */
static int next_scores(const name *query, PyObject *names, Py_ssize_t from, texts *kept, double *scores) {
    const int room = (int)(sizeof kept->ends / sizeof *kept->ends);
    text one;
    int count = 0;
    kept->size = 0;
    for (; count < room && from + count < PySequence_Size(names); count++) {
        PyObject *item = PySequence_GetItem(names, from + count);
        int failed = !item || read_text(item, &one) || keep(kept, count, &one);
        Py_XDECREF(item);
        if (failed) return -1;
    }
    at_work++;
    Py_BEGIN_ALLOW_THREADS
    score_texts(query, kept, count, scores);
    Py_END_ALLOW_THREADS
    at_work--;
    return count;
}

static PyObject *py_score_many(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    text first;
    name query;
    if (count != 2 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "a name and a list of names");
        return NULL;
    }
    if (read_text(args[0], &first)) return NULL;
    parse(&first, &query);
    texts kept = {.chars = NULL};
    double scores[sizeof kept.ends / sizeof *kept.ends];
    PyObject *out = PyList_New(0);
    int got = out ? 1 : -1;
    for (Py_ssize_t at = 0; got > 0; at += got) {
        got = next_scores(&query, args[1], at, &kept, scores);
        for (int k = 0; k < got; k++) {
            PyObject *one = PyFloat_FromDouble(scores[k]);
            if (!one || PyList_Append(out, one) < 0) got = -1;
            Py_XDECREF(one);
        }
    }
    free(kept.chars);
    if (got == 0) return out;
    Py_XDECREF(out);
    return NULL;
}

static PyObject *py_pack_name(PyObject *self, PyObject *str) {
    (void)self;
    text a;
    name x;
    if (read_text(str, &a)) return NULL;
    parse(&a, &x);
    return PyBytes_FromStringAndSize((const char *)x.parts, x.n * (Py_ssize_t)sizeof(word));
}

static int one_word(PyObject *from, word *to) {
    if (!tables.loaded || !PyBytes_Check(from) || PyBytes_Size(from) != (Py_ssize_t)sizeof *to) {
        PyErr_SetString(PyExc_ValueError, "no word record");
        return -1;
    }
    memcpy(to, PyBytes_AsString(from), sizeof *to);
    if (word_sound(to)) return 0;
    PyErr_SetString(PyExc_ValueError, "a broken word record");
    return -1;
}

static PyObject *py_points(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    word a, b;
    if (count != 2) return PyErr_SetString(PyExc_TypeError, "two word records"), NULL;
    if (one_word(args[0], &a) || one_word(args[1], &b)) return NULL;
    return PyLong_FromLong(points(&a, &b));
}

static PyObject *py_merged(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    word a, b, out;
    if (count != 2) return PyErr_SetString(PyExc_TypeError, "two word records"), NULL;
    if (one_word(args[0], &a) || one_word(args[1], &b)) return NULL;
    if (!merged(&a, &b, &out)) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)&out, sizeof out);
}

#define FAST(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL

static PyMethodDef methods[] = {
    {"load", load, METH_O, "Fills the tables; everything else fails before."},
    {"score", FAST(py_score), "names.score"},
    {"centibits", FAST(py_centibits), "names.centibits of two texts; None when they cannot be compared."},
    {"align", FAST(py_align), "(turned, start, meetings with how, order, ends, places, places, told), or None."},
    {"score_many", FAST(py_score_many), "The scores of one name against each of a list."},
    {"pack_name", py_pack_name, METH_O, "The word records of a name, one after the other."},
    {"points", FAST(py_points), "Worth minus price of two word records."},
    {"merged", FAST(py_merged), "Two word records as one, or None."},
    {NULL, NULL, 0, NULL},
};

static int fill_module(PyObject *module) {
    if (PyModule_AddIntConstant(module, "LAYOUT", LAYOUT) || PyModule_AddIntConstant(module, "RECORD", sizeof(word)))
        return -1;
    return add_search(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_doc = "Names compared in C; matching/kernel/__init__.py is its door.",
    .m_size = 0,           .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }
