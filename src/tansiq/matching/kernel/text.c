/* text.py in C: from a Python str to words of folded letters, and from a word to its units. */
#include "tables.h"

#include <stdlib.h>

/* How a character is folded is asked from Python once and kept: [count, then script + 3, length, letters ...]. */
enum { PAGES = 0x1100, PAGE = 256, MAX_FOLDED = 4096 };
static uint8_t **pages[PAGES];
static PyObject *fold, *normalize;

int load_folding(PyObject *new_fold, PyObject *new_normalize) {
    if (!new_fold || !new_normalize || !PyCallable_Check(new_fold) || !PyCallable_Check(new_normalize)) {
        PyErr_SetString(PyExc_ValueError, "the kernel needs a way to fold a character");
        return -1;
    }
    for (size_t p = 0; p < PAGES; p++) {
        for (size_t c = 0; pages[p] && c < PAGE; c++) free(pages[p][c]);
        free(pages[p]);
        pages[p] = NULL;
    }
    PyObject *old_fold = fold, *old_normalize = normalize;
    Py_INCREF(new_fold);
    Py_INCREF(new_normalize);
    fold = new_fold;
    normalize = new_normalize;
    Py_XDECREF(old_fold);
    Py_XDECREF(old_normalize);
    return 0;
}

/* Whether Python's answer is what `words` may walk through. */
static int well_formed(const uint8_t *answer, size_t size) {
    if (size < 1 || size > MAX_FOLDED) return 0;
    size_t at = 1;
    for (int k = 0; k < answer[0]; k++) {
        if (at + 2 > size || answer[at] < 1 || answer[at] > 3 + ARABIC) return 0;
        at += 2 + (size_t)answer[at + 1];
    }
    return at == size;
}

static int learn(uint32_t c) {
    PyObject *answer = PyObject_CallFunction(fold, "I", (unsigned)c);
    if (!answer) return -1;
    uint8_t ***page = &pages[c / PAGE];
    if (!*page && !(*page = calloc(PAGE, sizeof **page))) {
        Py_DECREF(answer);
        PyErr_NoMemory();
        return -1;
    }
    char *from;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(answer, &from, &size) < 0 || !well_formed((const uint8_t *)from, (size_t)size)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a folding that the kernel cannot read");
        Py_DECREF(answer);
        return -1;
    }
    /* asking ran Python, and another thread may have learned the same character meanwhile */
    if (!(*page)[c % PAGE]) {
        uint8_t *kept = malloc((size_t)size);
        if (kept) memcpy(kept, from, (size_t)size);
        (*page)[c % PAGE] = kept;
    }
    Py_DECREF(answer);
    if (!(*page)[c % PAGE]) PyErr_NoMemory();
    return (*page)[c % PAGE] ? 0 : -1;
}

/* Ranges without combining marks or characters that normal form C takes apart. */
static int plain(uint32_t c) {
    return c < 0x300 || (c >= 0x620 && c <= 0x64A) || (c >= 0x671 && c <= 0x6D3) || (c >= 0x391 && c <= 0x3CE) ||
           (c >= 0x400 && c < 0x483) || (c >= 0x5D0 && c <= 0x5EA) || (c >= 0x1E00 && c <= 0x1EFF) ||
           (c >= 0x2010 && c <= 0x2027);
}

static int fits(uint32_t *chars, PyObject *str, Py_ssize_t size) {
    return PyUnicode_AsUCS4(str, chars, size, 0) ? 0 : -1;
}

int read_text(PyObject *str, text *out) {
    if (!tables.loaded) {
        PyErr_SetString(PyExc_RuntimeError, "the kernel's tables were not loaded");
        return -1;
    }
    if (!PyUnicode_Check(str)) {
        PyErr_SetString(PyExc_TypeError, "a name is a str");
        return -1;
    }
    Py_ssize_t size = PyUnicode_GetLength(str);
    PyObject *cut = size > MAX_CHARS ? PyUnicode_Substring(str, 0, MAX_CHARS) : (Py_INCREF(str), str);
    if (!cut) return -1;
    size = least((int)(size > MAX_CHARS ? MAX_CHARS : size), MAX_CHARS);
    int failed = fits(out->chars, cut, MAX_TEXT), stable = 1;
    for (Py_ssize_t i = 0; !failed && i < size && stable; i++) stable = plain(out->chars[i]);
    if (!failed && !stable) {
        PyObject *normal = PyObject_CallFunction(normalize, "sO", "NFC", cut);
        size = normal && PyUnicode_Check(normal) ? PyUnicode_GetLength(normal) : -1;
        failed = size < 0 || size > MAX_TEXT || fits(out->chars, normal, MAX_TEXT);
        Py_XDECREF(normal);
        if (failed && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a normal form of another size");
    }
    Py_DECREF(cut);
    out->n = failed ? 0 : (int)size;
    for (int i = 0; !failed && i < out->n; i++) {
        uint32_t c = out->chars[i];
        if (c >= PAGES * PAGE) failed = (PyErr_SetString(PyExc_ValueError, "no character"), 1);
        else if (!pages[c / PAGE] || !pages[c / PAGE][c % PAGE]) failed = learn(c);
    }
    return failed ? -1 : 0;
}

typedef struct {
    token *out;
    int count, script, length, begin;
    uint8_t letters[MAX_LETTERS];
} walk;

/* One folded character at `at`; 0 when there is room for no more words. */
static int step(walk *w, int script, const uint8_t *letters, int length, int at) {
    if (script == -2) return 1;
    if (w->length && script != w->script) {
        token *t = &w->out[w->count++];
        memset(t, 0, sizeof *t);
        memcpy(t->letters, w->letters, (size_t)w->length);
        t->length = (uint8_t)w->length;
        t->script = (uint8_t)w->script;
        t->begin = (int16_t)w->begin;
        t->end = (int16_t)at;
        w->script = -1;
        w->length = 0;
        if (w->count == MAX_WORDS) return 0;
    }
    if (script >= 0) {
        if (!w->length) w->begin = at;
        w->script = script;
        length = least(length, MAX_LETTERS - w->length);
        memcpy(w->letters + w->length, letters, (size_t)length);
        w->length += length;
    }
    return 1;
}

int words(const text *from, token out[MAX_WORDS]) {
    walk w = {.out = out, .script = -1};
    for (int at = 0; at < from->n; at++) {
        const uint8_t *p = pages[from->chars[at] / PAGE][from->chars[at] % PAGE];
        int count = *p++;
        for (int k = 0; k < count; k++) {
            int script = (int)p[0] - 3, length = p[1];
            if (!step(&w, script, p + 2, length, at)) return w.count;
            p += 2 + length;
        }
    }
    step(&w, -1, NULL, 0, from->n);
    return w.count;
}

enum { ROOM = 2 * MAX_LETTERS + 4 };

static int is_one_of(uint8_t c, const char *set) { return c && strchr(set, c) != NULL; }

/* text._DOUBLE: a doubled letter or digraph counts once. */
static int undouble(const uint8_t *s, int n, uint8_t *out) {
    int m = 0;
    for (int i = 0; i < n;) {
        out[m++] = s[i];
        if (lexicon.doubled[s[i]] && i + 1 < n && s[i + 1] == s[i]) {
            uint8_t c = s[i];
            while (i < n && s[i] == c) i++;
            continue;
        }
        if (i + 3 >= n || s[i + 1] != 'h' || s[i + 3] != 'h' || s[i + 2] != s[i] || !is_one_of(s[i], "sckgtd")) {
            i++;
            continue;
        }
        uint8_t c = s[i], d = s[i + 1];
        out[m++] = d;
        while (i + 1 < n && s[i] == c && s[i + 1] == d) i += 2;
    }
    return m;
}

static int holds(const uint8_t *s, int n, const char *pair) {
    for (int i = 0; i + 1 < n; i++)
        if (s[i] == (uint8_t)pair[0] && s[i + 1] == (uint8_t)pair[1]) return 1;
    return 0;
}

/* One of text._SPECIAL: `pair` before (or not before) a letter of `set` becomes the letters of `to`. */
static int special(const uint8_t *s, int n, const char *pair, const char *set, int wanted, const char *to, int size, uint8_t *out) {
    int m = 0;
    if (!holds(s, n, pair)) {
        memcpy(out, s, (size_t)n);
        return n;
    }
    for (int i = 0; i < n;) {
        if (i + 1 < n && s[i] == (uint8_t)pair[0] && s[i + 1] == (uint8_t)pair[1] &&
            (i + 2 < n && is_one_of(s[i + 2], set)) == wanted) {
            for (int k = 0; k < size; k++) out[m++] = (uint8_t)to[k];
            i += 2;
        } else {
            out[m++] = s[i++];
        }
    }
    return m;
}

int units(int script, const uint8_t *letters, int length, uint8_t out[MAX_UNITS]) {
    int count = 0;
    if (script == ARABIC) {
        for (int i = 0; i < length && count < MAX_UNITS; i++)
            if (lexicon.arabic_unit[letters[i]]) out[count++] = lexicon.arabic_unit[letters[i]] - 1;
        return count;
    }
    uint8_t one[ROOM], two[ROOM];
    int n = undouble(letters, least(length, MAX_LETTERS), one);
    n = special(one, n, "gu", "ei", 0, "g\0u", 3, two);
    n = special(two, n, "iy", "aeou", 1, "y", 1, one);
    n = special(one, n, "yi", "aeou", 1, "y", 1, two);
    const uint8_t *s = two;
    if (n > 2 && two[0] == 'm' && two[1] == 'c' && two[2] >= 'a' && two[2] <= 'z') {
        memcpy(one, "mac", 3);
        memcpy(one + 3, two + 2, (size_t)(n - 2));
        s = one;
        n++;
    }
    for (int i = 0; i < n && count < MAX_UNITS;) {
        int k = lexicon.grapheme_of[s[i]], size = 1;
        for (; k; k = lexicon.graphemes[k - 1].next) {
            const letters_t *g = &lexicon.graphemes[k - 1].letters;
            if (i + g->length <= n && memcmp(g->letters, s + i, g->length) == 0) break;
        }
        if (k) {
            out[count++] = lexicon.graphemes[k - 1].unit;
            size = lexicon.graphemes[k - 1].letters.length;
        }
        i += size;
    }
    return count;
}
