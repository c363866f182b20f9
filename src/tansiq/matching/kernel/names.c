/* names.py in C: the parts of two names assigned to each other, joined, left alone, and judged as wholes. */
#include "tables.h"

#include <math.h>

/* A bound of every list of meetings: MAX_PARTS met, and as many alone on either side. */
enum { MAX_MET = 4 * MAX_PARTS };

/* names._context: the scripts, and the parts of the shorter name. */
static int scripts_of(const word *a, const word *b) { return a->script + b->script; }
static int shorter(int n, int m) { return least(least(n, m), 4) - 1; }

/* Which of two meetings names.assign takes first. */
static int before(const meeting *p, const meeting *q) {
    if (p->points != q->points) return p->points > q->points;
    if (p->i + p->j != q->i + q->j) return p->i + p->j < q->i + q->j;
    return p->i < q->i;
}

/* names.assign: min(n, m) meetings of great total worth; best first, then exchanged in twos while that gains. */
static int assign(meeting grid[MAX_PARTS][MAX_PARTS], int n, int m, meeting *out) {
    int used_i = 0, used_j = 0, count = 0;
    while (count < least(n, m)) {
        const meeting *best = NULL;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m && !(used_i >> i & 1); j++)
                if (!(used_j >> j & 1) && (!best || before(&grid[i][j], best))) best = &grid[i][j];
        used_i |= 1 << best->i;
        used_j |= 1 << best->j;
        out[count++] = *best;
    }
    for (int x = 0; x < count; x++)
        for (int y = x + 1; y < count; y++) {
            meeting r = grid[out[x].i][out[y].j], s = grid[out[y].i][out[x].j];
            if (r.points + s.points > out[x].points + out[y].points) out[x] = r, out[y] = s;
        }
    return count;
}

/* names._begin_or_end_alike */
static int begin_or_end_alike(const uint8_t *x, int n, const uint8_t *y, int m) {
    return n && m && n - m < 2 && m - n < 2 && (x[0] == y[0] || x[n - 1] == y[m - 1]);
}

/* names._may_meet */
static int may_meet(const word *p, const word *q) {
    uint8_t x[MAX_UNITS], y[MAX_UNITS];
    int fit = begin_or_end_alike(p->skeleton, p->skeletons, q->skeleton, q->skeletons), apart = p->n - q->n;
    if (!fit && (p->core || q->core)) {
        int n = skeleton_from(p, 0, x), m = skeleton_from(q, 0, y);
        fit = begin_or_end_alike(x, n, y, m) || begin_or_end_alike(x, n, q->skeleton, q->skeletons) ||
              begin_or_end_alike(p->skeleton, p->skeletons, y, m);
    }
    if (!fit) return 0;
    if (p->script == q->script) return apart >= -4 && apart <= 4;
    if (q->script == LATIN) apart = -apart;
    return apart >= -3 && apart <= 8;
}

typedef struct {
    int gain, gone[2], lost; /* places in the list of meetings that give way */
    meeting new;
} joining;

static int spans_two(const meeting *g) { return g->i2 - g->i + g->j2 - g->j > 2; }

/* Whether the meeting at i leaves something to gain. */
static int poor(const meeting *g, int end) { return !g || g->i2 > end || g->price > 150; }

/* names._join for one merged word against one word of `b`; keeps the better. */
static void try_join(const word *joined, int i, int j, const word *b, const meeting *met, const meeting *const at[3], int spare, joining *best) {
    joining mine = {.lost = 0};
    int worth_before = 0, freed = 0;
    for (int k = 0; k < 3; k++) {
        int seen = 0;
        for (int l = 0; l < k; l++) seen |= at[k] && at[l] == at[k];
        if (!at[k]) worth_before += spare;
        if (!at[k] || seen) continue;
        if (mine.lost == 2 || spans_two(at[k])) return;
        mine.gone[mine.lost++] = (int)(at[k] - met);
        worth_before += at[k]->points;
        freed += at[k]->j != j;
    }
    if (!may_meet(b, joined)) return;
    mine.new = meet(i, i + 2, j, j + 1, joined, b);
    mine.gain = mine.new.points + freed * spare - worth_before;
    if (mine.gain > 100 && mine.new.points > 0 && mine.gain > best->gain) *best = mine;
}

/* names._join: the best gain from reading two neighbours of `a` as one word that meets one word of `b`. */
static joining join(const word *a, int n, const word *b, int m, const meeting *met, int count) {
    joining best = {.gain = 0};
    const meeting *at_i[MAX_PARTS] = {NULL}, *at_j[MAX_PARTS] = {NULL};
    for (int k = 0; k < count; k++) at_i[met[k].i] = &met[k], at_j[met[k].j] = &met[k];
    int spare = tables.only[shorter(n, m)][0];
    for (int i = 0; i + 1 < n; i++) {
        word joined;
        if (!poor(at_i[i], i + 1) && !poor(at_i[i + 1], i + 2)) continue;
        if (!merged(&a[i], &a[i + 1], &joined) || a[i].length < 2 || a[i + 1].length < 2) continue;
        for (int j = 0; j < m; j++) {
            const meeting *at[3] = {at_i[i], at_i[i + 1], at_j[j]};
            try_join(&joined, i, j, &b[j], met, at, spare, &best);
        }
    }
    return best;
}

static meeting turned(meeting g) {
    return (meeting){.points = g.points, .price = g.price, .info = g.info, .i = g.j, .i2 = g.j2, .j = g.i, .j2 = g.i2};
}

/* Takes the meetings of `best` away and puts the new one last. */
static int apply(meeting *met, int count, const joining *best, meeting new) {
    int kept = 0;
    for (int k = 0; k < count; k++) {
        int gone = 0;
        for (int l = 0; l < best->lost; l++) gone |= best->gone[l] == k;
        if (!gone) met[kept++] = met[k];
    }
    met[kept++] = new;
    return kept;
}

static int is_title(const word *w) { return w->worn & TITLE; }

/* The parts without a partner, titles last; how many are no titles goes to `plain`. */
static int left_over(const word *a, int n, int taken, int8_t *out, int *plain) {
    int count = 0;
    for (int title = 0; title < 2; title++) {
        for (int i = 0; i < n; i++)
            if (!(taken >> i & 1) && !is_title(&a[i]) == !title) out[count++] = (int8_t)i;
        if (!title) *plain = count;
    }
    return count;
}

/* names._alone: pairs of strangers are conflicts, the rest stand alone. */
static void alone(const word *a, int n, const word *b, int m, comparison *c) {
    int kept = 0, in_a = 0, in_b = 0, plain_a = 0, plain_b = 0;
    for (int k = 0; k < c->n; k++) {
        const meeting *g = &c->met[k];
        if (g->points <= conflict(g->info) && (is_title(&a[g->i]) || is_title(&b[g->j]))) continue;
        for (int i = g->i; i < g->i2; i++) in_a |= 1 << i;
        for (int j = g->j; j < g->j2; j++) in_b |= 1 << j;
        c->met[kept++] = *g;
    }
    c->n = kept;
    int8_t left[MAX_PARTS], right[MAX_PARTS];
    int lefts = left_over(a, n, in_a, left, &plain_a), rights = left_over(b, m, in_b, right, &plain_b);
    int both = least(plain_a, plain_b), seen = 0;
    for (int k = 0; k < both; k++)
        c->met[c->n++] = meet(left[k], left[k] + 1, right[k], right[k] + 1, &a[left[k]], &b[right[k]]);
    const int32_t *prices = tables.only[shorter(n, m)];
    for (int side = 0; side < 2; side++)
        for (int k = both; k < (side ? rights : lefts); k++) {
            int8_t x = side ? right[k] : left[k];
            int title = is_title(side ? &b[x] : &a[x]);
            meeting g = {.points = title ? tables.title : prices[least(seen, 2)]};
            seen += !title;
            if (side) g.j = x, g.j2 = x + 1;
            else g.i = x, g.i2 = x + 1;
            c->met[c->n++] = g;
        }
}

/* names.crossed: whether the met parts stand in another order. */
static int crossed(const comparison *c) {
    int8_t at[MAX_PARTS + 1];
    memset(at, -1, sizeof at);
    for (int k = 0; k < c->n; k++) {
        const meeting *g = &c->met[k];
        if (g->i2 > g->i && g->j2 > g->j && g->points > 0) at[g->i] = g->j;
    }
    int last = -1;
    for (int i = 0; i < MAX_PARTS; i++) {
        if (at[i] < 0) continue;
        if (at[i] < last) return 1;
        last = at[i];
    }
    return 0;
}

/* names.loose_ends: how many of the four ends met nothing like them. */
static int loose_ends(const word *a, int n, const word *b, int m, const comparison *c) {
    int good_a = 0, good_b = 0, out = 0;
    for (int k = 0; k < c->n; k++) {
        const meeting *g = &c->met[k];
        if (g->points <= 0) continue;
        for (int i = g->i; g->j2 > g->j && i < g->i2; i++) good_a |= 1 << i;
        for (int j = g->j; g->i2 > g->i && j < g->j2; j++) good_b |= 1 << j;
    }
    for (int k = 0; k < (n > 1 ? 2 : 1); k++) {
        int i = k ? n - 1 : 0;
        out += !(good_a >> i & 1) && !is_title(&a[i]);
    }
    for (int k = 0; k < (m > 1 ? 2 : 1); k++) {
        int j = k ? m - 1 : 0;
        out += !(good_b >> j & 1) && !is_title(&b[j]);
    }
    return out;
}

/* names.align and names.whole */
void compare(const word *a, int n, const word *b, int m, comparison *out) {
    meeting grid[MAX_PARTS][MAX_PARTS];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) grid[i][j] = meet(i, i + 1, j, j + 1, &a[i], &b[j]);
    out->n = assign(grid, n, m, out->met);
    for (int round = 0; round < 2; round++) {
        int dear = n != m;
        for (int k = 0; k < out->n && !dear; k++) dear = out->met[k].price > 150;
        if (!dear) break;
        joining here = join(a, n, b, m, out->met, out->n), there = {.gain = 0};
        if (m > 1) {
            meeting other[MAX_MET];
            for (int k = 0; k < out->n; k++) other[k] = turned(out->met[k]);
            there = join(b, m, a, n, other, out->n);
        }
        if (!here.gain && !there.gain) break;
        if (there.gain > here.gain) out->n = apply(out->met, out->n, &there, turned(there.new));
        else out->n = apply(out->met, out->n, &here, here.new);
    }
    alone(a, n, b, m, out);
    int scripts = scripts_of(a, b), ends = loose_ends(a, n, b, m, out);
    out->start = tables.start[scripts][shorter(n, m)];
    out->crossed = crossed(out);
    out->order = out->crossed ? tables.order : 0;
    out->loose = ends;
    out->ends = ends ? tables.ends[shorter(n, m)][ends - 1] : 0;
}

/* Whether the letters of `a` stand before those of `b`: the order in which names._sorted puts two names. */
int precedes(const word *a, int n, const word *b, int m) {
    for (int k = 0; k < least(n, m); k++) {
        int differ = memcmp(a[k].letters, b[k].letters, MAX_LETTERS);
        if (differ) return differ < 0;
    }
    return n < m;
}

/* What compare and judge found, added up. */
int total_of(const comparison *c) {
    int total = c->start + c->order + c->ends;
    for (int k = 0; k < c->n; k++) total += c->met[k].points;
    for (int k = 0; k < TOLD; k++) total += c->told[k];
    return total;
}

int centibits(const word *a, int n, const word *b, int m) {
    comparison c;
    if (precedes(b, m, a, n)) {
        compare(b, m, a, n, &c);
        judge(b, m, a, n, SUM, &c);
    } else {
        compare(a, n, b, m, &c);
        judge(a, n, b, m, SUM, &c);
    }
    return total_of(&c);
}

double probability(int centibits_) {
    /* volatile: a compiler may not turn pow(2, x) into exp2(x), whose last bit may differ from Python's */
    volatile double two = 2.0;
    double bits = centibits_ / 100.0;
    if (bits < -60) return pow(two, bits > -1000.0 ? bits : -1000.0);
    return 1.0 / (1.0 + pow(two, -bits));
}

/* names._how: a word for the way two parts met. */
int how_met(const word *a, const word *b, const meeting *g) {
    int how;
    if (g->i2 == g->i) return is_title(&b[g->j]) ? HOW_TITLE : HOW_ALONE;
    if (g->j2 == g->j) return is_title(&a[g->i]) ? HOW_TITLE : HOW_ALONE;
    const word *p = &a[g->i], *q = &b[g->j];
    if (g->info < 0) return g->points > conflict(0) ? HOW_INITIAL : HOW_INITIAL_CONFLICT;
    if (g->points <= conflict(g->info)) return HOW_DIFFERENT;
    if (spans_two(g)) return HOW_TOGETHER;
    if (same_letters(p, q)) return (p->worn & ARTICLE) == (q->worn & ARTICLE) ? HOW_SAME : HOW_ARTICLE;
    if (p->particle != q->particle) return HOW_PARTICLE;
    price_of(p, q, &how);
    if (how == GROUP) return HOW_FORM;
    if (g->price > most(400, g->points)) return HOW_WEAK;
    return p->script != q->script ? HOW_SCRIPTS : HOW_SPELLINGS;
}
