#include "aurora/cell.h"

const char *aur_type_name(aur_type_e type)
{
    switch (type) {
    case AUR_T_NUMBER:
        return "number";
    case AUR_T_DATE:
        return "date";
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        return "timestamp";
    case AUR_T_BOOLEAN:
        return "boolean";
    case AUR_T_BINARY:
        return "binary";
    case AUR_T_TEXT:
        break;
    }
    return "text";
}

const char *aur_type_base_name(aur_type_e type)
{
    switch (type) {
    case AUR_T_NUMBER:
        return "numeric";
    case AUR_T_DATE:
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        return "date";
    case AUR_T_TEXT:
        return "text";
    case AUR_T_BOOLEAN:
    case AUR_T_BINARY:
        break;
    }
    return "other";
}
