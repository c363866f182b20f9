/* What kernel.c offers to the other C files of this folder: names read from text and compared. */
#ifndef TANSIQ_NAMES_H
#define TANSIQ_NAMES_H

#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "words.h"

enum { MAX_TEXT = 4 * MAX_CHARS }; /* NFC may make up to three characters of one */

typedef struct {
    int n;
    uint32_t chars[MAX_TEXT];
} text;

typedef struct {
    int n;
    word parts[MAX_PARTS];
    int16_t begin[MAX_PARTS], end[MAX_PARTS]; /* where a part stands in the normalised text */
} name;

/* Brings a Python str to normal form and makes sure that each character is folded. Needs the GIL.
 * 0, or -1 with an exception set (no str, or the tables were not loaded). */
int read_text(PyObject *str, text *out);

/* The parts of a text that read_text gave. No GIL, no memory but its own stack. */
void parse(const text *from, name *out);

/* Two neighbours as one word; 0 when they cannot be. */
int merged(const word *a, const word *b, word *out);

/* Around work without the GIL, called with it: tables are not replaced meanwhile. */
extern int at_work;

/* All evidence for one person behind two names, each of 1 to MAX_PARTS records; the order of a and b is free. */
int centibits(const word *a, int n, const word *b, int m);

/* The same as model.probability(centibits / 100). */
double probability(int centibits);

/* search.c: adds its methods to the module; 0, or -1 with an exception set. */
int add_search(PyObject *module);

#endif
