/* query_words.c - see aurora/query_words.h. */
#include "aurora/query_words.h"

#include "aurora/query.h"

static const aur_word_t operators[] = {{"eq", AUR_OP_EQ},
                                       {"neq", AUR_OP_NEQ},
                                       {"gt", AUR_OP_GT},
                                       {"gte", AUR_OP_GTE},
                                       {"lt", AUR_OP_LT},
                                       {"lte", AUR_OP_LTE},
                                       {"between", AUR_OP_BETWEEN},
                                       {"in", AUR_OP_IN},
                                       {"not_in", AUR_OP_NOT_IN},
                                       {"contains", AUR_OP_CONTAINS},
                                       {"not_contains", AUR_OP_NOT_CONTAINS},
                                       {"starts_with", AUR_OP_STARTS_WITH},
                                       {"ends_with", AUR_OP_ENDS_WITH},
                                       {"is_null", AUR_OP_IS_NULL},
                                       {"is_not_null", AUR_OP_IS_NOT_NULL},
                                       {"is_empty", AUR_OP_IS_EMPTY},
                                       {"is_not_empty", AUR_OP_IS_NOT_EMPTY},
                                       {NULL, 0}};
static const aur_word_t logic[] = {{"AND", 0}, {"OR", 1}, {NULL, 0}};
static const aur_word_t joins[] = {{"inner", AUR_JOIN_INNER},
                                   {"left", AUR_JOIN_LEFT},
                                   {"right", AUR_JOIN_RIGHT},
                                   {"outer", AUR_JOIN_OUTER},
                                   {NULL, 0}};
static const aur_word_t functions[] = {{"sum", AUR_AGG_SUM},
                                       {"avg", AUR_AGG_AVG},
                                       {"count", AUR_AGG_COUNT},
                                       {"min", AUR_AGG_MIN},
                                       {"max", AUR_AGG_MAX},
                                       {"distinct_count", AUR_AGG_DISTINCT_COUNT},
                                       {NULL, 0}};
static const aur_word_t shapes[] = {{"objects", 0}, {"arrays", 1}, {NULL, 0}};

const aur_word_t *aur_query_words(aur_words_e list)
{
    static const aur_word_t *const lists[] = {[AUR_WORDS_OPERATOR] = operators,
                                              [AUR_WORDS_LOGIC] = logic,
                                              [AUR_WORDS_JOIN] = joins,
                                              [AUR_WORDS_FUNCTION] = functions,
                                              [AUR_WORDS_SHAPE] = shapes};
    return lists[list];
}
