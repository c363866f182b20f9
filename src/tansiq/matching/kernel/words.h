/* A name as the kernel sees it: a row of word records, and what one record is worth against another.
 *
 * A record is flat, of one size and without pointers, so that an array of them can be mapped from disk and used
 * as it lies. It is valid for the tables whose version it was made with (tables.version): prices, rarity and the
 * ids of links and groups come from them. Nothing learned is written here: all numbers are loaded from Python.
 *
 * The functions keep the names of their Python twins in edit.py and names.py and give the same whole numbers.
 */
#ifndef TANSIQ_WORDS_H
#define TANSIQ_WORDS_H

#include <stdint.h>
#include <string.h>

enum { LATIN = 0, ARABIC = 1 };
enum { MAX_CHARS = 400, MAX_WORDS = 24, MAX_LETTERS = 40, MAX_UNITS = 22, MAX_PARTS = 10 };
enum { MAX_ALPHABET = 128, CONTEXTS = 7, MAX_SKIP_KINDS = 32, MAX_KINDS = 16, KNOTS_END = 2048 };

/* What belongs to a word wherever it stands. */
enum { KNOWN = 1 };
/* What belongs to it in one name only: a register that keeps each word once sets `worn` and `particle` to 0. */
enum { ARTICLE = 1, TITLE = 2 };

typedef struct word {
    int16_t start[2][MAX_UNITS + 2]; /* [other script][k]: price of leaving out the first k units */
    int16_t gap[2][MAX_UNITS];       /* [other script][i]: price of leaving out unit i */
    int16_t rarity;                  /* centibits */
    uint16_t link;                   /* 0, or which list of tables.links: the Arabic names it spells */
    uint16_t group;                  /* 0, or which list of tables.groups: forms of one given name */
    uint8_t script;
    uint8_t n;        /* units */
    uint8_t length;   /* letters */
    uint8_t core;     /* where the word begins without its article or particle */
    uint8_t flags;    /* KNOWN */
    uint8_t worn;     /* ARTICLE, TITLE */
    uint8_t particle; /* 0, or 1 + its kind */
    uint8_t skeletons;
    uint8_t skeleton[MAX_UNITS]; /* coarse consonants of the core, ASCII */
    uint8_t units[MAX_UNITS];
    uint8_t letters[MAX_LETTERS]; /* one byte a letter, in the order of Unicode, rest 0 */
    uint8_t common; /* how common the spelling is: the bit length of its count */
    uint8_t given;  /* how often it stands first, 0 to 4 */
    uint8_t reserved[4];
} word;

_Static_assert(sizeof(word) == 288, "a word record has one size");

typedef struct {
    uint32_t at, count; /* tables.members[at .. at + count), ascending */
} list;

typedef struct {
    int loaded;
    uint64_t version;
    int units;                                 /* size of the alphabet */
    int16_t sub[MAX_ALPHABET][MAX_ALPHABET];   /* price of one unit read as another */
    int16_t gap[2][CONTEXTS][MAX_ALPHABET];    /* price of leaving one out, by the other script and where it stands */
    int16_t skip[MAX_SKIP_KINDS];              /* price of leaving out a beginning */
    int32_t worth[KNOTS_END], conflict[KNOTS_END]; /* by rarity; what is rarer counts as the last */
    int32_t start[3][4], only[4][3], ends[4][4];
    int32_t edited[3][3][3], linked[3][3];
    int32_t initial, title, order, join, group, accent, slip, far;
    uint8_t bare[256]; /* a letter without its accent */
    list *links, *groups;
    uint32_t n_links, n_groups, n_members;
    uint16_t *members;
} tables_t;

extern tables_t tables;

/* How a price came about. */
enum { EDIT, JUDGED, ACCENT, GROUP };

typedef struct {
    int32_t points, price, info;
    int8_t i, i2, j, j2;
} meeting;

static inline int least(int x, int y) { return x < y ? x : y; }
static inline int most(int x, int y) { return x > y ? x : y; }

static inline int worth(int info) { return tables.worth[most(0, least(info, KNOTS_END - 1))]; }
static inline int conflict(int info) { return tables.conflict[most(0, least(info, KNOTS_END - 1))]; }

static inline int same_letters(const word *a, const word *b) {
    return a->length == b->length && memcmp(a->letters, b->letters, a->length) == 0;
}

static inline int same_bare(const word *a, const word *b) {
    if (a->length != b->length) return 0;
    for (int i = 0; i < a->length; i++)
        if (tables.bare[a->letters[i]] != tables.bare[b->letters[i]]) return 0;
    return 1;
}

/* Whether two ascending lists share a member. */
static inline int meets(list x, list y) {
    const uint16_t *p = tables.members + x.at, *q = tables.members + y.at;
    const uint16_t *p_end = p + x.count, *q_end = q + y.count;
    while (p < p_end && q < q_end) {
        if (*p == *q) return 1;
        if (*p < *q) p++;
        else q++;
    }
    return 0;
}

/* edit.cost: centibits; 0 for the same spelling. */
static inline int cost(const word *a, const word *b) {
    int n = a->n, m = b->n;
    if (n == m && memcmp(a->units, b->units, (size_t)n) == 0) return 0;
    const int16_t *ga = a->gap[b->script], *sa = a->start[b->script];
    const int16_t *gb = b->gap[a->script], *sb = b->start[a->script];
    int32_t row[MAX_UNITS + 1];
    for (int j = 0; j <= m; j++) row[j] = sb[j];
    for (int i = 0; i < n; i++) {
        const int16_t *sub = tables.sub[a->units[i]];
        int g = ga[i], diagonal = row[0], left = sa[i + 1];
        row[0] = left;
        for (int j = 0; j < m; j++) {
            int above = row[j + 1];
            int best = least(diagonal + sub[b->units[j]], above + g);
            left = least(left + gb[j], best);
            diagonal = above;
            row[j + 1] = left;
        }
    }
    return least(row[m], tables.far);
}

/* names.relation: 0 nothing, 1 spellings of one Arabic name, 2 of two different ones. */
static inline int relation(const word *a, const word *b) {
    if (!a->link || !b->link || (a->script == ARABIC && b->script == ARABIC)) return 0;
    return meets(tables.links[a->link], tables.links[b->link]) ? 1 : 2;
}

static inline int akin(const word *a, const word *b) {
    if (!a->group || !b->group) return 0;
    return meets(tables.groups[a->group], tables.groups[b->group]);
}

/* names.price_of: what two different spellings cost, and how. */
static inline int price_of(const word *a, const word *b, int *how) {
    int raw = cost(a, b);
    *how = EDIT;
    if (raw == 0 && same_letters(a, b)) return 0;
    if (a->script == b->script && same_bare(a, b)) {
        *how = ACCENT;
        return least(raw, tables.accent);
    }
    int scripts = a->script + b->script, n = least(a->n, b->n);
    int common = (a->flags & KNOWN) + (b->flags & KNOWN), length = n <= 3 ? 0 : n <= 5 ? 1 : 2;
    int tie = relation(a, b);
    int floor = scripts == 1 && tie == 0 ? tables.slip : 0;
    if (raw > floor || tie == 2) {
        raw = most(floor, raw + tables.edited[scripts][common][length] + tables.linked[scripts][tie]);
        *how = JUDGED;
    }
    if (raw > tables.group && akin(a, b)) {
        *how = GROUP;
        return tables.group;
    }
    return raw;
}

/* Whether a record that was mapped from disk keeps within its own bounds: ask once before any other use. */
static inline int word_sound(const word *w) {
    if (w->n == 0 || w->n > MAX_UNITS || w->length == 0 || w->length > MAX_LETTERS || w->script > ARABIC) return 0;
    if (w->core > w->n || w->skeletons > MAX_UNITS || (w->flags & ~KNOWN) || w->rarity < 0) return 0;
    if (w->link && w->link >= tables.n_links) return 0;
    if (w->group && w->group >= tables.n_groups) return 0;
    for (int i = 0; i < w->n; i++)
        if (w->units[i] >= tables.units) return 0;
    return 1;
}

/* Worth minus price of two words, without the floor and without initials (batch.Words.points). */
static inline int points(const word *a, const word *b) {
    int how;
    return worth((a->rarity + b->rarity) / 2) - price_of(a, b, &how);
}

/* names._initial, or the same letter twice. */
static inline int initial(const word *a, const word *b) {
    const word *s = a->length <= b->length ? a : b;
    return s->length == 1 && a->script == b->script && a->letters[0] == b->letters[0];
}

/* names.meet: parts i..i2 of one name, read as `a`, against parts j..j2 of the other, read as `b`. */
static inline meeting meet(int i, int i2, int j, int j2, const word *a, const word *b) {
    meeting g = {.i = (int8_t)i, .i2 = (int8_t)i2, .j = (int8_t)j, .j2 = (int8_t)j2};
    if (a->length == 1 || b->length == 1) {
        g.points = initial(a, b) ? tables.initial : conflict(0);
        g.info = -1;
        return g;
    }
    int how, info = (a->rarity + b->rarity) / 2;
    g.price = price_of(a, b, &how) - (i2 - i + j2 - j > 2 ? tables.join : 0);
    g.points = most(worth(info) - g.price, conflict(info));
    g.info = info;
    return g;
}

#endif
