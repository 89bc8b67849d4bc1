/* cell: the contract's words for types. */
#include "aurora/cell.h"
#include "tap.h"

#include <apr_general.h>

int main(void)
{
    static const struct {
        aur_type_e type;
        const char *name, *base;
    } cases[] = {
        {AUR_T_TEXT, "text", "text"},
        {AUR_T_NUMBER, "number", "numeric"},
        {AUR_T_DATE, "date", "date"},
        {AUR_T_TIMESTAMP, "timestamp", "date"},
        {AUR_T_TIMESTAMP_TZ, "timestamp", "date"},
        {AUR_T_BOOLEAN, "boolean", "other"},
        {AUR_T_BINARY, "binary", "other"},
    };
    apr_size_t i;

    apr_initialize();
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_str(aur_type_name(cases[i].type), cases[i].name, cases[i].name);
        is_str(aur_type_base_name(cases[i].type), cases[i].base, "  and its base type");
    }
    apr_terminate();
    return tap_done();
}
