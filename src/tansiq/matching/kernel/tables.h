/* The tables of this kernel, filled from Python by `load`; nothing here is known before. */
#ifndef TANSIQ_TABLES_H
#define TANSIQ_TABLES_H

#include "names.h"

/* What a written word is in itself. */
enum { IS_KNOWN = 1, IS_ARTICLE = 2, IS_ASSIMILATED = 4, IS_TITLE = 8, IS_SERVANT = 16, IS_RELIGION = 32, IS_GOD = 64 };

typedef struct {
    uint8_t letters[MAX_LETTERS];
    uint8_t length; /* 0: a free place */
    uint8_t prefix; /* 0, or 1 + kind of particle */
    uint16_t facts, link, group;
    uint16_t abbreviation; /* 0, or 1 + place in full_forms */
    uint16_t rarity;
    uint8_t common, given; /* given: 0, or 1 + class */
} entry;

typedef struct {
    entry *places;
    size_t size; /* a power of two, at most half full */
} dictionary;

typedef struct {
    uint8_t letters[MAX_LETTERS];
    uint8_t length;
} letters_t;

typedef struct {
    letters_t head[2]; /* by script, with its hyphen; empty for `of` */
    uint8_t units[2];
    int8_t skip; /* kind of beginning, or -1 */
} particle_t;

typedef struct {
    letters_t letters;
    uint8_t unit;
    uint8_t next; /* 0, or 1 + the next that begins with the same letter */
} grapheme;

/* Arabic words of the rules in parts.c, in the order in which Python hands them over. */
enum { AL, BU, BL, BN, WLD, ABD, ABU, ABDAL, ALDIN, DIN, LAH, ALLAH, ABD_, PHRASES };
/* Beginnings of parts.c, in the order in which Python hands over their kinds. */
enum { S_ARTICLE_ARABIC, S_FATHER, S_SON_ARTICLE, S_SON, S_OULD, S_SERVANT, S_ARTICLE, S_ASSIMILATED, BEGINNINGS };
enum { MAX_GRAPHEMES = MAX_ALPHABET, GRAPHEME_LETTERS = 4 };

typedef struct {
    dictionary words, skeletons;
    letters_t *full_forms;
    size_t n_full_forms;
    particle_t particles[MAX_KINDS + 1]; /* 1 + kind */
    letters_t phrases[PHRASES];
    uint8_t beginnings[BEGINNINGS];
    uint8_t doubled[256];             /* a letter that counts once when written twice */
    uint8_t vowel[MAX_ALPHABET], class_of[MAX_ALPHABET];
    uint8_t arabic_unit[256];         /* 0, or 1 + unit of an Arabic letter */
    grapheme graphemes[MAX_GRAPHEMES]; /* longest first */
    uint8_t grapheme_of[256]; /* 0, or 1 + the first that begins with a letter */
    int16_t rare, rare_empty; /* rarity of what was never seen, and of a word without consonants */
    uint8_t of, son, father;  /* kinds of particles with rules of their own */
} lexicon_t;

extern lexicon_t lexicon;

const entry *look_up(const dictionary *in, const uint8_t *letters, size_t length);
/* Fetches the word's place from memory while other work is done: waiting for it was most of what looking up cost. */
void expect(const dictionary *in, const uint8_t *letters, size_t length);

/* {name: bytes or int or callable} -> 0, or -1 with an exception; the kernel is then not loaded. */
int load_tables(PyObject *raw);

/* text.c: what a character is folded to; forgets all on a new load. */
int load_folding(PyObject *fold, PyObject *normalize);

typedef struct {
    uint8_t script, length, letters[MAX_LETTERS];
    int16_t begin, end;
} token;

int words(const text *from, token out[MAX_WORDS]);

/* parts.skeleton of the units from `from` on; how long it is */
int skeleton_from(const word *w, int from, uint8_t out[MAX_UNITS]);

int units(int script, const uint8_t *letters, int length, uint8_t out[MAX_UNITS]);

/* judge.c */
enum { TOLD = 4, MAX_ASKED = 77 };

/* What groups of letters tell and how rare they are, from the same dict. */
int load_groups(PyObject *raw);

/* The trees, from the same dict as load_tables; 0, or -1 with an exception and the old ones kept. */
int load_forest(PyObject *raw, int32_t bound);

/* names.c */
typedef struct {
    int n, crossed, loose; /* meetings; whether the order differs; how many ends met nothing */
    meeting met[4 * MAX_PARTS];
    int32_t start, order, ends; /* centibits; order and ends are 0 when they do not count */
    int32_t told[TOLD];         /* what judge() says */
} comparison;

void compare(const word *a, int n, const word *b, int m, comparison *out);
/* TELL: what it says is told apart; else the sum stands first and the rest is 0. FOUND: as judge.as_found. */
enum { SUM, TELL, FOUND };
void judge(const word *a, int n, const word *b, int m, int tell, comparison *c);
int total_of(const comparison *c);
int how_met(const word *a, const word *b, const meeting *g);
int precedes(const word *a, int n, const word *b, int m);
/* What names._how answers, in the order of HOW in kernel/__init__.py. */
enum { HOW_INITIAL, HOW_INITIAL_CONFLICT, HOW_DIFFERENT, HOW_TOGETHER, HOW_SAME, HOW_ARTICLE, HOW_PARTICLE, HOW_FORM,
       HOW_WEAK, HOW_SCRIPTS, HOW_SPELLINGS, HOW_ALONE, HOW_TITLE };

#endif
