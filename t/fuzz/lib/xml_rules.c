/* xml_rules.c - see xml_rules.h. */
#include "xml_rules.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "utf8_rules.h"

#define DEPTH_MAX 32

struct xml_reader_t {
    const char *what, *at, *end;
    const char *open[DEPTH_MAX];
    int depth, roots;
    int empty; /* <x/>: its end comes next */
    xml_event_t event;
    apr_pool_t *p;
};

static int looking_at(const xml_reader_t *x, const char *word)
{
    apr_size_t len = strlen(word);

    return (apr_size_t)(x->end - x->at) >= len && !memcmp(x->at, word, len);
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void spaces_skip(xml_reader_t *x)
{
    while (x->at < x->end && is_space(*x->at)) {
        x->at++;
    }
}

static const char *name_read(xml_reader_t *x)
{
    const char *from = x->at;

    FUZZ_CHECK(x->at < x->end && (apr_isalpha(*x->at) || *x->at == '_'), "%s: no name at %.20s",
               x->what, from);
    while (x->at < x->end && (apr_isalnum(*x->at) || strchr("_:.-", *x->at))) {
        x->at++;
    }
    return apr_pstrmemdup(x->p, from, (apr_size_t)(x->at - from));
}

/* Char of XML 1.0 */
static int is_char(uint32_t c)
{
    return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

/* &amp; and its like, or &#13;: what references beyond ASCII would be is not asked for here. */
static char reference_read(xml_reader_t *x)
{
    static const struct {
        const char *entity;
        char c;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    apr_size_t i;
    long code;
    char *end;

    for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
        if (looking_at(x, entities[i].entity)) {
            x->at += strlen(entities[i].entity);
            return entities[i].c;
        }
    }
    FUZZ_CHECK(looking_at(x, "&#"), "%s: no entity: %.10s", x->what, x->at);
    code = strtol(x->at + 2, &end, 10);
    FUZZ_CHECK(end < x->end && *end == ';' && code < 0x80 && is_char((uint32_t)code),
               "%s: no reference: %.10s", x->what, x->at);
    x->at = end + 1;
    return (char)code;
}

/* Up to the character that ends it, which is not taken. */
static fuzz_text_t chars_read(xml_reader_t *x, char ends)
{
    char *out = apr_palloc(x->p, (apr_size_t)(x->end - x->at) + 1), *to = out;
    fuzz_text_t text = {out, 0};
    apr_size_t n;

    while (x->at < x->end && *x->at != ends) {
        uint32_t c = utf8_point(&n, x->at, (apr_size_t)(x->end - x->at));
        FUZZ_CHECK(c != UTF8_BAD && is_char(c), "%s: a character XML forbids: %x", x->what, c);
        FUZZ_CHECK(c != '<', "%s: < inside an attribute", x->what);
        FUZZ_CHECK(!looking_at(x, "]]>"), "%s: ]]> inside a text", x->what);
        if (c == '&') {
            *to++ = reference_read(x);
        }
        else if (c == '\r' || (ends != '<' && c < 0x80 && is_space((char)c))) {
            *to++ = ends == '<' ? '\n' : ' '; /* what a parser makes of it */
            x->at++;
        }
        else {
            memcpy(to, x->at, n);
            to += n;
            x->at += n;
        }
    }
    *to = '\0';
    text.len = (apr_size_t)(to - out);
    return text;
}

static void attributes_read(xml_reader_t *x)
{
    xml_event_t *e = &x->event;
    int i;

    for (;;) {
        const char *before = x->at, *name;
        char quote;
        spaces_skip(x);
        if (x->at < x->end && strchr("/>?", *x->at)) {
            return;
        }
        FUZZ_CHECK(x->at > before, "%s: attributes without a blank", x->what);
        FUZZ_CHECK(e->nattributes < XML_ATTRIBUTES_MAX, "%s: many attributes", x->what);
        name = name_read(x);
        for (i = 0; i < e->nattributes; i++) {
            FUZZ_CHECK(strcmp(e->attributes[i][0], name) != 0, "%s: %s twice", x->what, name);
        }
        FUZZ_CHECK(looking_at(x, "=\"") || looking_at(x, "='"), "%s: no value", x->what);
        quote = x->at[1];
        x->at += 2;
        e->attributes[e->nattributes][0] = name;
        e->attributes[e->nattributes++][1] = chars_read(x, quote).s;
        FUZZ_CHECK(x->at < x->end, "%s: an attribute without an end", x->what);
        x->at++;
    }
}

static const xml_event_t *element_end(xml_reader_t *x)
{
    x->event.is = XML_END;
    x->event.name = x->open[--x->depth];
    return &x->event;
}

static const xml_event_t *tag_read(xml_reader_t *x)
{
    xml_event_t *e = &x->event;
    int closes = looking_at(x, "</");

    x->at += closes ? 2 : 1;
    e->name = name_read(x);
    if (closes) {
        spaces_skip(x);
        FUZZ_CHECK(looking_at(x, ">"), "%s: </%s", x->what, e->name);
        x->at++;
        FUZZ_CHECK(x->depth > 0 && !strcmp(x->open[x->depth - 1], e->name),
                   "%s: </%s> ends another", x->what, e->name);
        return element_end(x);
    }
    FUZZ_CHECK(x->depth < DEPTH_MAX, "%s: too deep", x->what);
    FUZZ_CHECK(x->depth > 0 || x->roots++ == 0, "%s: two roots", x->what);
    x->open[x->depth++] = e->name;
    e->is = XML_BEGIN;
    attributes_read(x);
    x->empty = looking_at(x, "/>");
    FUZZ_CHECK(x->empty || looking_at(x, ">"), "%s: <%s", x->what, e->name);
    x->at += x->empty ? 2 : 1;
    return e;
}

xml_reader_t *xml_open(const char *what, const char *s, apr_size_t len, apr_pool_t *p)
{
    xml_reader_t *x = apr_pcalloc(p, sizeof(*x));

    x->what = what;
    x->at = s;
    x->end = s + len;
    x->p = p;
    if (looking_at(x, "<?xml ")) {
        x->at += 5;
        attributes_read(x);
        FUZZ_CHECK(looking_at(x, "?>"), "%s: the declaration", what);
        x->at += 2;
    }
    return x;
}

const xml_event_t *xml_next(xml_reader_t *x)
{
    xml_event_t *e = &x->event;

    e->nattributes = 0;
    if (x->empty) {
        x->empty = 0;
        return element_end(x);
    }
    if (x->depth == 0) {
        spaces_skip(x);
    }
    if (x->at == x->end) {
        FUZZ_CHECK(x->depth == 0 && x->roots == 1, "%s ends inside %s", x->what,
                   x->depth ? x->open[x->depth - 1] : "nothing");
        e->is = XML_DONE;
        return e;
    }
    if (*x->at == '<') {
        return tag_read(x);
    }
    FUZZ_CHECK(x->depth > 0, "%s: text outside of everything", x->what);
    e->is = XML_TEXT;
    e->text = chars_read(x, '<');
    return e;
}

const char *xml_attribute(const xml_event_t *e, const char *name)
{
    int i;

    for (i = 0; i < e->nattributes; i++) {
        if (!strcmp(e->attributes[i][0], name)) {
            return e->attributes[i][1];
        }
    }
    return NULL;
}
