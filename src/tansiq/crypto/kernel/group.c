/* Sums of products in ristretto255 (RFC 9496), for a batch's proof: what a proof is computed over is public.

   Nothing secret may come here: the time this takes follows from its arguments. Keys and blinds stay with libsodium.
   door.py is the door, and its twin over libsodium the meaning. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 32, ODD = 8, DIGITS = 256, AT_ONCE = 64 };

__extension__ typedef unsigned __int128 wide;

/* --- the field of 2^255 - 19: five limbs of 51 bits ---

   `tight`: each limb below 2^51 + 2^15; products, squares and differences are. `loose`: below 2^53; one sum of two
   tight ones is. Products and differences take loose ones, a difference takes away at most 4p, so loose too. */
typedef struct { uint64_t v[5]; } fe;

#define LOW ((UINT64_C(1) << 51) - 1)

static const fe ZERO = {{0, 0, 0, 0, 0}}, ONE = {{1, 0, 0, 0, 0}};
static const fe D = {{0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
static const fe D2 = {{0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
static const fe SQRT_M1 = {{0x61b274a0ea0b0, 0xd5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};
static const fe INVSQRT_A_MINUS_D = {{0xfdaa805d40ea, 0x2eb482e57d339, 0x7610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff}};

/* One carry out of each limb, all at once: what was below 2^60 comes out tight. */
static void carried(fe *h) {
    uint64_t c0 = h->v[0] >> 51, c1 = h->v[1] >> 51, c2 = h->v[2] >> 51, c3 = h->v[3] >> 51, c4 = h->v[4] >> 51;
    h->v[0] = (h->v[0] & LOW) + 19 * c4;
    h->v[1] = (h->v[1] & LOW) + c0;
    h->v[2] = (h->v[2] & LOW) + c1;
    h->v[3] = (h->v[3] & LOW) + c2;
    h->v[4] = (h->v[4] & LOW) + c3;
}

static fe add(const fe *f, const fe *g) {
    fe h;
    for (int i = 0; i < 5; i++) h.v[i] = f->v[i] + g->v[i];
    return h;
}

static fe sub(const fe *f, const fe *g) {
    static const uint64_t four_p[5] = {0x1fffffffffffb4, 0x1ffffffffffffc, 0x1ffffffffffffc, 0x1ffffffffffffc,
                                       0x1ffffffffffffc};
    fe h;
    for (int i = 0; i < 5; i++) h.v[i] = f->v[i] + four_p[i] - g->v[i];
    carried(&h);
    return h;
}

/* The five columns of a product, each below 2^115, carried once round: tight. */
static inline fe folded(wide r0, wide r1, wide r2, wide r3, wide r4) {
    fe h;
    r1 += (uint64_t)(r0 >> 51);
    r2 += (uint64_t)(r1 >> 51);
    r3 += (uint64_t)(r2 >> 51);
    r4 += (uint64_t)(r3 >> 51);
    wide first = (wide)(uint64_t)(r4 >> 51) * 19 + ((uint64_t)r0 & LOW); /* the carry is below 2^64, not so 19 of it */
    h.v[0] = (uint64_t)first & LOW;
    h.v[1] = ((uint64_t)r1 & LOW) + (uint64_t)(first >> 51);
    h.v[2] = (uint64_t)r2 & LOW;
    h.v[3] = (uint64_t)r3 & LOW;
    h.v[4] = (uint64_t)r4 & LOW;
    return h;
}

static inline fe mul(const fe *f, const fe *g) {
    uint64_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint64_t g0 = g->v[0], g1 = g->v[1], g2 = g->v[2], g3 = g->v[3], g4 = g->v[4];
    uint64_t n1 = 19 * g1, n2 = 19 * g2, n3 = 19 * g3, n4 = 19 * g4;
    wide r0 = (wide)f0 * g0 + (wide)f1 * n4 + (wide)f2 * n3 + (wide)f3 * n2 + (wide)f4 * n1;
    wide r1 = (wide)f0 * g1 + (wide)f1 * g0 + (wide)f2 * n4 + (wide)f3 * n3 + (wide)f4 * n2;
    wide r2 = (wide)f0 * g2 + (wide)f1 * g1 + (wide)f2 * g0 + (wide)f3 * n4 + (wide)f4 * n3;
    wide r3 = (wide)f0 * g3 + (wide)f1 * g2 + (wide)f2 * g1 + (wide)f3 * g0 + (wide)f4 * n4;
    wide r4 = (wide)f0 * g4 + (wide)f1 * g3 + (wide)f2 * g2 + (wide)f3 * g1 + (wide)f4 * g0;
    return folded(r0, r1, r2, r3, r4);
}

static inline fe sq(const fe *f) {
    uint64_t f0 = f->v[0], f1 = f->v[1], f2 = f->v[2], f3 = f->v[3], f4 = f->v[4];
    uint64_t d0 = 2 * f0, d1 = 2 * f1, d2 = 2 * f2, n3 = 19 * f3, n4 = 19 * f4, m3 = 2 * n3;
    wide r0 = (wide)f0 * f0 + (wide)d1 * n4 + (wide)f2 * m3;
    wide r1 = (wide)d0 * f1 + (wide)d2 * n4 + (wide)f3 * n3;
    wide r2 = (wide)d0 * f2 + (wide)f1 * f1 + (wide)(2 * f3) * n4;
    wide r3 = (wide)d0 * f3 + (wide)d1 * f2 + (wide)f4 * n4;
    wide r4 = (wide)d0 * f4 + (wide)d1 * f3 + (wide)f2 * f2;
    return folded(r0, r1, r2, r3, r4);
}

static fe sq_times(fe f, int times) {
    while (times--) f = sq(&f);
    return f;
}

static fe negative_of(const fe *f) { return sub(&ZERO, f); }

static uint64_t load64(const uint8_t *s) {
    uint64_t x = 0;
    for (int i = 7; i >= 0; i--) x = x << 8 | s[i];
    return x;
}

/* The top bit is left out, as every caller has refused it. */
static fe from_bytes(const uint8_t s[BYTES]) {
    uint64_t a = load64(s), b = load64(s + 8), c = load64(s + 16), d = load64(s + 24);
    return (fe){{a & LOW, (a >> 51 | b << 13) & LOW, (b >> 38 | c << 26) & LOW, (c >> 25 | d << 39) & LOW, d >> 12 & LOW}};
}

/* The one spelling below p. */
static void to_bytes(uint8_t s[BYTES], const fe *f) {
    fe h = *f;
    carried(&h);
    carried(&h);
    /* now 0 <= h < 2^255 + 2^10; q: whether h >= p */
    uint64_t q = (h.v[0] + 19) >> 51;
    for (int i = 1; i < 5; i++) q = (h.v[i] + q) >> 51;
    h.v[0] += 19 * q;
    for (int i = 0; i < 4; i++) {
        h.v[i + 1] += h.v[i] >> 51;
        h.v[i] &= LOW;
    }
    h.v[4] &= LOW;
    uint64_t words[4] = {h.v[0] | h.v[1] << 51, h.v[1] >> 13 | h.v[2] << 38, h.v[2] >> 26 | h.v[3] << 25,
                         h.v[3] >> 39 | h.v[4] << 12};
    for (int i = 0; i < BYTES; i++) s[i] = (uint8_t)(words[i / 8] >> 8 * (i % 8));
}

static int same(const fe *f, const fe *g) {
    uint8_t a[BYTES], b[BYTES];
    to_bytes(a, f);
    to_bytes(b, g);
    return memcmp(a, b, BYTES) == 0;
}

static int is_negative(const fe *f) {
    uint8_t s[BYTES];
    to_bytes(s, f);
    return s[0] & 1;
}

static fe absolute(const fe *f) { return is_negative(f) ? negative_of(f) : *f; }

/* z^((p - 5) / 8) = z^(2^252 - 3) */
static fe pow_p58(const fe *z) {
    fe z2 = sq(z), t = sq_times(z2, 2);
    fe z9 = mul(&t, z), z11 = mul(&z9, &z2);
    t = sq(&z11);
    fe e5 = mul(&t, &z9); /* 2^5 - 1 */
    t = sq_times(e5, 5);
    fe e10 = mul(&t, &e5);
    t = sq_times(e10, 10);
    fe e20 = mul(&t, &e10);
    t = sq_times(e20, 20);
    t = mul(&t, &e20);
    t = sq_times(t, 10);
    fe e50 = mul(&t, &e10);
    t = sq_times(e50, 50);
    fe e100 = mul(&t, &e50);
    t = sq_times(e100, 100);
    t = mul(&t, &e100);
    t = sq_times(t, 50);
    t = mul(&t, &e50);
    t = sq_times(t, 2);
    return mul(&t, z);
}

/* SQRT_RATIO_M1 (RFC 9496 section 4.2) for u = 1: whether v is a square, and the root of 1/v or of sqrt(-1)/v. */
static int inverse_root(const fe *v, fe *root) {
    fe v2 = sq(v), v3 = mul(&v2, v), v6 = sq(&v3), v7 = mul(&v6, v);
    fe power = pow_p58(&v7), r = mul(&v3, &power), r2 = sq(&r), check = mul(v, &r2);
    fe minus = negative_of(&ONE), minus_i = negative_of(&SQRT_M1);
    int right = same(&check, &ONE), flipped = same(&check, &minus), flipped_i = same(&check, &minus_i);
    if (flipped || flipped_i) r = mul(&r, &SQRT_M1);
    *root = absolute(&r);
    return right || flipped;
}

/* --- the curve: extended coordinates, a = -1 --- */
typedef struct { fe x, y, z, t; } point;
typedef struct { fe plus, minus, z, t2d; } cached;
typedef struct { fe x, y, z, t; } completed;

static const point NEUTRAL = {{{0}}, {{1}}, {{1}}, {{0}}};

static cached cached_of(const point *p) { return (cached){add(&p->y, &p->x), sub(&p->y, &p->x), p->z, mul(&p->t, &D2)}; }

static completed summed(const point *p, const cached *q, int minus) {
    fe s = add(&p->y, &p->x), d = sub(&p->y, &p->x);
    fe a = mul(&s, minus ? &q->minus : &q->plus), b = mul(&d, minus ? &q->plus : &q->minus);
    fe c = mul(&p->t, &q->t2d), zz = mul(&p->z, &q->z), z2 = add(&zz, &zz);
    return minus ? (completed){sub(&a, &b), add(&a, &b), sub(&z2, &c), add(&z2, &c)}
                 : (completed){sub(&a, &b), add(&a, &b), add(&z2, &c), sub(&z2, &c)};
}

static completed doubled(const point *p) {
    fe xx = sq(&p->x), yy = sq(&p->y), zz = sq(&p->z), z2 = add(&zz, &zz), s = add(&p->x, &p->y), ss = sq(&s);
    fe y = add(&yy, &xx), z = sub(&yy, &xx);
    return (completed){sub(&ss, &y), y, z, sub(&z2, &z)};
}

/* `z2 + c` of a sum is below 2^53 and goes into products alone. A doubling needs no t of its argument. */
static void finish(point *p, const completed *c, int with_t) {
    p->x = mul(&c->x, &c->t);
    p->y = mul(&c->y, &c->z);
    p->z = mul(&c->z, &c->t);
    if (with_t) p->t = mul(&c->x, &c->y);
}

/* --- ristretto255 (RFC 9496 sections 4.3.1 and 4.3.2) --- */
static int decoded(point *p, const uint8_t raw[BYTES]) {
    uint8_t again[BYTES];
    fe s = from_bytes(raw);
    to_bytes(again, &s);
    if (memcmp(again, raw, BYTES) || raw[0] & 1) return 0; /* not the one spelling, or negative */
    if (same(&s, &ZERO)) return 0;                         /* the identity hides nothing */
    fe ss = sq(&s), u1 = sub(&ONE, &ss), u2 = add(&ONE, &ss), u2_sq = sq(&u2), u1_sq = sq(&u1);
    fe d_u1 = mul(&D, &u1_sq), minus = negative_of(&d_u1), v = sub(&minus, &u2_sq), w = mul(&v, &u2_sq), root;
    int square = inverse_root(&w, &root);
    fe den_x = mul(&root, &u2), den_y = mul(&root, &den_x), twice = add(&s, &s);
    den_y = mul(&den_y, &v);
    p->x = mul(&twice, &den_x);
    p->x = absolute(&p->x);
    p->y = mul(&u1, &den_y);
    p->z = ONE;
    p->t = mul(&p->x, &p->y);
    return square && !is_negative(&p->t) && !same(&p->y, &ZERO);
}

static void encoded(uint8_t raw[BYTES], const point *p) {
    fe a = add(&p->z, &p->y), b = sub(&p->z, &p->y), u1 = mul(&a, &b), u2 = mul(&p->x, &p->y), u2_sq = sq(&u2);
    fe v = mul(&u1, &u2_sq), root;
    inverse_root(&v, &root);
    fe den1 = mul(&root, &u1), den2 = mul(&root, &u2), z_inv = mul(&den1, &den2), x = p->x, y = p->y, den = den2;
    z_inv = mul(&z_inv, &p->t);
    fe turned = mul(&p->t, &z_inv);
    if (is_negative(&turned)) {
        x = mul(&p->y, &SQRT_M1);
        y = mul(&p->x, &SQRT_M1);
        den = mul(&den1, &INVSQRT_A_MINUS_D);
    }
    fe side = mul(&x, &z_inv);
    if (is_negative(&side)) y = negative_of(&y);
    fe rest = sub(&p->z, &y), s = mul(&den, &rest);
    s = absolute(&s);
    to_bytes(raw, &s);
}

/* --- sums of products: Straus with sliding windows of odd digits up to 15 --- */
typedef struct {
    cached odd[ODD];
    int8_t digit[DIGITS];
} factor;

/* Digits of a scalar below 2^253, each odd and of at most five bits, at least four zeros between two of them or so. */
static void slid(int8_t digit[DIGITS], const uint8_t scalar[BYTES]) {
    for (int i = 0; i < DIGITS; i++) digit[i] = (int8_t)(scalar[i >> 3] >> (i & 7) & 1);
    for (int i = 0; i < DIGITS; i++) {
        if (!digit[i]) continue;
        for (int b = 1; b <= 6 && i + b < DIGITS; b++) {
            if (!digit[i + b]) continue;
            int step = digit[i + b] << b;
            if (digit[i] + step <= 15) {
                digit[i] = (int8_t)(digit[i] + step);
                digit[i + b] = 0;
            } else if (digit[i] - step >= -15) {
                digit[i] = (int8_t)(digit[i] - step);
                int k = i + b;
                while (k < DIGITS && digit[k]) digit[k++] = 0;
                if (k < DIGITS) digit[k] = 1;
            } else {
                break;
            }
        }
    }
}

static void multiples(cached odd[ODD], const point *p) {
    point one = *p, two;
    completed c = doubled(p);
    finish(&two, &c, 1);
    cached step = cached_of(&two);
    odd[0] = cached_of(&one);
    for (int i = 1; i < ODD; i++) {
        c = summed(&one, &step, 0);
        finish(&one, &c, 1);
        odd[i] = cached_of(&one);
    }
}

static point product(const factor *factors, size_t count) {
    point sum = NEUTRAL;
    int begun = 0;
    for (int i = DIGITS - 1; i >= 0; i--) {
        completed c = doubled(&sum);
        int adds = 0;
        for (size_t k = 0; k < count; k++) {
            int digit = factors[k].digit[i];
            if (!digit) continue;
            if (begun || adds) finish(&sum, &c, 1);
            adds = 1;
            c = summed(&sum, &factors[k].odd[(digit < 0 ? -digit : digit) / 2], digit < 0);
        }
        begun |= adds;
        if (begun) finish(&sum, &c, i == 0);
    }
    return sum;
}

/* 0: done; -1: no memory; k > 0: the k-th element is none. */
static inline Py_ssize_t combined(uint8_t out[BYTES], const uint8_t *scalars, const uint8_t *elements, size_t count) {
    point total = NEUTRAL, p;
    factor *factors = malloc((count < AT_ONCE ? count : AT_ONCE) * sizeof *factors);
    if (!factors) return -1;
    for (size_t from = 0; from < count; from += AT_ONCE) {
        size_t here = count - from < AT_ONCE ? count - from : AT_ONCE;
        for (size_t k = 0; k < here; k++) {
            if (!decoded(&p, elements + (from + k) * BYTES)) {
                free(factors);
                return (Py_ssize_t)(from + k + 1);
            }
            multiples(factors[k].odd, &p);
            slid(factors[k].digit, scalars + (from + k) * BYTES);
        }
        p = product(factors, here);
        cached more = cached_of(&p);
        completed c = summed(&total, &more, 0);
        finish(&total, &c, 1);
    }
    free(factors);
    encoded(out, &total);
    return 0;
}

typedef Py_ssize_t combining(uint8_t out[BYTES], const uint8_t *scalars, const uint8_t *elements, size_t count);

#if defined(__x86_64__) && defined(__GNUC__)
/* The same C for processors since 2013: their long product leaves the flags alone, which saves a seventh. */
__attribute__((flatten, target("bmi2"))) static Py_ssize_t combined_since_2013(uint8_t out[BYTES], const uint8_t *scalars,
                                                                               const uint8_t *elements, size_t count) {
    return combined(out, scalars, elements, count);
}
#endif

static Py_ssize_t combined_anywhere(uint8_t out[BYTES], const uint8_t *scalars, const uint8_t *elements, size_t count) {
    return combined(out, scalars, elements, count);
}

static combining *chosen(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("bmi2")) return combined_since_2013;
#endif
    return combined_anywhere;
}

static PyObject *py_combine(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != 2 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1]))
        return PyErr_SetString(PyExc_TypeError, "scalars and elements, as bytes"), NULL;
    Py_ssize_t size = PyBytes_Size(args[0]);
    if (!size || size % BYTES || size != PyBytes_Size(args[1]))
        return PyErr_SetString(PyExc_ValueError, "as many scalars as elements, 32 bytes each"), NULL;
    const uint8_t *scalars = (const uint8_t *)PyBytes_AsString(args[0]);
    for (Py_ssize_t at = BYTES - 1; at < size; at += BYTES)
        if (scalars[at] >= 0x20) return PyErr_SetString(PyExc_ValueError, "a scalar of more than 253 bits"), NULL;
    const uint8_t *elements = (const uint8_t *)PyBytes_AsString(args[1]);
    uint8_t out[BYTES];
    Py_ssize_t failed;
    Py_BEGIN_ALLOW_THREADS
    failed = chosen()(out, scalars, elements, (size_t)(size / BYTES));
    Py_END_ALLOW_THREADS
    if (failed < 0) return PyErr_NoMemory();
    if (failed) return PyLong_FromSsize_t(failed - 1);
    return PyBytes_FromStringAndSize((const char *)out, BYTES);
}

static PyMethodDef methods[] = {
    {"combine", (PyCFunction)(void (*)(void))py_combine, METH_FASTCALL,
     "The sum of each scalar times its element, or the place of the first that is no element. Public values only."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_group", .m_doc = "Sums of products of public elements; kernel/door.py is its door.",
    .m_size = 0, .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__group(void) { return PyModuleDef_Init(&definition); }
