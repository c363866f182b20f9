/* judge.py in C: what a forest of small decision trees says of a finished alignment. */
#include "tables.h"

#include <stdlib.h>

enum { NONE = -9999, ASKED_OF_WORDS = 16, ASKED_OF_BEST = 5, ASKED_FIRST = 35 };
enum { ROWS = 1 << 14, COLUMNS = 6, BINS = 1 << 12, ALONE = 0, SAME = 1, STRANGER = 2, APART = 4, STRANGE = -200, GOOD = 100 };
enum { AT_LETTERS = 23 };
static const int32_t AS_FOUND[] = {400, 0}; /* judge.AS_FOUND */
enum { ASKED = ASKED_FIRST + 2 * ASKED_OF_WORDS + 2 * ASKED_OF_BEST };

_Static_assert((int)ASKED == (int)MAX_ASKED, "tables.h and the questions below");

/* Four bytes, for a forest that the nearest memory holds is walked in half the time. */
typedef struct {
    int16_t limit; /* of a leaf: INT16_MAX, no answer is more */
    uint8_t left;  /* how far behind the node its first child stands; a leaf leads to itself */
    uint8_t asked;
} node;

static struct {
    node *nodes;
    int16_t *values;
    uint32_t *roots;
    uint8_t *depths; /* steps from a root to its lowest leaf; trees in the order of their depths */
    uint8_t told[ASKED]; /* as what a step is told, by what is asked there */
    uint32_t n_roots;
    int32_t bound;
} forest;

static int copied(PyObject *raw, const char *key, size_t each, void **to, uint32_t *count) {
    PyObject *value = PyDict_GetItemString(raw, key);
    if (!value || !PyBytes_Check(value) || (size_t)PyBytes_Size(value) % each) {
        PyErr_Format(PyExc_ValueError, "the kernel's table %s is missing", key);
        return -1;
    }
    size_t size = (size_t)PyBytes_Size(value);
    *to = malloc(size ? size : 1);
    if (!*to) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(*to, PyBytes_AsString(value), size);
    *count = (uint32_t)(size / each);
    return 0;
}

/* Every way down ends: a node's children lie behind it, within the forest and near enough to their root. */
static int sound(const int32_t *flat, uint32_t nodes, const uint32_t *roots, uint32_t n_roots) {
    for (uint32_t k = 0; k < nodes; k++) {
        const int32_t *x = flat + 4 * (size_t)k;
        if (x[0] < -1 || x[0] >= MAX_ASKED || x[1] <= INT16_MIN || x[1] >= INT16_MAX || x[3] < INT16_MIN || x[3] > INT16_MAX) return 0;
        if (x[0] >= 0 && (x[2] <= (int64_t)k || (int64_t)x[2] + 1 >= nodes)) return 0;
    }
    for (uint32_t k = 0; k < n_roots; k++)
        if (roots[k] >= nodes || (k && roots[k] <= roots[k - 1])) return 0;
    return !n_roots || roots[0] == 0;
}

/* The nodes of one tree; its depth, or -1 when a child lies outside it or too deep. */
static int planted(const int32_t *flat, uint32_t root, uint32_t end, node *nodes, uint8_t *deep) {
    int depth = 0;
    memset(deep, 0, end - root);
    for (uint32_t k = root; k < end; k++) {
        const int32_t *x = flat + 4 * (size_t)k;
        uint32_t here = k - root, left = x[0] < 0 ? here : (uint32_t)x[2] - root;
        if (left - here > UINT8_MAX || (x[0] >= 0 && (uint32_t)x[2] + 1 >= end)) return -1;
        nodes[k] = (node){x[0] < 0 ? INT16_MAX : (int16_t)x[1], (uint8_t)(left - here), (uint8_t)most(x[0], 0)};
        depth = most(depth, deep[here]);
        if (x[0] < 0) continue;
        if (deep[here] == UINT8_MAX) return -1;
        deep[left] = deep[left + 1] = (uint8_t)(deep[here] + 1);
    }
    return depth;
}

static const uint8_t *depth_of; /* for qsort, under the GIL */

static int shallow_first(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (depth_of[x] != depth_of[y]) return depth_of[x] < depth_of[y] ? -1 : 1;
    return x < y ? -1 : 1;
}

/* Trees of like depth beside each other, so that `leaves` walks down several at once. */
static int plant(const int32_t *flat, uint32_t nodes, const uint8_t *told, const uint32_t *roots, uint32_t n_roots, int32_t bound) {
    node *made = malloc(nodes ? nodes * sizeof *made : 1);
    int16_t *values = malloc(nodes ? nodes * sizeof *values : 1);
    uint32_t *order = malloc((n_roots + 1) * sizeof *order);
    uint8_t *depths = malloc(n_roots + 1), *by_tree = malloc(n_roots + 1), *deep = malloc((size_t)nodes + 2);
    int failed = !made || !values || !order || !depths || !by_tree || !deep;
    if (failed) PyErr_NoMemory();
    for (uint32_t k = 0; !failed && k < n_roots; k++) {
        int depth = planted(flat, roots[k], k + 1 < n_roots ? roots[k + 1] : nodes, made, deep);
        if ((failed = depth < 0)) PyErr_SetString(PyExc_ValueError, "a forest that the kernel cannot walk");
        by_tree[k] = (uint8_t)most(depth, 0);
        order[k] = k;
    }
    if (!failed) {
        for (uint32_t k = 0; k < nodes; k++) values[k] = (int16_t)flat[4 * (size_t)k + 3];
        depth_of = by_tree;
        qsort(order, n_roots, sizeof *order, shallow_first);
        for (uint32_t k = 0; k < n_roots; k++) depths[k] = by_tree[order[k]], order[k] = roots[order[k]];
        free(forest.nodes), free(forest.values), free(forest.roots), free(forest.depths);
        forest.nodes = made, forest.values = values, forest.roots = order, forest.depths = depths;
        memcpy(forest.told, told, sizeof forest.told);
        forest.n_roots = n_roots, forest.bound = bound;
        made = NULL, values = NULL, order = NULL, depths = NULL;
    }
    free(made), free(values), free(order), free(depths), free(by_tree), free(deep);
    return failed ? -1 : 0;
}

int load_forest(PyObject *raw, int32_t bound) {
    int32_t *flat = NULL;
    uint8_t *told = NULL;
    uint32_t *roots = NULL, n_flat = 0, n_told = 0, n_roots = 0;
    int failed = copied(raw, "forest", sizeof *flat, (void **)&flat, &n_flat) ||
                 copied(raw, "forest_told", 1, (void **)&told, &n_told) ||
                 copied(raw, "forest_roots", sizeof *roots, (void **)&roots, &n_roots);
    if (!failed) {
        int fits = n_flat % 4 == 0 && n_told == MAX_ASKED && bound >= 0 && sound(flat, n_flat / 4, roots, n_roots);
        for (uint32_t k = 0; fits && k < n_told; k++) fits = told[k] < TOLD;
        if (!fits) PyErr_SetString(PyExc_ValueError, "a forest that the kernel cannot walk");
        failed = !fits || plant(flat, n_flat / 4, told, roots, n_roots, bound);
    }
    free(flat);
    free(told);
    free(roots);
    return failed ? -1 : 0;
}

static struct {
    int8_t told[ROWS * COLUMNS];
    uint8_t rare[BINS];
    uint16_t points[256]; /* the character that a letter's byte stands for */
} groups;

int load_groups(PyObject *raw) {
    int8_t *told = NULL;
    uint8_t *rare = NULL;
    uint16_t *points = NULL;
    uint32_t n_told = 0, n_rare = 0, n_points = 0;
    int failed = copied(raw, "groups_told", 1, (void **)&told, &n_told) ||
                 copied(raw, "groups_rare", 1, (void **)&rare, &n_rare) ||
                 copied(raw, "points", 2, (void **)&points, &n_points);
    if (!failed && (n_told != sizeof groups.told || n_rare != sizeof groups.rare || n_points != 256)) {
        PyErr_SetString(PyExc_ValueError, "the kernel's groups of letters have another size");
        failed = 1;
    }
    if (!failed) {
        memcpy(groups.told, told, sizeof groups.told);
        memcpy(groups.rare, rare, sizeof groups.rare);
        memcpy(groups.points, points, sizeof groups.points);
    }
    free(told), free(rare), free(points);
    return failed ? -1 : 0;
}

/* Groups of three letters of two names: each counts once a name. */
typedef struct {
    uint64_t held[2][BINS / 64];
    int64_t all[2], shared;
} shared_groups;

/* judge.groups of one word of name `side`: what they tell under a column (none: -1); those of three are put into `all`. */
static int read_groups(const word *w, int column, shared_groups *all, int side) {
    enum { BEGIN = 2, END = 3 };
    uint32_t before = BEGIN, two = 0;
    int sum = 0;
    for (int i = 0; i <= w->length; i++) {
        uint32_t c = i < w->length ? groups.points[w->letters[i]] : END;
        uint32_t now = before * 0x9E3779B1u + c, three = (two * 0x9E3779B1u + c) * 0x85EBCA6Bu >> 18;
        if (column >= 0) {
            sum += groups.told[(now * 0x85EBCA6Bu >> 18) * COLUMNS + (uint32_t)column];
            if (i) sum += groups.told[three * COLUMNS + (uint32_t)column];
        }
        two = now;
        before = c;
        if (!i || !all) continue;
        uint32_t bin = three >> 2;
        uint64_t bit = (uint64_t)1 << (bin & 63);
        if (all->held[side][bin / 64] & bit) continue;
        all->held[side][bin / 64] |= bit;
        all->all[side] += groups.rare[bin];
        if (side && all->held[0][bin / 64] & bit) all->shared += groups.rare[bin];
    }
    return sum;
}

/* judge.slips: at most 64 letters of x count. */
static int slips(const uint8_t *x, int n, const uint8_t *y, int m) {
    if (!n || !m) return n ? n : m;
    uint64_t mask = ~(uint64_t)0 >> (64 - n), last = (uint64_t)1 << (n - 1);
    uint64_t vp = mask, vn = 0, d0 = 0, before = 0;
    int found = n;
    for (int j = 0; j < m; j++) {
        uint64_t here = 0;
        for (int i = 0; i < n; i++) here |= (uint64_t)(x[i] == y[j]) << i;
        uint64_t swapped = ((~d0 & here) << 1) & before;
        d0 = ((((here & vp) + vp) ^ vp) | here | vn | swapped) & mask;
        uint64_t hp = (vn | ~(d0 | vp)) & mask, hn = d0 & vp;
        found += (hp & last) != 0;
        found -= (hn & last) != 0;
        hp = hp << 1 | 1;
        hn <<= 1;
        vp = (hn | ~(d0 | hp)) & mask;
        vn = hp & d0 & mask;
        before = here;
    }
    return found;
}

static int letters_apart(const word *p, const word *q) { return slips(p->letters, p->length, q->letters, q->length); }
static int bones_apart(const word *p, const word *q) { return slips(p->skeleton, p->skeletons, q->skeleton, q->skeletons); }

static int joins(const meeting *g) { return g->i2 - g->i + g->j2 - g->j > 2; }
static int both(const meeting *g) { return g->i2 > g->i && g->j2 > g->j; }

typedef struct {
    const word *a, *b;
    int n, m, n_pairs;
    const meeting *pairs[4 * MAX_PARTS];
} look;

/* Puts pointers in order; there are few of them. */
static void arrange(const meeting **list, int n, int (*first)(const meeting *, const meeting *)) {
    for (int k = 1; k < n; k++) {
        const meeting *g = list[k];
        int at = k;
        for (; at && first(g, list[at - 1]); at--) list[at] = list[at - 1];
        list[at] = g;
    }
}

static int stands_before(const meeting *p, const meeting *q) { return p->i != q->i ? p->i < q->i : p->j < q->j; }

static int weaker(const meeting *p, const meeting *q) {
    return p->points != q->points ? p->points < q->points : stands_before(p, q);
}

static int dearer(const meeting *p, const meeting *q) {
    return p->price != q->price ? p->price > q->price : stands_before(p, q);
}

/* judge._shares */
static void shares(const look *l, int32_t *out) {
    int letters = 0, wrong = 0, bones = 0, broken = 0;
    for (int k = 0; k < l->n_pairs; k++) {
        const meeting *g = l->pairs[k];
        const word *p = &l->a[g->i], *q = &l->b[g->j];
        if (joins(g)) continue;
        if (p->script == q->script) {
            letters += most(p->length, q->length);
            wrong += letters_apart(p, q);
        }
        bones += most(p->skeletons, q->skeletons);
        broken += bones_apart(p, q);
    }
    out[0] = letters ? 100 * wrong / letters : NONE;
    out[1] = bones ? 100 * broken / bones : NONE;
}

/* judge._word */
static void ask_words(const look *l, const meeting *g, int32_t *out) {
    const word *p = &l->a[g->i], *q = &l->b[g->j];
    int same = p->script == q->script;
    int32_t *to = out;
    *to++ = g->price, *to++ = g->info, *to++ = g->points;
    if (joins(g)) {
        while (to < out + ASKED_OF_WORDS) *to++ = NONE;
        return;
    }
    *to++ = least(p->common, q->common), *to++ = most(p->common, q->common);
    *to++ = least(p->length, q->length), *to++ = most(p->length, q->length);
    *to++ = same ? letters_apart(p, q) : NONE;
    *to++ = bones_apart(p, q);
    *to++ = same ? p->letters[0] == q->letters[0] : NONE;
    *to++ = same ? p->letters[p->length - 1] == q->letters[q->length - 1] : NONE;
    *to++ = (g->i == 0) + (g->j == 0);
    *to++ = (g->i2 == l->n) + (g->j2 == l->m);
    *to++ = relation(p, q);
    *to++ = least(p->given, q->given), *to++ = most(p->given, q->given);
}

static void ask_best(const look *l, const meeting *g, int32_t *out) {
    out[0] = g->info;
    out[1] = g->price;
    out[2] = least(l->a[g->i].common, l->b[g->j].common);
    out[3] = (g->i == 0) + (g->j == 0);
    out[4] = (g->i2 == l->n) + (g->j2 == l->m);
}

/* The parts that stand alone: how many, their least and most common spelling, how many are one letter. */
static void ask_alone(const look *l, const comparison *c, int32_t *out) {
    out[0] = out[3] = 0;
    out[1] = out[2] = NONE;
    for (int k = 0; k < c->n; k++) {
        const meeting *g = &c->met[k];
        if (both(g)) continue;
        const word *w = g->i2 > g->i ? &l->a[g->i] : &l->b[g->j];
        if (w->worn & TITLE) continue;
        out[1] = out[0] ? least(out[1], w->common) : w->common;
        out[2] = out[0] ? most(out[2], w->common) : w->common;
        out[0]++;
        out[3] += w->length == 1;
    }
}

/* judge.columns: one a part, -1 for a part that is not read. */
static void columns(const look *l, const comparison *c, int8_t of[2][MAX_PARTS]) {
    memset(of, -1, 2 * MAX_PARTS);
    for (int k = 0; k < c->n; k++) {
        const meeting *g = &c->met[k];
        const word *p = &l->a[g->i], *q = &l->b[g->j];
        if (!both(g)) {
            int side = g->i2 <= g->i;
            if (!((side ? q : p)->worn & TITLE)) of[side][side ? g->j : g->i] = ALONE;
        } else if (!joins(g)) {
            int apart = (g->points < STRANGE ? STRANGER : APART) + (p->script != q->script);
            of[0][g->i] = of[1][g->j] = (int8_t)(same_letters(p, q) ? SAME : apart);
        }
    }
}

/* judge._letters */
static void ask_letters(const look *l, const comparison *c, int32_t *out) {
    int8_t of[2][MAX_PARTS];
    int latin = 1, sum = 0;
    columns(l, c, of);
    for (int i = 0; i < l->n; i++) latin &= l->a[i].script == LATIN;
    for (int j = 0; j < l->m; j++) latin &= l->b[j].script == LATIN;
    shared_groups all;
    if (latin) memset(&all, 0, sizeof all);
    for (int i = 0; i < l->n; i++) sum += read_groups(&l->a[i], of[0][i], latin ? &all : NULL, 0);
    for (int j = 0; j < l->m; j++) sum += read_groups(&l->b[j], of[1][j], latin ? &all : NULL, 1);
    int64_t most_shared = latin ? all.all[0] * all.all[1] : 0;
    out[0] = most_shared ? (int32_t)(1000 * all.shared * all.shared / most_shared) : NONE;
    out[1] = sum;
}

static int ends_with(const word *w, const char *with) {
    int n = (int)strlen(with);
    return w->length >= n && memcmp(w->letters + w->length - n, with, (size_t)n) == 0;
}

/* judge.feminine */
static int feminine(const word *p, const word *q) {
    uint8_t ha = lexicon.phrases[LAH].letters[1], alef = lexicon.phrases[AL].letters[0], ya = lexicon.phrases[DIN].letters[1];
    if (p->script == q->script) {
        const word *x = p->length <= q->length ? p : q, *y = x == p ? q : p;
        const uint8_t *more = y->letters + x->length;
        int n = y->length - x->length;
        if (n < 1 || n > 2 || memcmp(x->letters, y->letters, x->length) != 0) return 0;
        return n == 1 ? *more == 'a' || *more == 'e' || *more == ha : (*more == 'a' || *more == 'e') && more[1] == 'h';
    }
    const word *latin = p->script == LATIN ? p : q, *arabic = latin == p ? q : p;
    uint8_t last = arabic->length ? arabic->letters[arabic->length - 1] : 0;
    int open = ends_with(latin, "a") || ends_with(latin, "e") || ends_with(latin, "ah") || ends_with(latin, "eh");
    return open != (last == ha || last == alef || last == ya);
}

/* judge._byname */
static int is_byname(const word *w) {
    const letters_t *head = &lexicon.particles[lexicon.father].head[w->script];
    return w->length >= head->length && memcmp(w->letters, head->letters, head->length) == 0;
}

enum { TITLES, ALONE_INSIDE, ALONE_SIDES, ALONE_MOST_GIVEN, BYNAME_STRANGE, FIRST_FEMININE, GOOD_ONES, GOOD_RARITY, GOOD_GIVEN,
       GOOD_LEAST_COMMON, STRUCTURE };

/* judge._structure */
static void ask_structure(const look *l, const comparison *c, int32_t *out) {
    int sides[2] = {0, 0};
    memset(out, 0, STRUCTURE * sizeof *out);
    out[ALONE_MOST_GIVEN] = out[FIRST_FEMININE] = out[GOOD_LEAST_COMMON] = NONE;
    for (int i = 0; i < l->n; i++) out[TITLES] += (l->a[i].worn & TITLE) != 0;
    for (int j = 0; j < l->m; j++) out[TITLES] += (l->b[j].worn & TITLE) != 0;
    for (int k = 0; k < c->n; k++) {
        const meeting *g = &c->met[k];
        const word *p = &l->a[g->i], *q = &l->b[g->j];
        if (!both(g)) {
            int side = g->i2 <= g->i, at = side ? g->j : g->i;
            if ((side ? q : p)->worn & TITLE) continue;
            sides[side] = 1;
            out[ALONE_INSIDE] += at > 0 && at < (side ? l->m : l->n) - 1;
            out[ALONE_MOST_GIVEN] = most(out[ALONE_MOST_GIVEN], (side ? q : p)->given);
        } else if (!joins(g)) {
            if (g->points < STRANGE) out[BYNAME_STRANGE] += is_byname(p) != is_byname(q);
            if (g->i == 0 && g->j == 0) out[FIRST_FEMININE] = feminine(p, q);
            if (g->points <= GOOD) continue;
            int least_common = least(p->common, q->common), had = out[GOOD_ONES]++;
            out[GOOD_RARITY] += g->info;
            if (least(p->given, q->given) >= 3) out[GOOD_GIVEN] += g->points;
            out[GOOD_LEAST_COMMON] = had ? least(out[GOOD_LEAST_COMMON], least_common) : least_common;
        }
    }
    out[ALONE_SIDES] = sides[0] + sides[1];
}

static int points_at(const meeting *const *rank, int n, int k) { return k >= 0 && k < n ? rank[k]->points : NONE; }

/* judge.features */
static void ask(look *l, const comparison *c, int32_t *out) {
    int32_t *to = out;
    int total = c->start + c->order + c->ends, strangers = 0, initials = 0, together = 0, equal = 0;
    int first = NONE, last = NONE;
    for (int k = 0; k < c->n; k++) total += c->met[k].points;
    for (int k = 0; k < l->n_pairs; k++) {
        const meeting *g = l->pairs[k];
        strangers += g->points < STRANGE;
        initials += g->info < 0;
        together += joins(g);
        equal += g->price == 0 && g->info >= 0;
        if (g->i == 0 && g->j == 0) first = most(first, g->points);
        if (g->i2 == l->n && g->j2 == l->m) last = most(last, g->points);
    }
    *to++ = total, *to++ = l->a->script + l->b->script, *to++ = least(l->n, l->m), *to++ = most(l->n, l->m);
    *to++ = c->crossed, *to++ = c->loose, *to++ = strangers, *to++ = initials, *to++ = together, *to++ = equal;
    shares(l, to);
    to += 2;
    const meeting *rank[4 * MAX_PARTS];
    memcpy(rank, l->pairs, sizeof rank);
    arrange(rank, l->n_pairs, weaker);
    for (int k = 0; k < 3; k++) *to++ = points_at(rank, l->n_pairs, k);
    for (int k = 1; k < 3; k++) *to++ = points_at(rank, l->n_pairs, l->n_pairs - k);
    *to++ = first, *to++ = last;
    ask_alone(l, c, to);
    to += 4;
    ask_letters(l, c, to);
    to += 2;
    ask_structure(l, c, to);
    to += STRUCTURE;
    for (int32_t *rest = to; rest < out + ASKED; rest++) *rest = NONE;
    arrange(l->pairs, l->n_pairs, dearer);
    for (int k = 0; k < least(2, l->n_pairs); k++) ask_words(l, l->pairs[k], to + k * ASKED_OF_WORDS);
    to += 2 * ASKED_OF_WORDS;
    for (int k = 0; k < least(2, l->n_pairs); k++) ask_best(l, rank[l->n_pairs - 1 - k], to + k * ASKED_OF_BEST);
}

/* judge.equal */
static int equal_names(const word *a, int n, const word *b, int m) {
    if (n != m) return 0;
    for (int k = 0; k < n; k++)
        if (!same_letters(&a[k], &b[k])) return 0;
    return 1;
}

/* judge.most: `total` is what was said before the forest. */
static int bounded(int sum, int total) {
    int highest = most(forest.bound, least(2 * forest.bound, forest.bound - total));
    return most(-forest.bound, least(sum, highest));
}

/* judge.grow: the steps down the trees, each owed to what was asked; the sum within the bound. */
static void grow(const int16_t *asked, int32_t total, int32_t *out) {
    int sum = 0;
    for (uint32_t k = 0; k < forest.n_roots; k++) {
        const node *at = forest.nodes + forest.roots[k];
        const int16_t *value = forest.values + forest.roots[k];
        out[0] += *value;
        while (at->left) {
            int step = at->left + (asked[at->asked] > at->limit);
            out[forest.told[at->asked]] += value[step] - *value;
            at += step, value += step;
        }
    }
    for (int k = 0; k < TOLD; k++) sum += out[k];
    out[0] -= sum - bounded(sum, total);
}

static inline const node *below(const node *at, const int16_t *asked) { return at + at->left + (asked[at->asked] > at->limit); }

/* The same sum, not told apart: several trees at once, all as many steps as the lowest leaf of them asks for. */
static int leaves(const int16_t *asked) {
    enum { AT_ONCE = 8 };
    int sum = 0;
    uint32_t k = 0;
    for (; k + AT_ONCE <= forest.n_roots; k += AT_ONCE) {
        const node *at[AT_ONCE];
        for (int t = 0; t < AT_ONCE; t++) at[t] = forest.nodes + forest.roots[k + (uint32_t)t];
        for (int step = forest.depths[k + AT_ONCE - 1]; step; step--)
            for (int t = 0; t < AT_ONCE; t++) at[t] = below(at[t], asked);
        for (int t = 0; t < AT_ONCE; t++) sum += forest.values[at[t] - forest.nodes];
    }
    for (; k < forest.n_roots; k++) {
        const node *at = forest.nodes + forest.roots[k];
        for (int step = forest.depths[k]; step; step--) at = below(at, asked);
        sum += forest.values[at - forest.nodes];
    }
    return sum;
}

void judge(const word *a, int n, const word *b, int m, int tell, comparison *c) {
    look l = {.a = a, .b = b, .n = n, .m = m};
    int32_t asked[ASKED];
    memset(c->told, 0, sizeof c->told);
    if (equal_names(a, n, b, m)) {
        c->told[0] = forest.bound;
        return;
    }
    for (int k = 0; k < c->n; k++)
        if (both(&c->met[k])) l.pairs[l.n_pairs++] = &c->met[k];
    ask(&l, c, asked);
    for (int k = 0; tell == FOUND && k < 2; k++)
        if (asked[AT_LETTERS + k] != NONE) asked[AT_LETTERS + k] = AS_FOUND[k];
    int16_t answers[ASKED];
    for (int k = 0; k < ASKED; k++) answers[k] = (int16_t)most(INT16_MIN, least(asked[k], INT16_MAX));
    if (tell == TELL) grow(answers, asked[0], c->told);
    else c->told[0] = bounded(leaves(answers), asked[0]);
}
