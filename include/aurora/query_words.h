/* query_words.h - the closed lists of words that a request may use: what the parser takes is what the description of the
 * interface says. */
#ifndef AURORA_QUERY_WORDS_H
#define AURORA_QUERY_WORDS_H

#include "aurora/json_in.h"

typedef enum {
    AUR_WORDS_OPERATOR, /* aur_op_e */
    AUR_WORDS_LOGIC,    /* 1: OR */
    AUR_WORDS_JOIN,     /* aur_join_e */
    AUR_WORDS_FUNCTION, /* aur_agg_e */
    AUR_WORDS_SHAPE     /* 1: arrays */
} aur_words_e;

/** Ends with { NULL, 0 }. Static storage. */
const aur_word_t *aur_query_words(aur_words_e list);

#endif
