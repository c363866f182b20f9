/* The nearest names of a register: words first, then the names that hold them, then those names in full.
 *
 * The arrays belong to register.py; `shelf` only looks at them. What a name is worth at each step is defined once more
 * in lookup.py (its twin), in the same whole numbers:
 *
 *   word    every distinct word that the query's word can be read as for at most REACH, or another form of its name
 *   name    the best word for each part of the query, less STRANGER a part that met nothing, less LONE a part too many
 *   in full the meetings of both names' parts (names.compare), for the best CANDIDATES
 *   score   the first FOREMOST stand among themselves by nearness and score together
 */
#include "tables.h"

#include <stdlib.h>

enum { REACH_ONE_SCRIPT = 650, REACH_TWO_SCRIPTS = 450, REACH_JOINED = 350, FLOOR = -100, STRANGER = 400, LONE = 150 };
enum { CANDIDATES = 256, FOREMOST = 10, MAX_TERMS = 2 * MAX_PARTS, MAX_SPLITS = 3, SPLIT_LEAST = 3 };

/* ---- the arrays of a register ---- */

enum { WORDS, NODES, AKIN, STARTS, HOLDERS, FROM, HELD, SIZES, COUNTS, ARRAYS };
enum { NAMES_HELD, WORDS_HELD, PARTS_HELD, COUNTED };

/* One more unit of words that begin alike. What may follow it stands in one row, for the sake of the cache. The first
 * node is the beginning of all words, and no unit. */
typedef struct {
    uint8_t unit, flags;
    uint16_t ends;            /* how many words end here, from `word` on */
    int16_t gap[2], start[2]; /* as in the word records, by the other script */
    uint32_t word, child;
    uint16_t children, spare[5];
    uint64_t below; /* which units, modulo 64, stand in longer words */
} node;

enum { OF_SCRIPT = 1, OPEN = 2 }; /* OPEN: a beginning that may be left out at once is not yet complete */

_Static_assert(sizeof(node) == 40, "a node has one size");

typedef struct {
    Py_buffer buffers[ARRAYS];
    const word *words;       /* the first `arranged` in order, those of one letter before all; later ones as they came */
    const node *nodes;       /* the arranged words of two letters or more */
    const uint32_t *akin;    /* arranged words that are forms of a given name */
    const uint32_t *starts;  /* names holding word w: holders[starts[w] .. starts[w + 1]) */
    const uint32_t *holders; /* positions of names, all below `listed` */
    const uint32_t *from;    /* words of name x: held[from[x] .. from[x + 1]) */
    const uint32_t *held;
    const uint8_t *sizes;    /* parts of a name; 0: removed, or not comparable */
    const int64_t *counts;
    uint32_t arranged, listed, n_akin, n_nodes, lone_letters;
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
           (size_t)b[FROM].len >= (names + 1) * 4 && (size_t)b[HELD].len >= (size_t)s->counts[PARTS_HELD] * 4;
}

/* shelve(words, nodes, akin, starts, holders, from, held, sizes, counts, listed) -> capsule */
static PyObject *py_shelve(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != ARRAYS + 1) return PyErr_SetString(PyExc_TypeError, "nine arrays and a number"), NULL;
    long listed = PyLong_AsLong(args[ARRAYS]);
    if (listed < 0) return PyErr_Occurred() ? NULL : (PyErr_SetString(PyExc_ValueError, "listed"), NULL);
    shelf *s = calloc(1, sizeof *s);
    if (!s) return PyErr_NoMemory();
    if (take_buffers(args, s->buffers, ARRAYS, PyBUF_SIMPLE)) return free(s), NULL;
    Py_buffer *b = s->buffers;
    s->words = b[WORDS].buf, s->nodes = b[NODES].buf, s->akin = b[AKIN].buf;
    s->starts = b[STARTS].buf, s->holders = b[HOLDERS].buf, s->from = b[FROM].buf, s->held = b[HELD].buf;
    s->sizes = b[SIZES].buf, s->counts = b[COUNTS].buf;
    s->n_nodes = (uint32_t)(b[NODES].len / (Py_ssize_t)sizeof(node));
    s->arranged = b[STARTS].len >= 4 ? (uint32_t)(b[STARTS].len / 4 - 1) : 0, s->n_akin = (uint32_t)(b[AKIN].len / 4), s->listed = (uint32_t)listed;
    int fit = fits(s);
    while (fit && s->lone_letters < s->arranged && s->words[s->lone_letters].length == 1) s->lone_letters++;
    PyObject *out = fit ? PyCapsule_New(s, "tansiq.shelf", let_go) : NULL;
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
    uint64_t *found;   /* gain and word, one list a term after the other */
    uint32_t n_touched, n_found;
    uint32_t words, names; /* how many there were when the search began */
    size_t room;           /* words that one row of gains holds */
} space;

enum { MERGED = 0x80 };

typedef struct {
    word w;
    int part, joined;       /* which part of the query, or which two */
    uint32_t begin, end;    /* in space.found */
    int16_t *gains;
} term;

static void note(const shelf *s, space *at, term *t, uint32_t w) {
    const word *other = &s->words[w];
    int short_ = t->w.length == 1 || other->length == 1, value;
    if (short_ && (t->joined || !initial(&t->w, other))) return;
    value = short_ ? tables.initial : points(&t->w, other) + (t->joined ? tables.join : 0);
    if (value < FLOOR || t->gains[w] || at->n_found == MAX_TERMS * at->room) return;
    t->gains[w] = (int16_t)(value + STRANGER);
    at->found[at->n_found++] = (uint64_t)t->gains[w] << 32 | w;
}

/* A query word made ready to be held against many words of one script. */
typedef struct {
    int16_t sub[MAX_ALPHABET][MAX_UNITS + 2]; /* [unit of the other word][place]: price of reading one as the other */
    int16_t gap[MAX_UNITS];
    uint64_t cheap[MAX_UNITS]; /* units, modulo 64, that a place can be read as for less than `dear` */
    int16_t dear[MAX_UNITS];   /* the least that a place costs when no such unit is left */
    int n, script, reach;
} ruler;

enum { DEAR = 400 };

static int reach_of(const term *t, int script) {
    return t->joined ? REACH_JOINED : script == t->w.script ? REACH_ONE_SCRIPT : REACH_TWO_SCRIPTS;
}

static void set_ruler(ruler *r, const term *t, int script) {
    const word *q = &t->w;
    r->n = q->n, r->script = script;
    r->reach = reach_of(t, script);
    for (int j = 0; j < q->n; j++) {
        r->gap[j] = q->gap[script][j];
        r->dear[j] = (int16_t)least(r->gap[j], DEAR);
        r->cheap[j] = 0;
        for (int u = 0; u < tables.units; u++) {
            r->sub[u][j] = tables.sub[u][q->units[j]];
            if (r->sub[u][j] < r->dear[j]) r->cheap[j] |= (uint64_t)1 << (u & 63);
        }
    }
}

/* One row of the table that edit.cost fills. */
static void next_row(const ruler *r, const node *of, int to, const int16_t *above, int16_t *row) {
    const int16_t *sub = r->sub[of->unit];
    int gap = of->gap[to], n = r->n;
    for (int j = 0; j < n; j++) row[j + 1] = (int16_t)least(above[j] + sub[j], above[j + 1] + gap);
    int left = of->start[to];
    row[0] = (int16_t)left;
    for (int j = 0; j < n; j++) {
        left = least(left + r->gap[j], row[j + 1]);
        row[j + 1] = (int16_t)left;
    }
}

/* The least that this row can lead to: what is left of the query must find its like among the units below. */
static int least_of(const ruler *r, const node *of, const int16_t *row) {
    int low = row[r->n], rest = 0;
    for (int j = r->n - 1; j >= 0; j--) {
        rest += of->below & r->cheap[j] ? 0 : r->dear[j];
        low = least(low, row[j] + rest);
    }
    return low;
}

typedef struct {
    const shelf *s;
    space *at;
    term *t;
    ruler rulers[2];
    int16_t rows[MAX_UNITS + 1][MAX_UNITS + 2];
} walk;

/* The arranged words within reach that go on from this node: words that begin alike share the rows of their beginning,
 * and what begins with a row beyond reach is passed over. */
static void go_on(walk *w, const node *from, int depth) {
    int n = w->t->w.n, to = w->t->w.script;
    for (uint32_t k = from->child; k < from->child + from->children && depth <= MAX_UNITS; k++) {
        const node *here = &w->s->nodes[k];
        const ruler *r = &w->rulers[here->flags & OF_SCRIPT];
        int16_t *row = w->rows[depth];
        next_row(r, here, to, depth > 1 ? w->rows[depth - 1] : w->t->w.start[r->script], row);
        for (uint32_t x = 0; row[n] <= r->reach && x < here->ends; x++) note(w->s, w->at, w->t, here->word + x);
        if (here->children && (here->flags & OPEN || least_of(r, here, row) <= r->reach)) go_on(w, here, depth + 1);
    }
}

static void scan(const shelf *s, space *at, term *t) {
    walk w = {.s = s, .at = at, .t = t};
    set_ruler(&w.rulers[LATIN], t, LATIN);
    set_ruler(&w.rulers[ARABIC], t, ARABIC);
    if (s->n_nodes) go_on(&w, s->nodes, 1);
}

static void near_words(const shelf *s, space *at, term *t) {
    t->begin = at->n_found;
    if (t->w.length == 1) {
        for (uint32_t k = 0; k < s->arranged; k++)
            if (initial(&t->w, &s->words[k])) note(s, at, t, k);
    } else {
        scan(s, at, t);
        for (uint32_t k = 0; k < s->lone_letters; k++) note(s, at, t, k);
        for (uint32_t k = 0; t->w.group && k < s->n_akin; k++)
            if (akin(&t->w, &s->words[s->akin[k]])) note(s, at, t, s->akin[k]);
    }
    for (uint32_t k = s->arranged; k < at->words; k++) {
        const word *w = &s->words[k];
        if (w->length == 1 || t->w.length == 1 || cost(&t->w, w) <= reach_of(t, w->script) || akin(&t->w, w)) note(s, at, t, k);
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
    return value;
}


static void touch(space *at, uint32_t x) {
    if (!at->marks[x]) at->touched[at->n_touched++] = x;
}

static int descending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Adds up, over the listed names, the best word for each part; words come best first, so a name's first one counts. */
static void gather(const shelf *s, space *at, term *terms, int n_terms) {
    for (int t = 0; t < n_terms; t++) {
        term *of = &terms[t];
        uint8_t mark = (uint8_t)(t + 1);
        qsort(at->found + of->begin, of->end - of->begin, sizeof *at->found, descending);
        for (uint32_t f = of->begin; f < of->end; f++) {
            uint32_t w = (uint32_t)at->found[f];
            int16_t gain = (int16_t)(at->found[f] >> 32);
            if (w >= s->arranged) continue;
            for (uint32_t h = s->starts[w]; h < s->starts[w + 1]; h++) {
                uint32_t x = s->holders[h];
                uint8_t last = at->marks[x];
                touch(at, x);
                if (of->joined) {
                    at->marks[x] = last | MERGED;
                } else if (last != mark) {
                    at->sums[x] = (int16_t)(at->sums[x] + gain);
                    at->marks[x] = mark;
                }
            }
        }
    }
}

/* Turns the sums into what the names are worth by their words. Later names are looked at one by one. */
static void weigh(const shelf *s, space *at, const term *terms, int n_terms, int n) {
    for (uint32_t k = 0; k < at->n_touched; k++) {
        uint32_t x = at->touched[k];
        int size = s->sizes[x], sum = at->sums[x] - STRANGER * least(n, size) - LONE * abs(n - size);
        if (at->marks[x] & MERGED) sum = worth_by_words(s, terms, n_terms, n, x);
        at->sums[x] = (int16_t)sum;
    }
    for (uint32_t x = s->listed; x < at->names; x++) {
        int met = 0;
        if (!s->sizes[x]) continue;
        for (uint32_t h = s->from[x]; h < s->from[x + 1]; h++)
            for (int t = 0; t < n_terms; t++) met |= terms[t].gains[s->held[h]];
        if (!met) continue;
        touch(at, x);
        at->marks[x] = MERGED;
        at->sums[x] = (int16_t)worth_by_words(s, terms, n_terms, n, x);
    }
}

typedef struct {
    int64_t keys[CANDIDATES]; /* the worst on top: a heap */
    int n;
} chosen;

static void sink(chosen *c, int at) {
    for (;;) {
        int low = at, l = 2 * at + 1;
        if (l < c->n && c->keys[l] < c->keys[low]) low = l;
        if (l + 1 < c->n && c->keys[l + 1] < c->keys[low]) low = l + 1;
        if (low == at) return;
        int64_t swap = c->keys[at];
        c->keys[at] = c->keys[low], c->keys[low] = swap, at = low;
    }
}

/* Keeps the key if it is among the CANDIDATES greatest. */
static void offer(chosen *c, int64_t key) {
    if (c->n < CANDIDATES) {
        int at = c->n++;
        for (; at && c->keys[(at - 1) / 2] > key; at = (at - 1) / 2) c->keys[at] = c->keys[(at - 1) / 2];
        c->keys[at] = key;
    } else if (key > c->keys[0]) {
        c->keys[0] = key;
        sink(c, 0);
    }
}

static int64_t key_of(int value, uint32_t x) { return (int64_t)value * ((int64_t)1 << 32) + (0xffffffffu - x); }
static uint32_t name_of(int64_t key) { return 0xffffffffu - (uint32_t)(key & 0xffffffff); }

/* The best of the touched names; all work space is zero again. */
static void choose(const shelf *s, space *at, term *terms, int n_terms, chosen *out) {
    for (uint32_t k = 0; k < at->n_touched; k++) {
        uint32_t x = at->touched[k];
        if (s->sizes[x]) offer(out, key_of(at->sums[x], x));
        at->sums[x] = 0;
        at->marks[x] = 0;
    }
    for (int t = 0; t < n_terms; t++)
        for (uint32_t f = terms[t].begin; f < terms[t].end; f++) terms[t].gains[(uint32_t)at->found[f]] = 0;
    at->n_touched = at->n_found = 0;
}

/* ---- the query ---- */

static int is_known(const uint8_t *letters, int length) {
    const entry *e = look_up(&lexicon.words, letters, (size_t)length);
    return e && (e->facts & IS_KNOWN);
}

/* Names found for a query and for what it may be split into, each at most MAX_SPLITS + 1 times. */
typedef struct {
    int n;
    uint32_t names[CANDIDATES * (MAX_SPLITS + 1)];
} pool;

static void collect(const shelf *s, space *at, const word *parts, int n, pool *out) {
    term terms[MAX_TERMS];
    chosen best = {.n = 0};
    int n_terms = 0;
    for (int k = 0; k < n; k++) terms[n_terms++] = (term){.w = parts[k], .part = k};
    for (int k = 0; k + 1 < n; k++) {
        term *t = &terms[n_terms];
        *t = (term){.part = k, .joined = 1};
        n_terms += merged(&parts[k], &parts[k + 1], &t->w) && t->w.length > 1;
    }
    for (int t = 0; t < n_terms; t++) {
        terms[t].gains = at->gains + (size_t)t * at->room;
        near_words(s, at, &terms[t]);
    }
    gather(s, at, terms, n_terms);
    weigh(s, at, terms, n_terms, n);
    choose(s, at, terms, n_terms, &best);
    for (int k = 0; k < best.n; k++) out->names[out->n++] = name_of(best.keys[k]);
}

/* One word of letters that are known to be one. */
static int half(const word *of, int from, int to, word *out) {
    word a = *of, nothing = *of;
    memmove(a.letters, of->letters + from, (size_t)(to - from));
    a.length = (uint8_t)(to - from);
    a.worn = 0;
    nothing.length = 0;
    return merged(&a, &nothing, out);
}

/* A rare word that two common ones make is also looked for as those two (`Mohamedamine`, `Mohamed Amine`). */
static void collect_split(const shelf *s, space *at, const name *q, pool *out) {
    int left = MAX_SPLITS;
    word parts[MAX_PARTS];
    for (int k = 0; k < q->n && q->n < MAX_PARTS; k++) {
        const word *w = &q->parts[k];
        if (w->flags & KNOWN) continue;
        for (int cut = SPLIT_LEAST; cut + SPLIT_LEAST <= w->length && left; cut++) {
            if (!is_known(w->letters, cut) || !is_known(w->letters + cut, w->length - cut)) continue;
            memcpy(parts, q->parts, (size_t)k * sizeof *parts);
            memcpy(parts + k + 2, q->parts + k + 1, (size_t)(q->n - k - 1) * sizeof *parts);
            if (!half(w, 0, cut, &parts[k]) || !half(w, cut, w->length, &parts[k + 1])) continue;
            collect(s, at, parts, q->n + 1, out);
            left--;
        }
    }
}

/* ---- the names in full ---- */

typedef struct {
    int64_t key; /* nearness, of judged names with the score, then position */
    int32_t centibits;
} result;

static int best_first(const void *a, const void *b) {
    int64_t x = ((const result *)a)->key, y = ((const result *)b)->key;
    return x < y ? 1 : x > y ? -1 : 0;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

enum { NEAR, SCORED, RANKED };

/* What a name is worth beside other names: its meetings, and LONE for each part that met nothing. SCORED: its score
   too, for who may be shown. RANKED: and what the forest says of it as found, for those that stand by score among
   themselves. Each costs as much again. */
static result in_full(const shelf *s, const name *q, uint32_t x, int wanted) {
    word parts[MAX_PARTS];
    int n = least((int)(s->from[x + 1] - s->from[x]), MAX_PARTS), nearness, total = 0, score = 0;
    for (int i = 0; i < n; i++) parts[i] = s->words[s->held[s->from[x] + (uint32_t)i]];
    comparison c;
    int turn = precedes(parts, n, q->parts, q->n);
    const word *a = turn ? parts : q->parts, *b = turn ? q->parts : parts;
    compare(a, turn ? n : q->n, b, turn ? q->n : n, &c);
    if (wanted >= SCORED) {
        judge(a, turn ? n : q->n, b, turn ? q->n : n, SUM, &c);
        score = total_of(&c);
    }
    if (wanted == RANKED) {
        judge(a, turn ? n : q->n, b, turn ? q->n : n, FOUND, &c);
        total = total_of(&c);
    }
    nearness = c.order;
    for (int k = 0; k < c.n; k++) {
        const meeting *g = &c.met[k];
        if (g->i2 > g->i && g->j2 > g->j) nearness += g->points;
        else if (!((g->i2 > g->i ? &a[g->i] : &b[g->j])->worn & TITLE)) nearness -= LONE;
    }
    return (result){key_of(nearness + total, x), score};
}

static int rank(const shelf *s, const name *q, pool *found, result *out, long k) {
    int n = 0;
    qsort(found->names, (size_t)found->n, sizeof *found->names, ascending);
    for (int i = 0; i < found->n; i++)
        if (!i || found->names[i] != found->names[i - 1]) out[n++] = in_full(s, q, found->names[i], NEAR);
    qsort(out, (size_t)n, sizeof *out, best_first);
    int first = least(n, FOREMOST), wanted = k < n ? (k < 0 ? 0 : (int)k) : n;
    for (int i = 0; i < most(first, wanted); i++) out[i] = in_full(s, q, (uint32_t)name_of(out[i].key), i < first ? RANKED : SCORED);
    qsort(out, (size_t)first, sizeof *out, best_first);
    return wanted;
}

/* How many bytes a search needs; what comes first must be zero. */
static size_t space_for(size_t words, size_t names) {
    return words * MAX_TERMS * (sizeof(uint64_t) + sizeof(int16_t)) + names * (sizeof(uint32_t) + sizeof(int16_t) + 1) + 64;
}

static space divide(const shelf *s, Py_buffer *b) {
    size_t room = (size_t)s->buffers[WORDS].len / sizeof(word), names = (size_t)s->buffers[SIZES].len;
    space at = {.words = (uint32_t)s->counts[WORDS_HELD], .names = (uint32_t)s->counts[NAMES_HELD], .room = room};
    at.found = b->buf;
    at.touched = (uint32_t *)(at.found + MAX_TERMS * room);
    at.gains = (int16_t *)(at.touched + names);
    at.sums = at.gains + MAX_TERMS * room;
    at.marks = (uint8_t *)(at.sums + names);
    return at;
}

static PyObject *answer(const result *found, int n) {
    PyObject *out = PyList_New(n);
    for (int k = 0; out && k < n; k++) {
        PyObject *one = Py_BuildValue("kd", (unsigned long)name_of(found[k].key), probability(found[k].centibits));
        if (!one || PyList_SetItem(out, k, one) < 0) {
            Py_DECREF(out);
            return NULL;
        }
    }
    return out;
}

typedef struct {
    pool found;
    result results[CANDIDATES * (MAX_SPLITS + 1)];
} bench;

/* search_names(shelf, query, k, space) -> [(position, score)], nearest first. Other threads run meanwhile. */
static PyObject *py_search_names(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    text one;
    name q;
    Py_buffer scratch;
    if (count != 4) return PyErr_SetString(PyExc_TypeError, "shelf, query, k, space"), NULL;
    const shelf *s = PyCapsule_GetPointer(args[0], "tansiq.shelf");
    long k = PyLong_AsLong(args[2]);
    if (!s || PyErr_Occurred() || read_text(args[1], &one) || PyObject_GetBuffer(args[3], &scratch, PyBUF_WRITABLE)) return NULL;
    size_t wanted = space_for((size_t)s->buffers[WORDS].len / sizeof(word), (size_t)s->buffers[SIZES].len);
    bench *b = (size_t)scratch.len < wanted || !fits(s) ? NULL : malloc(sizeof *b);
    int n = 0;
    if (b) {
        Py_BEGIN_ALLOW_THREADS
        space at = divide(s, &scratch);
        parse(&one, &q);
        b->found.n = 0;
        if (q.n) collect(s, &at, q.parts, q.n, &b->found);
        if (q.n) collect_split(s, &at, &q, &b->found);
        n = rank(s, &q, &b->found, b->results, k);
        Py_END_ALLOW_THREADS
    } else {
        PyErr_SetString(PyExc_ValueError, "too little space for a search");
    }
    PyObject *out = b ? answer(b->results, n) : NULL;
    free(b);
    PyBuffer_Release(&scratch);
    return out;
}

/* space_for(words, names) -> bytes */
static PyObject *py_space_for(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != 2) return PyErr_SetString(PyExc_TypeError, "words, names"), NULL;
    size_t words_ = PyLong_AsSize_t(args[0]), names = PyLong_AsSize_t(args[1]);
    return PyErr_Occurred() ? NULL : PyLong_FromSize_t(space_for(words_, names));
}

#define FAST(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL

static PyMethodDef methods[] = {
    {"shelve", FAST(py_shelve), "The arrays of a register, ready to be searched."},
    {"read_names", FAST(py_read_names), "Names into the arrays, as many as there is room for."},
    {"place_words", FAST(py_place_words), "Fills the table that finds a word; False when a record is broken."},
    {"space_for", FAST(py_space_for), "How many zero bytes a search works in."},
    {"search_names", FAST(py_search_names), "The nearest names, with their scores."},
    {NULL, NULL, 0, NULL},
};

int add_search(PyObject *module) { return PyModule_AddFunctions(module, methods); }
