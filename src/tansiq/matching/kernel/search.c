/* The nearest names of a register: words first, then the names that hold them, then those names in full.
 *
 * The arrays belong to index.py, which also says how they are kept; `shelf` only looks at them. What a name is worth
 * at each step is defined once more in index.py (its twin), in the same whole numbers:
 *
 *   word    every distinct word that the query's word can be read as for at most REACH, or another form of its name
 *   name    the best word for each part of the query, less STRANGER a part that met nothing, less LONE a part too many
 *   in full the meetings of both names' parts (names.compare); the best k of the best CANDIDATES are the answer
 */
#include "tables.h"

#include <stdlib.h>

enum { REACH_ONE_SCRIPT = 650, REACH_TWO_SCRIPTS = 450, FLOOR = -100, STRANGER = 400, LONE = 150 };
enum { CANDIDATES = 400, MAX_TERMS = 2 * MAX_PARTS, MAX_SPLITS = 3, SPLIT_LEAST = 3, LIFT = 8192, SPREAD = 2 * LIFT };

/* ---- the arrays of a register ---- */

enum { WORDS, SHARED, JUMPS, AKIN, STARTS, HOLDERS, FROM, HELD, SIZES, COUNTS, ARRAYS };
enum { NAMES_HELD, WORDS_HELD, PARTS_HELD, COUNTED };

typedef struct {
    Py_buffer buffers[ARRAYS];
    const word *words;       /* the first `arranged` in the order of `shared`, later ones as they came */
    const uint8_t *shared;   /* how many units, prices included, a word has in common with the one before */
    const uint8_t *jumps;    /* how many units a word may begin with that can be left out at once */
    const uint32_t *akin;    /* arranged words that are forms of a given name */
    const uint32_t *starts;  /* names holding word w: holders[starts[w] .. starts[w + 1]) */
    const uint32_t *holders; /* positions of names, all below `listed` */
    const uint32_t *from;    /* words of name x: held[from[x] .. from[x + 1]) */
    const uint32_t *held;
    const uint8_t *sizes;    /* parts of a name; 0: removed, or not comparable */
    const int64_t *counts;
    uint32_t arranged, listed, n_akin;
} shelf;

static void let_go(PyObject *capsule) {
    shelf *s = PyCapsule_GetPointer(capsule, "tansiq.shelf");
    if (!s) return;
    for (int k = 0; k < ARRAYS; k++) PyBuffer_Release(&s->buffers[k]);
    free(s);
}

static int take_buffers(PyObject *const *args, Py_buffer *to, int count, int flags) {
    for (int k = 0; k < count; k++)
        if (PyObject_GetBuffer(args[k], &to[k], flags)) {
            while (k--) PyBuffer_Release(&to[k]);
            return -1;
        }
    return 0;
}

/* Whether each array has room for what the others count. */
static int fits(const shelf *s) {
    const Py_buffer *b = s->buffers;
    if (b[COUNTS].len < (Py_ssize_t)(COUNTED * sizeof(int64_t))) return 0;
    size_t words = (size_t)b[WORDS].len / sizeof(word), names = (size_t)b[SIZES].len;
    return s->counts[WORDS_HELD] >= (int64_t)s->arranged && (size_t)s->counts[WORDS_HELD] <= words &&
           s->counts[NAMES_HELD] >= (int64_t)s->listed && (size_t)s->counts[NAMES_HELD] <= names &&
           b[JUMPS].len == b[SHARED].len && (size_t)b[STARTS].len == (s->arranged + (size_t)1) * 4 &&
           (size_t)b[FROM].len >= (names + 1) * 4 && (size_t)b[HELD].len >= (size_t)s->counts[PARTS_HELD] * 4;
}

/* shelve(words, shared, jumps, akin, starts, holders, from, held, sizes, counts, listed) -> capsule */
static PyObject *py_shelve(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != ARRAYS + 1) return PyErr_SetString(PyExc_TypeError, "ten arrays and a number"), NULL;
    long listed = PyLong_AsLong(args[ARRAYS]);
    if (listed < 0) return PyErr_Occurred() ? NULL : (PyErr_SetString(PyExc_ValueError, "listed"), NULL);
    shelf *s = calloc(1, sizeof *s);
    if (!s) return PyErr_NoMemory();
    if (take_buffers(args, s->buffers, ARRAYS, PyBUF_SIMPLE)) return free(s), NULL;
    Py_buffer *b = s->buffers;
    s->words = b[WORDS].buf, s->shared = b[SHARED].buf, s->jumps = b[JUMPS].buf, s->akin = b[AKIN].buf;
    s->starts = b[STARTS].buf, s->holders = b[HOLDERS].buf, s->from = b[FROM].buf, s->held = b[HELD].buf;
    s->sizes = b[SIZES].buf, s->counts = b[COUNTS].buf;
    s->arranged = (uint32_t)b[SHARED].len, s->n_akin = (uint32_t)(b[AKIN].len / 4), s->listed = (uint32_t)listed;
    PyObject *out = fits(s) ? PyCapsule_New(s, "tansiq.shelf", let_go) : NULL;
    if (out) return out;
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "the arrays of a register do not fit each other");
    for (int k = 0; k < ARRAYS; k++) PyBuffer_Release(&b[k]);
    free(s);
    return NULL;
}

/* ---- names into the arrays ---- */

/* A word as a register keeps it: without how it was written in one name. */
static void strip(word *w) {
    w->worn &= TITLE;
    w->particle = 0;
}

static uint32_t place_of(const word *w, const word *words, const uint32_t *slots, size_t size) {
    uint64_t h = 1469598103934665603u ^ w->script ^ (uint64_t)w->worn << 8 ^ (uint64_t)w->core << 16;
    for (int i = 0; i < w->length; i++) h = (h ^ w->letters[i]) * 1099511628211u;
    size_t at = (h ^ h >> 29) & (size - 1);
    while (slots[at] && memcmp(&words[slots[at] - 1], w, sizeof *w)) at = (at + 1) & (size - 1);
    return (uint32_t)at;
}

enum { R_WORDS, R_SLOTS, R_FROM, R_HELD, R_SIZES, R_COUNTS, R_ARRAYS };

/* What a name may add at most must still fit. */
static int has_room(const Py_buffer *b, const int64_t *n) {
    size_t slots = (size_t)b[R_SLOTS].len / 4;
    return (size_t)n[WORDS_HELD] + MAX_PARTS <= (size_t)b[R_WORDS].len / sizeof(word) && !(slots & (slots - 1)) &&
           2 * ((size_t)n[WORDS_HELD] + MAX_PARTS) <= slots && (size_t)n[NAMES_HELD] + 2 <= (size_t)b[R_FROM].len / 4 &&
           (size_t)n[PARTS_HELD] + MAX_PARTS <= (size_t)b[R_HELD].len / 4 && n[NAMES_HELD] < b[R_SIZES].len;
}

static void shelve_name(const name *x, Py_buffer *b) {
    word *words_ = b[R_WORDS].buf;
    uint32_t *slots = b[R_SLOTS].buf, *from = b[R_FROM].buf, *held = b[R_HELD].buf;
    int64_t *n = b[R_COUNTS].buf;
    for (int i = 0; i < x->n; i++) {
        word w = x->parts[i];
        strip(&w);
        uint32_t at = place_of(&w, words_, slots, (size_t)b[R_SLOTS].len / 4);
        if (!slots[at]) {
            words_[n[WORDS_HELD]] = w;
            slots[at] = (uint32_t)++n[WORDS_HELD];
        }
        held[n[PARTS_HELD]++] = slots[at] - 1;
    }
    ((uint8_t *)b[R_SIZES].buf)[n[NAMES_HELD]] = (uint8_t)x->n;
    from[n[NAMES_HELD] + 1] = (uint32_t)n[PARTS_HELD];
    n[NAMES_HELD]++; /* last: a search in another thread counts names first */
}

/* read_names(names, begin, words, slots, from, held, sizes, counts) -> how many of the list were read from `begin` on */
static PyObject *py_read_names(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != 2 + R_ARRAYS || !PyList_Check(args[0])) return PyErr_SetString(PyExc_TypeError, "a list of names, and arrays"), NULL;
    Py_ssize_t begin = PyLong_AsSsize_t(args[1]), at = begin;
    Py_buffer b[R_ARRAYS];
    if (begin < 0 || take_buffers(args + 2, b, R_ARRAYS, PyBUF_WRITABLE)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "begin");
        return NULL;
    }
    text one;
    name x;
    int failed = b[R_COUNTS].len < (Py_ssize_t)(COUNTED * sizeof(int64_t));
    if (failed) PyErr_SetString(PyExc_ValueError, "counts");
    for (; !failed && at < PyList_Size(args[0]) && has_room(b, b[R_COUNTS].buf); at++) {
        failed = read_text(PyList_GetItem(args[0], at), &one);
        if (failed) break;
        parse(&one, &x);
        shelve_name(&x, b);
    }
    for (int k = 0; k < R_ARRAYS; k++) PyBuffer_Release(&b[k]);
    return failed ? NULL : PyLong_FromSsize_t(at - begin);
}

/* place_words(words, slots, count): fills empty slots with the words that are there; False when one is unsound. */
static PyObject *py_place_words(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != 3) return PyErr_SetString(PyExc_TypeError, "words, slots, count"), NULL;
    long n = PyLong_AsLong(args[2]);
    Py_buffer words_, slots;
    if (n < 0 || PyObject_GetBuffer(args[0], &words_, PyBUF_SIMPLE)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "count");
        return NULL;
    }
    if (PyObject_GetBuffer(args[1], &slots, PyBUF_WRITABLE)) return PyBuffer_Release(&words_), NULL;
    size_t size = (size_t)slots.len / 4;
    int sound = tables.loaded && !(size & (size - 1)) && 2 * (size_t)n <= size && (size_t)words_.len / sizeof(word) >= (size_t)n;
    const word *w = words_.buf;
    for (long k = 0; sound && k < n; k++) {
        sound = word_sound(&w[k]);
        if (sound) ((uint32_t *)slots.buf)[place_of(&w[k], w, slots.buf, size)] = (uint32_t)k + 1;
    }
    PyBuffer_Release(&words_);
    PyBuffer_Release(&slots);
    return PyBool_FromLong(sound);
}

/* ---- words: all that are within reach ---- */

/* Work space of one search; everything is zero between two searches but `touched` and `found`. */
typedef struct {
    int16_t *gains;    /* [term][word]: points + STRANGER of a word for a term, 0: none */
    int16_t *sums;     /* [name] */
    uint8_t *marks;    /* [name]: 1 + the last part that met; MERGED */
    uint32_t *touched; /* names that hold a found word */
    uint32_t *found;   /* words of the terms, one list after the other */
    uint32_t n_touched, n_found, room;
} space;

enum { MERGED = 0x80 };

typedef struct {
    word w;
    int part, joined;       /* which part of the query, or which two */
    uint32_t begin, end;    /* in space.found */
    const int16_t *gains;
} term;

static void note(const shelf *s, space *at, term *t, int16_t *gains, uint32_t w) {
    const word *other = &s->words[w];
    int short_ = t->w.length == 1 || other->length == 1, value;
    if (short_ && (t->joined || !initial(&t->w, other))) return;
    value = short_ ? tables.initial : points(&t->w, other) + (t->joined ? tables.join : 0);
    if (value < FLOOR || gains[w] || at->n_found == at->room) return;
    gains[w] = (int16_t)(value + STRANGER);
    at->found[at->n_found++] = w;
}

/* One row of the table that edit.cost fills; answers the least of it. */
static int next_row(const int16_t *above, int16_t *row, int first, int gap, const int16_t *sub, const word *q, const int16_t *gaps) {
    int left = first, low = first, n = q->n;
    row[0] = (int16_t)first;
    for (int j = 0; j < n; j++) {
        int best = least(above[j] + sub[q->units[j]], above[j + 1] + gap);
        left = least(left + gaps[j], best);
        row[j + 1] = (int16_t)left;
        low = least(low, left);
    }
    return low;
}

/* The arranged words within reach: rows that a word shares with the one before are not filled again, and when a row is
 * beyond reach all words that share it are passed over. */
static void scan(const shelf *s, space *at, term *t, int16_t *gains) {
    int16_t rows[MAX_UNITS + 1][MAX_UNITS + 2];
    const word *q = &t->w;
    int filled = 0, script = -1;
    for (uint32_t k = 0; k < s->arranged; k++) {
        const word *w = &s->words[k];
        int shared = s->shared[k];
        if (w->script != script) {
            script = w->script;
            memcpy(rows[0], q->start[script], ((size_t)q->n + 1) * sizeof rows[0][0]);
            shared = 0;
        }
        if (w->length == 1) {
            note(s, at, t, gains, k);
            filled = 0;
            continue;
        }
        int reach = script == q->script ? REACH_ONE_SCRIPT : REACH_TWO_SCRIPTS, jump = s->jumps[k], i = least(shared, filled);
        const int16_t *gap = w->gap[q->script], *start = w->start[q->script];
        for (int low = 0; i < w->n && low <= reach; i++) {
            low = next_row(rows[i], rows[i + 1], start[i + 1], gap[i], tables.sub[w->units[i]], q, q->gap[script]);
            if (i + 1 < jump) low = least(low, start[jump]);
            if (low > reach) break;
        }
        if (i == w->n) {
            filled = i;
            if (rows[i][q->n] <= reach) note(s, at, t, gains, k);
            continue;
        }
        filled = i + 1;
        while (k + 1 < s->arranged && s->shared[k + 1] > i) k++;
    }
}

static void near_words(const shelf *s, space *at, term *t, int16_t *gains, uint32_t n_words) {
    t->begin = at->n_found;
    t->gains = gains;
    if (t->w.length == 1) {
        for (uint32_t k = 0; k < s->arranged; k++)
            if (initial(&t->w, &s->words[k])) note(s, at, t, gains, k);
    } else {
        scan(s, at, t, gains);
        for (uint32_t k = 0; t->w.group && k < s->n_akin; k++)
            if (akin(&t->w, &s->words[s->akin[k]])) note(s, at, t, gains, s->akin[k]);
    }
    for (uint32_t k = s->arranged; k < n_words; k++) {
        const word *w = &s->words[k];
        int reach = w->script == t->w.script ? REACH_ONE_SCRIPT : REACH_TWO_SCRIPTS;
        if (w->length == 1 || t->w.length == 1 || cost(&t->w, w) <= reach || akin(&t->w, w)) note(s, at, t, gains, k);
    }
    t->end = at->n_found;
}

/* ---- names: by the words they hold ---- */

/* What each part of a query and each two neighbours read as one are worth in one name, by its words alone. */
static int worth_by_words(const shelf *s, const term *terms, int n_terms, int n, uint32_t x) {
    int best[MAX_TERMS] = {0}, size = s->sizes[x], total = 0;
    for (uint32_t h = s->from[x]; h < s->from[x + 1]; h++)
        for (int t = 0; t < n_terms; t++) best[t] = most(best[t], terms[t].gains[s->held[h]]);
    for (int t = 0; t < n; t++) total += best[t];
    int value = total - STRANGER * least(n, size) - LONE * abs(n - size);
    for (int t = n; t < n_terms; t++) {
        int k = terms[t].part;
        if (!best[t]) continue;
        int joined = total - best[k] - best[k + 1] + best[t] - STRANGER * least(n - 1, size) - LONE * abs(n - 1 - size);
        value = most(value, joined);
    }
    return total || value > -LIFT ? value : -LIFT;
}

static void touch(space *at, uint32_t x) {
    if (!at->marks[x]) at->touched[at->n_touched++] = x;
}

static const int16_t *sorting;
static int by_gain(const void *a, const void *b) { (void)a; (void)b; return 0; }
