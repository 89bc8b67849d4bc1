/* xml_rules.h - a strict reader of the little XML that workbooks are made of (XML 1.0, fifth edition): well-formed
 * to the letter, no entity but the five and references to characters, no character that XML forbids. */
#ifndef AURORA_FUZZ_XML_RULES_H
#define AURORA_FUZZ_XML_RULES_H

#include "fuzz.h"

typedef struct xml_reader_t xml_reader_t;

typedef enum { XML_BEGIN, XML_END, XML_TEXT, XML_DONE } xml_event_e;

#define XML_ATTRIBUTES_MAX 24

typedef struct xml_event_t {
    xml_event_e is;
    const char *name; /* of the element that begins or ends, as it is written */
    int nattributes;
    const char *attributes[XML_ATTRIBUTES_MAX][2]; /* name and value, decoded */
    fuzz_text_t text;                              /* decoded */
} xml_event_t;

/** @param what  for messages */
xml_reader_t *xml_open(const char *what, const char *s, apr_size_t len, apr_pool_t *p);
/** The next event; aborts where the document is not well-formed. */
const xml_event_t *xml_next(xml_reader_t *x);
/** NULL when the element has none of that name. */
const char *xml_attribute(const xml_event_t *e, const char *name);

#endif
