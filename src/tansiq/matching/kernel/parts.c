/* parts.py in C: from the words of a name to its parts, particles and articles bound to them. */
#include "tables.h"

static int is_vowel(int c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }
static int is_vowel_but_i(int c) { return c == 'a' || c == 'e' || c == 'o' || c == 'u'; }
static int is_sun(int c) { return c == 'r' || c == 's' || c == 'n' || c == 'z' || c == 't' || c == 'd'; }

static int at_of(const letters_t *w, int i) { return i < w->length ? w->letters[i] : 0; }

static int begins(const letters_t *w, const char *with) {
    size_t n = strlen(with);
    return w->length >= n && memcmp(w->letters, with, n) == 0;
}

static int begins_with(const letters_t *w, int phrase) {
    const letters_t *p = &lexicon.phrases[phrase];
    return w->length >= p->length && memcmp(w->letters, p->letters, p->length) == 0;
}

static int equals(const uint8_t *letters, int length, int phrase) {
    const letters_t *p = &lexicon.phrases[phrase];
    return p->length == length && memcmp(p->letters, letters, (size_t)length) == 0;
}

static int facts_of(const uint8_t *letters, int length) {
    const entry *e = look_up(&lexicon.words, letters, (size_t)most(length, 0));
    return e ? e->facts : 0;
}

/* Adds letters at the end; what is beyond MAX_LETTERS is cut. */
static void append(letters_t *to, const uint8_t *letters, int length) {
    length = least(length, MAX_LETTERS - to->length);
    if (length <= 0) return;
    memcpy(to->letters + to->length, letters, (size_t)length);
    to->length = (uint8_t)(to->length + length);
}

static letters_t joined(const uint8_t *a, int n, const uint8_t *b, int m) {
    letters_t out = {{0}, 0};
    append(&out, a, n);
    append(&out, b, m);
    return out;
}

/* `head` and then the word from its letter `from` on. */
static letters_t with_head(const char *head, const letters_t *w, int from) {
    return joined((const uint8_t *)head, (int)strlen(head), w->letters + from, w->length - from);
}

static letters_t with_phrase(int phrase, const letters_t *w, int from) {
    const letters_t *p = &lexicon.phrases[phrase];
    return joined(p->letters, p->length, w->letters + from, w->length - from);
}

/* parts._FUSED_SERVANT: how much of `abd...` goes, or 0. */
static int fused_servant(const letters_t *w) {
    int vowels = is_vowel_but_i(at_of(w, 3)) ? 1 + is_vowel_but_i(at_of(w, 4)) : 0;
    for (; vowels > 0; vowels--) {
        int p = 3 + vowels, c = at_of(w, p), l = p;
        while (at_of(w, l) == 'l') l++;
        if (l > p && at_of(w, l) == 'a' && (l + 1 == w->length || (at_of(w, l + 1) == 'h' && l + 2 == w->length))) continue;
        if (is_sun(c) && at_of(w, p + 1) == c) return p + 1;
        if (c == 'l') {
            int q = p + 1 + (at_of(w, p + 1) == 'l');
            if (q + 1 < w->length && at_of(w, q) != 'l' && at_of(w, q + 1) != 'l') return p + 1;
        }
        if (c == 'r' || c == 's' || c == 'n' || c == 'z' || c == 't' || c == 'h') return p;
    }
    return 0;
}

/* `din` and its spellings from letter p to the end. */
static int ends_in_din(const letters_t *w, int p) {
    if (at_of(w, p) != 'd') return 0;
    p++;
    if (at_of(w, p) == 'e' && at_of(w, p + 1) == 'e' && at_of(w, p + 2) == 'n') p += 3;
    else if (at_of(w, p) == 'i' && at_of(w, p + 1) == 'e' && at_of(w, p + 2) == 'n') p += 3;
    else if (at_of(w, p) == 'i' && at_of(w, p + 1) == 'n') p += 2;
    else return 0;
    return p == w->length || (p + 1 == w->length && (at_of(w, p) == 'e' || at_of(w, p) == 'a'));
}

/* parts._FUSED_RELIGION: how many letters stand before it, or 0. */
static int fused_religion(const letters_t *w) {
    for (int k = 2; k < w->length; k++)
        for (int v = 0, p = k; v <= 2; v++, p++) {
            int c = at_of(w, p);
            if (ends_in_din(w, p) || ((c == 'd' || c == 'l') && ends_in_din(w, p + 1))) return k;
            if (!is_vowel(c)) break;
        }
    return 0;
}

/* parts._FUSED_FATHER: how much goes, or 0. */
static int fused_father(const letters_t *w) {
    int p = at_of(w, 0) == 'a';
    if (at_of(w, p) != 'b') return 0;
    p++;
    int c = at_of(w, p), d = at_of(w, p + 1), lengths[2] = {0, 0};
    if (c == 'o' && (d == 'u' || d == 'o')) lengths[0] = 2;
    if (c == 'u') lengths[1] = 1;
    for (int k = 0; k < 2; k++) {
        int q = p + lengths[k];
        if (lengths[k] && q + 3 <= w->length && !is_vowel(at_of(w, q))) return q;
    }
    return 0;
}

/* parts._rewrite */
static letters_t rewrite(int script, letters_t w) {
    if (script == ARABIC) {
        if (begins_with(&w, ABDAL) && w.length > 6 && !equals(w.letters + 5, w.length - 5, LAH) &&
            !(facts_of(w.letters + 3, w.length - 3) & IS_GOD))
            return with_phrase(ABD_, &w, 5);
        const letters_t *end = &lexicon.phrases[ALDIN], *din = &lexicon.phrases[DIN];
        if (w.length > 6 && equals(w.letters + w.length - end->length, end->length, ALDIN))
            return joined(w.letters, w.length - end->length, din->letters, din->length);
        return begins_with(&w, ABU) && w.length > 5 ? with_phrase(BU, &w, 3) : w;
    }
    int at = begins(&w, "abd") && w.length > 5 ? fused_servant(&w) : 0;
    if (at) w = with_head("abd-", &w, at);
    at = w.length > 5 ? fused_religion(&w) : 0;
    if (at) w = joined(w.letters, at, (const uint8_t *)"din", 3);
    at = fused_father(&w);
    return at ? with_head("bou", &w, at) : w;
}

typedef struct {
    int units, kind; /* units 0: none */
} skip_t;

static int assimilated(const letters_t *w) {
    int c = at_of(w, 1), d = at_of(w, 2), e = at_of(w, 3), f = at_of(w, 4);
    if (at_of(w, 0) != 'a' && at_of(w, 0) != 'e') return 0;
    if (is_sun(c) && d == c) return 1;
    if (((c == 's' || c == 'c' || c == 't') && d == 'h') || (c == 'd' && (d == 'j' || d == 'h')))
        if (e == c && f == d) return 1;
    return (c == 's' && d == 's' && e == 'h') || (c == 'c' && d == 'c' && e == 'h') || (c == 't' && d == 'c' && e == 'h');
}

/* parts._skips */
static skip_t skips(int script, const letters_t *w, const particle_t *particle) {
    const uint8_t *kind = lexicon.beginnings;
    if (particle && particle->units[script] && particle->skip >= 0)
        return (skip_t){particle->units[script], particle->skip};
    int n = w->length, c = at_of(w, 0), e_or_i = at_of(w, 1) == 'e' || at_of(w, 1) == 'i';
    if (script == ARABIC) {
        static const struct { int phrase, least, units, kind; } rules[] = {
            {AL, 4, 2, S_ARTICLE_ARABIC}, {BU, 4, 2, S_FATHER}, {BL, 4, 2, S_SON_ARTICLE},
            {BN, 4, 2, S_SON},            {WLD, 5, 3, S_OULD},  {ABD, 5, 3, S_SERVANT},
        };
        for (size_t k = 0; k < sizeof rules / sizeof *rules; k++)
            if (n > rules[k].least && begins_with(w, rules[k].phrase)) return (skip_t){rules[k].units, kind[rules[k].kind]};
        return (skip_t){0, 0};
    }
    if (n > 5 && begins(w, "bou")) return (skip_t){2, kind[S_FATHER]};
    if (n >= 6 && c == 'b' && e_or_i && at_of(w, 2) == 'n') return (skip_t){3, kind[S_SON]};
    if (n >= 6 && c == 'b' && e_or_i && at_of(w, 2) == 'l' && at_of(w, 3) != 'l') return (skip_t){3, kind[S_SON_ARTICLE]};
    if (n >= 5 && (c == 'a' || c == 'e') && at_of(w, 1) == 'l' && at_of(w, 2) != 'l') return (skip_t){2, kind[S_ARTICLE]};
    if (assimilated(w)) return (skip_t){1, kind[S_ASSIMILATED]};
    if (n > 5 && begins(w, "abd")) return (skip_t){3, kind[S_SERVANT]};
    return (skip_t){0, 0};
}

/* edit.context */
static int context(const uint8_t *u, int n, int i) {
    if (i == 0) return 0;
    int after = i + 1 == n ? 2 : lexicon.vowel[u[i + 1]];
    return 1 + 3 * lexicon.vowel[u[i - 1]] + after;
}

/* edit.edges, against both scripts */
static void edges(word *w, skip_t skip) {
    for (int other = 0; other < 2; other++) {
        int16_t *gap = w->gap[other], *start = w->start[other];
        for (int i = 0; i < w->n; i++) {
            gap[i] = tables.gap[other][context(w->units, w->n, i)][w->units[i]];
            start[i + 1] = (int16_t)(start[i] + gap[i]);
        }
        for (int i = skip.units, k = skip.units; k && i <= w->n; i++) {
            int price = tables.skip[skip.kind];
            start[i] = (int16_t)least(start[i], i > k ? price + start[i] - start[k] : price);
        }
    }
}

int skeleton_from(const word *w, int from, uint8_t out[MAX_UNITS]) {
    int n = 0;
    for (int i = from; i < w->n; i++) {
        uint8_t c = lexicon.class_of[w->units[i]];
        if (c && (!n || out[n - 1] != c)) out[n++] = c;
    }
    int short_of = n;
    while (short_of && out[short_of - 1] == 'H') out[--short_of] = 0;
    if (!short_of && n) out[0] = 'H', short_of = 1;
    return short_of;
}

/* parts.make_part, but for what `recall` finds; 0 when no unit is left */
static int make_part(int script, letters_t letters, int kind, int article, word *out) {
    const particle_t *particle = kind ? &lexicon.particles[kind] : NULL;
    const entry *e = look_up(&lexicon.words, letters.letters, letters.length);
    int title = !kind && e && (e->facts & IS_TITLE);
    letters_t core = rewrite(script, e && e->abbreviation ? lexicon.full_forms[e->abbreviation - 1] : letters);
    int headed = particle && particle->units[script];
    if (headed && script == ARABIC && begins_with(&core, AL) && core.length > 4) {
        core = joined(core.letters + 2, core.length - 2, core.letters, 0);
        article = 1;
    }
    if (headed) core = joined(particle->head[script].letters, particle->head[script].length, core.letters, core.length);
    memset(out, 0, sizeof *out);
    out->n = (uint8_t)units(script, core.letters, core.length, out->units);
    if (!out->n) return 0;
    skip_t skip = skips(script, &core, particle);
    out->script = (uint8_t)script;
    out->length = core.length;
    memcpy(out->letters, core.letters, MAX_LETTERS);
    out->core = skip.units && skip.kind != lexicon.beginnings[S_SERVANT] ? (uint8_t)least(skip.units, out->n) : 0;
    out->worn = (uint8_t)((article ? ARTICLE : 0) | (title ? TITLE : 0));
    out->particle = (uint8_t)kind;
    edges(out, skip);
    out->skeletons = (uint8_t)skeleton_from(out, out->core, out->skeleton);
    expect(&lexicon.skeletons, out->skeleton, out->skeletons);
    expect(&lexicon.words, out->letters, out->length);
    return 1;
}

/* The rest of parts.make_part: what was counted and learned of the word. */
static void recall(word *out) {
    const entry *seen = look_up(&lexicon.skeletons, out->skeleton, out->skeletons);
    const entry *e = look_up(&lexicon.words, out->letters, out->length);
    out->rarity = seen ? (int16_t)seen->rarity : out->skeletons ? lexicon.rare : lexicon.rare_empty;
    out->given = e && e->given ? e->given - 1 : 2;
    if (e) {
        out->flags = e->facts & IS_KNOWN ? KNOWN : 0;
        out->common = e->common;
        out->link = e->link;
        out->group = e->group;
    }
}

int merged(const word *a, const word *b, word *out) {
    if (a->script != b->script) return 0;
    if (!make_part(a->script, joined(a->letters, a->length, b->letters, b->length), 0, a->worn & ARTICLE, out)) return 0;
    recall(out);
    return 1;
}

typedef struct {
    letters_t letters;
    int script, kind, article, begin, end;
} found_t;

/* parts._Builder */
typedef struct {
    found_t done[MAX_WORDS];
    int count, begin, kind, article, servant;
} builder;

static void clear(builder *b) { b->begin = -1, b->kind = b->article = b->servant = 0; }

static void hold(builder *b, const token *t) {
    if (b->begin < 0) b->begin = t->begin;
}

static void flush(builder *b, const token *t) {
    found_t *f = &b->done[b->count++];
    letters_t w = joined(t->letters, t->length, t->letters, 0);
    if (b->servant && t->script == ARABIC) {
        int cut = begins_with(&w, AL) && !(facts_of(t->letters, t->length) & IS_GOD) && w.length > 4 ? 2 : 0;
        w = with_phrase(ABD_, &w, cut);
    } else if (b->servant) {
        w = with_head("abd-", &w, 0);
    }
    hold(b, t);
    *f = (found_t){w, t->script, b->kind, b->article, b->begin, t->end};
    clear(b);
}

static void join_back(builder *b, const uint8_t *tail, int length, const token *t) {
    found_t *f = &b->done[b->count - 1];
    append(&f->letters, tail, length);
    f->end = t->end;
    clear(b);
}

static void end_word(builder *b, const token *t, int facts) {
    int joins = b->count && !b->kind && !b->servant && t->script == b->done[b->count - 1].script;
    if (joins && facts & IS_RELIGION) {
        const letters_t *din = &lexicon.phrases[ALDIN];
        const letters_t *before = &b->done[b->count - 1].letters;
        int vowel = before->length && strchr("aeiou", before->letters[before->length - 1]) != NULL;
        if (t->script == LATIN) join_back(b, (const uint8_t *)"edin" + vowel, 4 - vowel, t);
        else join_back(b, din->letters, din->length, t);
    } else if (joins && facts & IS_GOD && !b->article) {
        const letters_t *allah = &lexicon.phrases[ALLAH];
        if (t->script == LATIN) join_back(b, (const uint8_t *)"allah", 5, t);
        else join_back(b, allah->letters, allah->length, t);
    } else {
        flush(b, t);
    }
}

/* `e` and `after`: what is known of the word and of the next. */
static void take_word(builder *b, const token *t, const entry *e, const token *next, const entry *after, int of, int son) {
    int facts = e ? e->facts : 0, prefix = e ? e->prefix : 0;
    if (son && prefix == son) next = NULL;
    if (!next) {
        end_word(b, t, facts);
    } else if (facts & IS_ARTICLE || (facts & IS_ASSIMILATED && t->letters[t->length - 1] == next->letters[0])) {
        b->article = 1;
        hold(b, t);
    } else if (facts & IS_SERVANT && !(after && after->prefix)) {
        b->servant = 1;
        hold(b, t);
    } else if (prefix && !b->servant) {
        b->kind = prefix == of && b->kind ? b->kind : prefix;
        hold(b, t);
    } else {
        end_word(b, t, facts);
    }
}

void parse(const text *from, name *out) {
    token found[MAX_WORDS];
    builder b = {.count = 0};
    clear(&b);
    int count = words(from, found);
    out->n = 0;
    for (int i = 0; i < count; i++) expect(&lexicon.words, found[i].letters, found[i].length);
    if (count == 1 && facts_of(found->letters, found->length) & IS_ARTICLE) return; /* `EL 63` */
    const entry *e = count ? look_up(&lexicon.words, found->letters, found->length) : NULL;
    for (int i = 0; i < count; i++) {
        const token *next = i + 1 < count ? &found[i + 1] : NULL;
        const entry *after = next ? look_up(&lexicon.words, next->letters, next->length) : NULL;
        if (next && next->script != found[i].script) next = NULL;
        take_word(&b, &found[i], e, next, after, lexicon.of, i == 0 && count == 2 ? lexicon.son : 0);
        e = after;
    }
    for (int i = 0; i < least(b.count, MAX_PARTS); i++) {
        const found_t *f = &b.done[i];
        if (!make_part(f->script, f->letters, f->kind, f->article, &out->parts[out->n])) continue;
        out->begin[out->n] = (int16_t)f->begin;
        out->end[out->n++] = (int16_t)f->end;
    }
    for (int i = 0; i < out->n; i++) recall(&out->parts[i]);
}
