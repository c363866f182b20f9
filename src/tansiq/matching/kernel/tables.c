/* Tables from Python to C, each size checked against what the kernel has room for. */
#include "tables.h"

#include <stdlib.h>

tables_t tables;
lexicon_t lexicon;
int at_work;

static uint64_t hash(const uint8_t *letters, size_t length) {
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < length; i++) h = (h ^ letters[i]) * 1099511628211u;
    return h ^ (h >> 29);
}

const entry *look_up(const dictionary *in, const uint8_t *letters, size_t length) {
    if (!in->size || length == 0 || length > MAX_LETTERS) return NULL;
    for (size_t at = hash(letters, length) & (in->size - 1);; at = (at + 1) & (in->size - 1)) {
        const entry *e = &in->places[at];
        if (!e->length) return NULL;
        if (e->length == length && memcmp(e->letters, letters, length) == 0) return e;
    }
}

void expect(const dictionary *in, const uint8_t *letters, size_t length) {
    if (!in->size || length == 0 || length > MAX_LETTERS) return;
#if defined(__GNUC__)
    const entry *e = &in->places[hash(letters, length) & (in->size - 1)];
    __builtin_prefetch(e);
    __builtin_prefetch(&e->length);
#endif
}

/* The place of a word, a new one if need be; the caller has made room for all. */
static entry *place(dictionary *in, const uint8_t *letters, size_t length) {
    size_t at = hash(letters, length) & (in->size - 1);
    while (in->places[at].length && (in->places[at].length != length || memcmp(in->places[at].letters, letters, length)))
        at = (at + 1) & (in->size - 1);
    entry *e = &in->places[at];
    memcpy(e->letters, letters, length);
    e->length = (uint8_t)length;
    return e;
}

static int room(dictionary *in, size_t wanted) {
    size_t size = 64;
    while (size < 2 * wanted) size *= 2;
    free(in->places);
    in->places = calloc(size, sizeof(entry));
    in->size = in->places ? size : 0;
    if (!in->places) PyErr_NoMemory();
    return in->places ? 0 : -1;
}

/* A bytes object of the dict; NULL with an exception when it is missing or no bytes. Borrowed. */
static const uint8_t *bytes_of(PyObject *raw, const char *key, size_t *size) {
    PyObject *value = PyDict_GetItemString(raw, key);
    if (!value || !PyBytes_Check(value)) {
        PyErr_Format(PyExc_ValueError, "the kernel's table %s is missing", key);
        return NULL;
    }
    *size = (size_t)PyBytes_Size(value);
    return (const uint8_t *)PyBytes_AsString(value);
}

/* Exactly `size` bytes. */
static int take(PyObject *raw, const char *key, void *to, size_t size) {
    size_t got;
    const uint8_t *from = bytes_of(raw, key, &got);
    if (!from) return -1;
    if (got != size) {
        PyErr_Format(PyExc_ValueError, "the kernel's table %s has %zu bytes, not %zu", key, got, size);
        return -1;
    }
    memcpy(to, from, size);
    return 0;
}

/* Reads the next of the words that spaces part; 0 at the end, -1 when one is too long. */
static int next_word(const uint8_t **from, const uint8_t *end, letters_t *out) {
    const uint8_t *p = *from;
    if (p >= end) return 0;
    size_t length = 0;
    while (p + length < end && p[length] != ' ') length++;
    if (length > MAX_LETTERS) {
        PyErr_SetString(PyExc_ValueError, "a word of the kernel's tables is too long");
        return -1;
    }
    memset(out, 0, sizeof *out);
    memcpy(out->letters, p, length);
    out->length = (uint8_t)length;
    *from = p + length + 1;
    return 1;
}

/* Words of one kind with a number each. `set` writes the number into the word's place. */
static int fill(PyObject *raw, const char *key, dictionary *in, void (*set)(entry *, uint16_t)) {
    char values_key[64];
    PyOS_snprintf(values_key, sizeof values_key, "%s_values", key);
    size_t size, values_size, at = 0;
    const uint8_t *from = bytes_of(raw, key, &size), *values = from ? bytes_of(raw, values_key, &values_size) : NULL;
    if (!values) return -1;
    const uint8_t *end = from + size;
    letters_t word_;
    int more;
    while ((more = next_word(&from, end, &word_)) > 0) {
        uint16_t value;
        if (2 * at + 2 > values_size || !word_.length) {
            PyErr_Format(PyExc_ValueError, "the kernel's table %s lacks a value", key);
            return -1;
        }
        memcpy(&value, values + 2 * at++, 2);
        set(place(in, word_.letters, word_.length), value);
    }
    if (more == 0 && 2 * at != values_size) {
        PyErr_Format(PyExc_ValueError, "the kernel's table %s has values without words", key);
        return -1;
    }
    return more;
}

static void set_facts(entry *e, uint16_t value) { e->facts |= value; }
static void set_link(entry *e, uint16_t value) { e->link = value < tables.n_links ? value : 0; }
static void set_group(entry *e, uint16_t value) { e->group = value < tables.n_groups ? value : 0; }
static void set_prefix(entry *e, uint16_t value) { e->prefix = value <= MAX_KINDS ? (uint8_t)value : 0; }
static void set_abbreviation(entry *e, uint16_t value) { e->abbreviation = value <= lexicon.n_full_forms ? value : 0; }
static void set_common(entry *e, uint16_t value) { e->common = (uint8_t)least(value, 255); }
static void set_given(entry *e, uint16_t value) { e->given = (uint8_t)(1 + least(value, 4)); }
static void set_rarity(entry *e, uint16_t value) { e->rarity = value; }

/* Lists of ids: offsets (uint32, one more than lists) into members. */
static int lists(PyObject *raw, const char *key, list **to, uint32_t *count) {
    size_t size;
    const uint8_t *from = bytes_of(raw, key, &size);
    if (!from) return -1;
    free(*to);
    *to = malloc(size ? size : 1);
    *count = 0;
    if (!*to) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(*to, from, size);
    *count = (uint32_t)(size / sizeof(list));
    for (uint32_t k = 0; k < *count; k++)
        if ((uint64_t)(*to)[k].at + (*to)[k].count > tables.n_members) {
            PyErr_Format(PyExc_ValueError, "the kernel's table %s points outside", key);
            return -1;
        }
    if (size % sizeof(list) == 0) return 0;
    PyErr_Format(PyExc_ValueError, "the kernel's table %s has another size", key);
    return -1;
}

static int load_numbers(PyObject *raw) {
    if (take(raw, "worth", tables.worth, sizeof tables.worth) || take(raw, "conflict", tables.conflict, sizeof tables.conflict) ||
        take(raw, "start", tables.start, sizeof tables.start) || take(raw, "only", tables.only, sizeof tables.only) ||
        take(raw, "ends", tables.ends, sizeof tables.ends) || take(raw, "edited", tables.edited, sizeof tables.edited) ||
        take(raw, "linked", tables.linked, sizeof tables.linked) || take(raw, "bare", tables.bare, sizeof tables.bare) ||
        take(raw, "sub", tables.sub, sizeof tables.sub) || take(raw, "gap", tables.gap, sizeof tables.gap) ||
        take(raw, "skip", tables.skip, sizeof tables.skip) || take(raw, "version", &tables.version, sizeof tables.version))
        return -1;
    int32_t single[15];
    if (take(raw, "single", single, sizeof single)) return -1;
    tables.initial = single[0], tables.title = single[1], tables.order = single[2], tables.join = single[3];
    tables.group = single[4], tables.accent = single[5], tables.slip = single[6], tables.far = single[7];
    tables.units = single[8], lexicon.rare = (int16_t)single[9];
    lexicon.rare_empty = (int16_t)single[10], lexicon.of = (uint8_t)single[11], lexicon.son = (uint8_t)single[12];
    lexicon.father = (uint8_t)single[13];
    if (load_forest(raw, single[14]) || load_groups(raw)) return -1;
    if (tables.units < 1 || tables.units > MAX_ALPHABET) {
        PyErr_SetString(PyExc_ValueError, "an alphabet that the kernel has no room for");
        return -1;
    }
    return 0;
}

static int load_lists(PyObject *raw) {
    size_t size;
    const uint8_t *from = bytes_of(raw, "members", &size);
    if (!from) return -1;
    free(tables.members);
    tables.members = malloc(size ? size : 1);
    tables.n_members = 0;
    if (!tables.members) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(tables.members, from, size);
    tables.n_members = (uint32_t)(size / sizeof(uint16_t));
    return lists(raw, "links", &tables.links, &tables.n_links) || lists(raw, "groups", &tables.groups, &tables.n_groups) ? -1 : 0;
}

/* Reads at most `most_` words into an array; how many, or -1. */
static int several(PyObject *raw, const char *key, letters_t *to, size_t most_) {
    size_t size, count = 0;
    const uint8_t *from = bytes_of(raw, key, &size);
    if (!from) return -1;
    const uint8_t *end = from + size;
    letters_t one;
    int more;
    while ((more = next_word(&from, end, &one)) > 0) {
        if (count == most_) {
            PyErr_Format(PyExc_ValueError, "the kernel's table %s is too long", key);
            return -1;
        }
        to[count++] = one;
    }
    return more < 0 ? -1 : (int)count;
}

static int load_spelling(PyObject *raw) {
    letters_t spelled[MAX_GRAPHEMES];
    uint8_t ids[MAX_GRAPHEMES];
    int count = several(raw, "graphemes", spelled, MAX_GRAPHEMES);
    if (count < 0 || take(raw, "grapheme_units", ids, (size_t)count)) return -1;
    for (int k = 0; k < count; k++) {
        if (ids[k] >= tables.units || !spelled[k].length || spelled[k].length > GRAPHEME_LETTERS) {
            PyErr_SetString(PyExc_ValueError, "a grapheme that the kernel has no room for");
            return -1;
        }
    }
    memset(lexicon.grapheme_of, 0, sizeof lexicon.grapheme_of);
    for (int k = count - 1; k >= 0; k--) {
        uint8_t *first = &lexicon.grapheme_of[spelled[k].letters[0]];
        lexicon.graphemes[k] = (grapheme){spelled[k], ids[k], *first};
        *first = (uint8_t)(k + 1);
    }
    if (take(raw, "arabic_unit", lexicon.arabic_unit, 256) || take(raw, "doubled", lexicon.doubled, 256) ||
        take(raw, "vowel", lexicon.vowel, MAX_ALPHABET) || take(raw, "class_of", lexicon.class_of, MAX_ALPHABET))
        return -1;
    for (int c = 0; c < 256; c++)
        if (lexicon.arabic_unit[c] > tables.units) lexicon.arabic_unit[c] = 0;
    int phrases = several(raw, "phrases", lexicon.phrases, PHRASES);
    if (phrases < 0 || take(raw, "beginnings", lexicon.beginnings, BEGINNINGS)) return -1;
    for (int k = 0; k < BEGINNINGS; k++)
        if (lexicon.beginnings[k] >= MAX_SKIP_KINDS) phrases = 0;
    if (phrases != PHRASES) PyErr_SetString(PyExc_ValueError, "the kernel knows other phrases");
    return phrases == PHRASES ? 0 : -1;
}

static int load_particles(PyObject *raw) {
    letters_t heads[2 * MAX_KINDS];
    int8_t facts[3 * MAX_KINDS];
    int count = several(raw, "heads", heads, 2 * MAX_KINDS);
    if (count > 0 && count % 2) PyErr_SetString(PyExc_ValueError, "the kernel's table heads holds no pairs");
    if (count < 0 || count % 2 || take(raw, "head_facts", facts, (size_t)(count / 2 * 3))) return -1;
    memset(lexicon.particles, 0, sizeof lexicon.particles);
    for (int k = 0; k < count / 2; k++) {
        particle_t *p = &lexicon.particles[k + 1];
        for (int script = 0; script < 2; script++) {
            if (facts[3 * k + script]) p->head[script] = heads[2 * k + script];
            if (facts[3 * k + script] < 0 || facts[3 * k + script] > MAX_UNITS || facts[3 * k + 2] >= MAX_SKIP_KINDS) {
                PyErr_SetString(PyExc_ValueError, "a particle that the kernel has no room for");
                return -1;
            }
            p->units[script] = (uint8_t)facts[3 * k + script];
        }
        p->skip = facts[3 * k + 2];
    }
    return 0;
}

static size_t count_words(PyObject *raw, const char *const *keys) {
    size_t total = 0, size;
    for (; *keys; keys++) {
        const uint8_t *from = bytes_of(raw, *keys, &size);
        if (!from) return (size_t)-1;
        for (size_t i = 0; i < size; i++) total += from[i] == ' ';
        total++;
    }
    return total;
}

static int load_words(PyObject *raw) {
    static const char *const keys[] = {"facts", "link", "group", "prefix", "abbreviation", "common", "given", NULL};
    static const char *const skeletons[] = {"skeleton", NULL};
    size_t wanted = count_words(raw, keys), shapes = wanted == (size_t)-1 ? wanted : count_words(raw, skeletons), size;
    if (shapes == (size_t)-1 || room(&lexicon.words, wanted) || room(&lexicon.skeletons, shapes)) return -1;
    const uint8_t *forms = bytes_of(raw, "full_forms", &size);
    if (!forms) return -1;
    free(lexicon.full_forms);
    lexicon.n_full_forms = 0;
    lexicon.full_forms = calloc(size + 1, sizeof(letters_t)); /* more than the words in it */
    if (!lexicon.full_forms) {
        PyErr_NoMemory();
        return -1;
    }
    int count = several(raw, "full_forms", lexicon.full_forms, size + 1);
    if (count < 0) return -1;
    lexicon.n_full_forms = (size_t)count;
    return fill(raw, "facts", &lexicon.words, set_facts) || fill(raw, "link", &lexicon.words, set_link) ||
                   fill(raw, "group", &lexicon.words, set_group) || fill(raw, "prefix", &lexicon.words, set_prefix) ||
                   fill(raw, "abbreviation", &lexicon.words, set_abbreviation) ||
                   fill(raw, "common", &lexicon.words, set_common) || fill(raw, "given", &lexicon.words, set_given) ||
                   fill(raw, "skeleton", &lexicon.skeletons, set_rarity)
               ? -1
               : 0;
}

int load_tables(PyObject *raw) {
    if (at_work) {
        PyErr_SetString(PyExc_RuntimeError, "another thread compares names");
        return -1;
    }
    tables.loaded = 0;
    if (load_numbers(raw) || load_lists(raw) || load_spelling(raw) || load_particles(raw) || load_words(raw)) return -1;
    if (load_folding(PyDict_GetItemString(raw, "fold"), PyDict_GetItemString(raw, "normalize"))) return -1;
    tables.loaded = 1;
    return 0;
}
